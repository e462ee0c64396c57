using System.Net;
using System.Net.Sockets;
using SipNat.Bench.Audio;
using SipNat.Bench.Siprec;

namespace SipNat.Bench.Rtp;

/// <summary>
/// One labelled stream: its sockets, its RTP state and a copy of everything it has sent. The pacing thread sends;
/// destination and sockets are exchanged whole from outside.
/// </summary>
public sealed class OutgoingStream : IOfferedStream, IDisposable
{
    public const int SamplesPerFrame = 160;

    private readonly AudioSource _audio;
    private readonly IPAddress _local;
    private readonly MemoryStream _sent = new();
    private readonly List<(long Start, int Frames)> _segments = [];
    private readonly PacketTally _rtpReceived = new();
    private readonly PacketTally _rtcpReceived = new();
    private readonly List<StreamSockets> _allSockets = [];
    private readonly byte[] _packet = new byte[RtpFrames.HeaderLength + SamplesPerFrame];
    private readonly ushort _firstSequence;
    private readonly uint _baseTimestamp;
    private volatile StreamSockets _sockets;
    private volatile MediaTarget? _target;
    private long _nextFrame = -1;
    private long _firstFrame = -1;
    private int _packets;

    public OutgoingStream(string label, AudioSource audio, G711Variant codec, IPAddress local, int port, Random random)
    {
        (Label, _audio, Codec, _local) = (label, audio, codec, local);
        Ssrc = (uint)random.NextInt64(1, uint.MaxValue);
        _firstSequence = (ushort)random.Next(ushort.MaxValue);
        _baseTimestamp = (uint)random.NextInt64(uint.MaxValue);
        _sockets = StreamSockets.Bind(local, port);
        _allSockets.Add(_sockets);
    }

    public string Label { get; }

    public G711Variant Codec { get; }

    public uint Ssrc { get; }

    /// <summary>The RTP port that the next offer names.</summary>
    public int Port => _sockets.Port;

    /// <summary>The answer's address; null when the stream was refused.</summary>
    public MediaTarget? Target
    {
        get => _target;
        set => _target = value;
    }

    /// <summary>Binds a further pair; it is used once <see cref="Use"/> is called, the old one is still listened to.</summary>
    public StreamSockets OpenFurtherSockets()
    {
        var sockets = StreamSockets.Bind(_local, 0);
        lock (_allSockets) _allSockets.Add(sockets);
        return sockets;
    }

    public void Use(StreamSockets sockets) => _sockets = sockets;

    /// <summary>Sends frame <paramref name="frame"/>, counted in 20 ms from the start of the audio.</summary>
    public void SendFrame(long frame)
    {
        if (_target is not { } target) return;

        if (_firstFrame < 0) _firstFrame = frame;
        var afterGap = frame != _nextFrame;
        var payload = _packet.AsSpan(RtpFrames.HeaderLength);
        _audio.Read(payload);
        RtpFrames.WriteHeader(_packet, Codec.PayloadType, afterGap, (ushort)(_firstSequence + _packets), Timestamp(frame), Ssrc);
        Send(_sockets.Rtp, _packet, target.Rtp);
        Remember(frame, afterGap, payload);
    }

    public void SendReport(long frame, DateTimeOffset wall)
    {
        if (_target is not { } target) return;

        var report = RtpFrames.WriteSenderReport(wall, Timestamp(frame), Ssrc, _packets, _sent.Length, $"{Label}@sipnat-bench");
        Send(_sockets.Rtcp, report, target.Rtcp);
    }

    public void Receive(TimeSpan now)
    {
        lock (_allSockets)
        {
            foreach (var sockets in _allSockets)
            {
                _rtpReceived.Drain(sockets.Rtp, now);
                _rtcpReceived.Drain(sockets.Rtcp, now);
            }
        }
    }

    /// <summary>What was sent; call it when the pacing thread has ended.</summary>
    public StreamSent Report(string? file) => new()
    {
        Label = Label,
        Codec = Codec.EncodingName,
        Ssrc = Ssrc,
        Local = new IPEndPoint(_local, Port).ToString(),
        Destination = _target?.Rtp.ToString(),
        FirstTimestamp = _firstFrame < 0 ? 0 : Timestamp(_firstFrame),
        Packets = _packets,
        Segments = [.. _segments.Select(run => new SentSegment((run.Start - _firstFrame) * 0.02, run.Frames))],
        File = file,
        RtpReceived = _rtpReceived.Sources,
        RtcpReceived = _rtcpReceived.Sources,
    };

    public byte[] SentPayload() => _sent.ToArray();

    public void Dispose()
    {
        foreach (var sockets in _allSockets) sockets.Dispose();
        _sent.Dispose();
    }

    // The RTP clock runs through a hold, so that the recorder can place what follows.
    private uint Timestamp(long frame) => unchecked(_baseTimestamp + (uint)(frame * SamplesPerFrame));

    private void Remember(long frame, bool afterGap, ReadOnlySpan<byte> payload)
    {
        if (afterGap) _segments.Add((frame, 0));
        _segments[^1] = (_segments[^1].Start, _segments[^1].Frames + 1);
        _sent.Write(payload);
        _packets++;
        _nextFrame = frame + 1;
    }

    private static void Send(Socket socket, byte[] packet, IPEndPoint destination)
    {
        try
        {
            socket.SendTo(packet, SocketFlags.None, destination);
        }
        catch (SocketException)
        {
            // No route, or an ICMP error of an earlier packet: a real source goes on sending, too.
        }
    }
}

/// <summary>Where a stream is sent: RTP, and RTCP (the next port, or what <c>a=rtcp</c> says, RFC 3605).</summary>
public sealed record MediaTarget(IPEndPoint Rtp, IPEndPoint Rtcp);
