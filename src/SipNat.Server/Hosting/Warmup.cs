using System.Text;
using SipNat.Archive.Documents;
using SipNat.Endpoint;
using SipNat.Endpoint.Media;
using SipNat.Media.Srtp;
using SipNat.Wire;

namespace SipNat.Server.Hosting;

/// <summary>
/// Takes one imaginary recording through cores of its own before the listeners open, so that the first real caller does
/// not wait while the runtime compiles what an INVITE touches, and loads what encrypted audio takes. No socket, no file and no session of the server is used.
/// </summary>
internal static class Warmup
{
    private const int Rounds = 3;
    private const int Packets = 50;
    private static readonly TransportAddress Local = TransportAddress.Parse("192.0.2.1:5060");
    private static readonly SrtpProfile Profile = SrtpProfile.AesCm128HmacSha1Tag80;
    private static readonly TransportAddress Peer = TransportAddress.Parse("192.0.2.2:5060");

    public static void Run(EndpointOptions options)
    {
        for (var round = 0; round < Rounds; round++) RunOnce(options, round);
    }

    private static void RunOnce(EndpointOptions options, int round)
    {
        var flow = new FlowId(1);
        var core = new SignallingCore(options.Signalling with { AllowedNetworks = [new(Peer, 32)] }, options.Addressing, new SecureRandom());
        var plane = new MediaPlane(options.Media with { SparePorts = 1 }, new SecureRandom());
        var now = new Instant(0);
        core.HandleFlow(now, flow, new(FlowChangeKind.Opened, TransportProtocol.Udp, Local, default));
        core.HandleDatagram(now, flow, Peer, Request("INVITE", round, 1, "", Offer));
        Exchange(core, plane, now);
        core.HandleDatagram(now, flow, Peer, Request("OPTIONS", round, 2, "", ""));
        using SrtpContext protection = new(new(Profile, new byte[Profile.MasterLength]));
        for (ushort i = 0; i < Packets; i++)
        {
            now += TimeSpan.FromMilliseconds(20);
            plane.HandleDatagram(now, now, new(100), Peer.WithPort(4000), Rtp(i));
            byte[] encrypted = [.. Rtp(i), .. new byte[protection.Overhead]];
            if (protection.TryProtect(encrypted)) plane.HandleDatagram(now, now, new(102), Peer.WithPort(4002), encrypted);
        }

        core.EndAll(now, "warm");
        plane.HandleTimeout(now + TimeSpan.FromSeconds(1));
        Exchange(core, plane, now);
    }

    private static void Exchange(SignallingCore core, MediaPlane plane, Instant now)
    {
        var ports = 0;
        for (var worked = true; worked;)
        {
            worked = false;
            while (core.TryTakeCommand(out var command))
            {
                plane.HandleCommand(now, command);
                worked = true;
            }

            while (plane.TryTakePortRequest(out var request))
            {
                if (request is not MediaPortRequest.Bind) continue;

                var rtp = new FlowId(100 + (2 * ports));
                var port = 10000 + (2 * ports++);
                plane.HandlePortBound(now, new(rtp, Local.WithPort(port), new(rtp.Value + 1), Local.WithPort(port + 1)));
                worked = true;
            }

            while (plane.TryTakeEvent(out var happened))
            {
                core.HandleMedia(now, happened);
                worked = true;
            }
        }

        while (core.TryTakeSnapshot(out var snapshot)) RecordingJson.Write(RecordingDocuments.From(snapshot, DateTimeOffset.UnixEpoch, [], [], new Dictionary<int, TimeSpan>()));
        while (plane.TryTakeWrite(out var write)) write.Buffer?.Dispose();
        Discard(core.Outbox);
        Discard(plane.Outbox);
    }

    private static void Discard(Outbox outbox)
    {
        while (outbox.TryTake(out var transmit)) outbox.Release(transmit);
    }

    private static byte[] Rtp(ushort sequence)
    {
        var packet = new byte[172];
        (packet[0], packet[2], packet[3]) = (0x80, (byte)(sequence >> 8), (byte)sequence);
        var timestamp = sequence * 160;
        (packet[6], packet[7], packet[11]) = ((byte)(timestamp >> 8), (byte)timestamp, 1);
        return packet;
    }

    private static byte[] Request(string method, int round, int sequence, string toTag, string body) => Encoding.ASCII.GetBytes(
        $"{method} sip:recorder@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2:5060;rport;branch=z9hG4bKw{round}{sequence}\r\n"
        + $"From: <sip:warm@192.0.2.2>;tag=w{round}\r\nTo: <sip:recorder@192.0.2.1>{toTag}\r\nCall-ID: w{round}{sequence}\r\nCSeq: {sequence} {method}\r\n"
        + "Contact: <sip:warm@192.0.2.2>;+sip.src\r\nSupported: timer\r\nMax-Forwards: 70\r\n"
        + (body.Length == 0 ? "" : "Content-Type: multipart/mixed;boundary=b\r\n")
        + $"Content-Length: {body.Length}\r\n\r\n{body}");

    private const string Offer =
        "--b\r\nContent-Type: application/sdp\r\n\r\n"
        + "v=0\r\no=w 1 1 IN IP4 192.0.2.2\r\ns=-\r\nc=IN IP4 192.0.2.2\r\nt=0 0\r\n"
        + "m=audio 4000 RTP/AVP 0\r\na=label:1\r\na=sendonly\r\nm=audio 4002 RTP/SAVP 8\r\na=label:2\r\na=sendonly\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n\r\n"
        + "--b\r\nContent-Type: application/rs-metadata+xml\r\nContent-Disposition: recording-session\r\n\r\n"
        + "<recording xmlns=\"urn:ietf:params:xml:ns:recording:1\"><datamode>complete</datamode>"
        + "<participant participant_id=\"a\"><nameID aor=\"sip:a@example.com\"/></participant>"
        + "<stream stream_id=\"s\" session_id=\"c\"><label>1</label></stream></recording>\r\n--b--\r\n";
}
