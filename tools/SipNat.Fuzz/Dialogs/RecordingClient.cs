using System.Text;
using SipNat.Endpoint;
using SipNat.Endpoint.Media;
using SipNat.Endpoint.Siprec;
using SipNat.Fuzz.Engine;
using SipNat.Media.Rtp;
using SipNat.Media.Streams;
using SipNat.Sip.Messages;
using SipNat.Sip.Sdp;
using SipNat.Wire;

namespace SipNat.Fuzz.Dialogs;

/// <summary>
/// A client that does all as it should: it sends a frame every 20 ms as long as the clock lets it, answers what it is
/// asked, and at the end every frame that it sent stands where it belongs.
/// </summary>
internal sealed class RecordingClient(DialogScene scene)
{
    private const int FrameLength = 160;
    private const int FirstFrames = 12;
    private const uint Ssrc = 0x5EED_0001;

    private const string CallId = "in-progress@192.0.2.10";

    private const string Offer = "v=0\r\no=c 1 1 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\na=label:1\r\na=sendonly\r\n";

    public static readonly TransportAddress Address = TransportAddress.Parse("192.0.2.10:5060");
    public static readonly TransportAddress Source = TransportAddress.Parse("192.0.2.10:4000");
    private static readonly TimeSpan FrameTime = TimeSpan.FromMilliseconds(20);

    private readonly SipHeaderIndex _index = new();
    private readonly SipWriter _writer = new();
    private readonly RecordedAudio _audio = new();
    private readonly List<long> _frames = [];
    private readonly byte[] _packet = new byte[RtpPacket.HeaderLength + FrameLength];
    private string? _toTag;
    private FlowId _rtp;
    private Instant _start;
    private SessionId? _session;
    private bool _isEnding;

    /// <summary>When the next frame goes; null while nothing is agreed on.</summary>
    public Instant? NextFrameAt { get; private set; }

    /// <summary>Call-ID and port are known to nobody else.</summary>
    public FlowId MediaFlow => _rtp;

    public void Begin()
    {
        scene.Signal(DialogScene.Udp, Address, Request("INVITE", 1, Offer));
        for (var waited = 0; _toTag is null; waited++)
        {
            Invariant.Holds(waited < 200, "A well-formed INVITE is answered.");
            scene.Pass(TimeSpan.FromMilliseconds(10));
        }

        scene.Pass(FirstFrames * FrameTime);
    }

    public void End()
    {
        scene.Serve();
        scene.Pass(FrameTime);
        (NextFrameAt, _isEnding) = (null, true);
        scene.Signal(DialogScene.Udp, Address, Request("BYE", 2, ""));
    }

    /// <summary>All that was sent is in the file.</summary>
    public void Check()
    {
        Invariant.Holds(_audio.EndedAt is not null, "The file of a recording ends with it.");
        foreach (var frame in _frames) Invariant.Holds(_audio.Holds(frame * FrameLength, Frame(frame)), "Every frame of a recording in progress stands in its place.", $"frame {frame} of {_frames.Count}");
        Invariant.Holds(_audio.EndedAt >= (_frames[^1] + 1) * FrameLength, "A file is as long as its frames.");
    }

    /// <summary>Sends the frame that is due, if one is: of those that a jump of the clock has passed, the last.</summary>
    public void SendDue()
    {
        if (NextFrameAt is not { } due || due > scene.Now) return;

        var frame = (scene.Now - _start).Ticks / FrameTime.Ticks;
        NextFrameAt = _start + (FrameTime * (frame + 1));
        RtpWriter.Write(_packet, new(0, (ushort)_frames.Count, (uint)(frame * FrameLength), Ssrc), Frame(frame));
        _frames.Add(frame);
        scene.Media(_rtp, Source, _packet);
    }

    /// <summary>Takes what was sent to this client; false leaves it to somebody else.</summary>
    public bool TryReceive(TransportAddress to, byte[] bytes)
    {
        if (!to.HasSameAddress(Address)) return false;
        if (to != Address || !SipMessage.TryRead(bytes, _index, out var message, out _)) return true;

        if (message.IsRequest) Answer(message);
        else if (message.StatusCode is >= 200 and < 300 && message.Method is SipMethod.Invite && _toTag is null) TakeAnswer(message);
        return true;
    }

    /// <summary>Learns which session is this client's.</summary>
    public void Know(RecordingSnapshot snapshot)
    {
        if (Owns(snapshot)) _session = snapshot.Id;
    }

    public static bool Owns(RecordingSnapshot snapshot) => snapshot.CallId == CallId;

    /// <summary>Takes audio for the file of this client's session.</summary>
    public void Take(RecordingWrite write)
    {
        if (write.Session != _session || write.File.Index == OtherPackets.FileIndex) return;

        Invariant.Holds(write is { Stream: 0, File.Index: 0 }, "A recording of one stream has one file.");
        if (write.Buffer is { } buffer) _audio.Write(buffer.Offset, buffer.Written.Span);
        else _audio.EndedAt = write.FinalLength;
    }

    private void TakeAnswer(SipMessage answer)
    {
        _toTag = Encoding.ASCII.GetString(answer.ToTag);
        Invariant.Holds(SdpReader.TryRead(answer.Body, out var sdp, out _) && sdp.Media is [{ Port: not 0 }], "An offer of one medium is answered with a port.");
        var port = scene.Ports.Find(p => p.LocalRtp.Port == sdp!.Media[0].Port);
        Invariant.Holds(port is not null, "The answer names a port that is bound.");
        _rtp = port!.Rtp;
        scene.Signal(DialogScene.Udp, Address, Request("ACK", 1, ""));
        _start = scene.Now + FrameTime;
        NextFrameAt = _start;
    }

    private void Answer(SipMessage request)
    {
        if (request.Method is SipMethod.Ack) return;

        Invariant.Holds(request.Method is not SipMethod.Bye || _isEnding, "A recording in progress goes on.");
        var hasOffer = !request.Body.IsEmpty;
        new SipResponse(200)
        {
            Headers = [new(SipHeader.Contact, $"<sip:c@{Address}>")],
            ContentType = hasOffer ? "application/sdp" : null,
            Body = hasOffer ? Encoding.ASCII.GetBytes(Offer) : default,
        }.Write(_writer, request, default, "client", null);
        scene.Signal(DialogScene.Udp, Address, _writer.Written.ToArray());
    }

    private byte[] Request(string method, int sequence, string body) => Encoding.ASCII.GetBytes(
        $"{method} sip:recorder@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP {Address};rport;branch=z9hG4bKclient-{method}\r\nMax-Forwards: 70\r\n"
        + $"From: <sip:c@192.0.2.10>;tag=client\r\nTo: <sip:recorder@192.0.2.1>{(_toTag is null ? "" : $";tag={_toTag}")}\r\n"
        + $"Call-ID: {CallId}\r\nCSeq: {sequence} {method}\r\nContact: <sip:c@{Address}>;+sip.src\r\nAllow: INVITE, UPDATE, BYE\r\n"
        + (body.Length > 0 ? "Content-Type: application/sdp\r\n" : "") + $"Content-Length: {body.Length}\r\n\r\n{body}");

    // A frame tells its number, and has no octet of silence in it.
    private static byte[] Frame(long number)
    {
        var frame = new byte[FrameLength];
        frame.AsSpan().Fill(0x11);
        for (var i = 0; i < 5; i++) frame[i] = (byte)((number >> (6 * i)) & 0x3F);
        return frame;
    }
}
