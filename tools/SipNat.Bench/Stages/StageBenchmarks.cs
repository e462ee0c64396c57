using System.Net;
using BenchmarkDotNet.Attributes;
using SipNat.Bench.Rtp;
using SipNat.Endpoint;
using SipNat.Endpoint.Media;
using SipNat.Media.Codecs;
using SipNat.Media.Rtp;
using SipNat.Media.Streams;
using SipNat.Traversal.Stun;
using SipNat.Wire;
using PayloadFormat = SipNat.Media.Streams.PayloadFormat;

namespace SipNat.Bench.Stages;

/// <summary>
/// What each stage between the kernel and the file costs a recorded packet of G.711, and all of them together. Each has
/// the 20 ms of a real stream between its packets; writing their headers is in every figure.
/// </summary>
[MemoryDiagnoser]
public class StageBenchmarks
{
    /// <summary>Packets of one visit: 200 ms of a stream.</summary>
    public const int PacketsPerVisit = 10;

    /// <summary>The least number of packets that fills whole buffers.</summary>
    public const int PacketsOfBuffers = 256;

    private const int Payload = 160;
    private const int PacketLength = RtpFrames.HeaderLength + Payload;
    private const int Buffers = PacketsOfBuffers * Payload / StreamTimeline.BlockLength;
    private const uint Ssrc = 0x1234;
    private static readonly TimeSpan PacketTime = TimeSpan.FromMilliseconds(20);
    private static readonly TransportAddress Local = TransportAddress.From(new IPEndPoint(IPAddress.Parse("198.51.100.10"), 0));
    private static readonly TransportAddress Peer = TransportAddress.From(new IPEndPoint(IPAddress.Parse("192.0.2.20"), 40_000));
    private static readonly FlowId Flow = new(1);

    private readonly byte[] _packet = new byte[PacketLength];
    private readonly byte[] _visit = new byte[PacketsPerVisit * PacketLength];
    private readonly ReceivedDatagram[] _received = new ReceivedDatagram[PacketsPerVisit];
    private readonly PayloadFormat _format = PayloadFormat.Audio(AudioCodec.Pcmu);
    private Instant _now = new(TimeSpan.TicksPerHour);
    private long _number;
    private SourceLatch _latch = null!;
    private RtpReceiver _receiver = null!;
    private StreamTimeline _timeline = null!;
    private RecordedStream _stream = null!;
    private MediaPlane _plane = null!;

    [GlobalSetup]
    public void Prepare()
    {
        var payloads = new PayloadMap();
        payloads.Negotiate(0, _format);
        _latch = new(new(), Peer, Peer);
        _receiver = new(payloads, new());
        _timeline = new();
        _stream = new(payloads, new(new(), Peer, Peer));
        _plane = Open();
        WriteNext(_packet);
    }

    /// <summary>Whether it is STUN, RTP or RTCP, and its header.</summary>
    [Benchmark]
    public int DemultiplexAndParse()
    {
        if (StunMessage.LooksLikeStun(_packet) || MediaDemultiplexer.Classify(_packet) is not MediaPacketKind.Rtp) return 0;

        return RtpPacket.TryRead(_packet, out var packet, out _) ? packet.Payload.Length : 0;
    }

    /// <summary>Whether its source is the one that is followed.</summary>
    [Benchmark]
    public LatchVerdict Latch()
    {
        WriteNext(_packet);
        return RtpPacket.TryRead(_packet, out var packet, out _) ? _latch.Judge(_now, Peer, packet, isNegotiated: true) : default;
    }

    /// <summary>Sequence numbers, loss and jitter.</summary>
    [Benchmark]
    public int SequenceAndJitter()
    {
        WriteNext(_packet);
        if (!RtpPacket.TryRead(_packet, out var packet, out _)) return 0;

        return _receiver.Receive(_now, packet, LatchVerdict.Accept, out var frame) is RtpVerdict.Accepted ? frame.Payload.Length : 0;
    }

    /// <summary>Its place in the file, and its copy to the buffer there.</summary>
    [Benchmark]
    public int Timeline()
    {
        WriteNext(_packet);
        _timeline.Place(new()
        {
            Arrival = _now,
            Ssrc = Ssrc,
            Sequence = _number,
            Timestamp = (uint)(_number * Payload),
            Format = _format,
            Run = 0,
            Payload = _packet.AsSpan(RtpFrames.HeaderLength),
            Packet = _packet,
        });
        return Release(_timeline);
    }

    /// <summary>Its share of a buffer: rented, filled and given back.</summary>
    [Benchmark(OperationsPerInvoke = PacketsOfBuffers)]
    public int WriteBuffers()
    {
        var filled = 0;
        for (var i = 0; i < Buffers; i++)
        {
            using var buffer = WriteBuffer.Rent(0, StreamTimeline.BlockLength);
            for (var length = 0; length < StreamTimeline.BlockLength; length += Payload)
            {
                var part = Math.Min(Payload, StreamTimeline.BlockLength - length);
                _packet.AsSpan(RtpFrames.HeaderLength, part).CopyTo(buffer.Span[length..]);
                filled += part;
            }
        }

        return filled;
    }

    /// <summary>All of the above for one stream, without its session.</summary>
    [Benchmark]
    public int Stream()
    {
        WriteNext(_packet);
        _stream.HandleRtp(_now, _now, Peer, _packet);
        return Release(_stream.Timeline);
    }

    /// <summary>A visit of ten packets as the media thread hands it to the core, with all that follows of it, timers and reports included.</summary>
    [Benchmark(OperationsPerInvoke = PacketsPerVisit)]
    public int Core()
    {
        for (var i = 0; i < PacketsPerVisit; i++)
        {
            WriteNext(_visit.AsSpan(i * PacketLength, PacketLength));
            _received[i] = new(_now, Peer, i * PacketLength, PacketLength);
        }

        if (_plane.Deadline <= _now) _plane.HandleTimeout(_now);
        _plane.HandleBatch(_now, Flow, _received, _visit);
        return Drain();
    }

    private static MediaPlane Open()
    {
        var (now, id) = (new Instant(TimeSpan.TicksPerHour), new SessionId("stage"));
        var plane = new MediaPlane(new() { SparePorts = 0 }, new Random(1));
        plane.HandleCommand(now, new MediaCommand.Open(id, Local, 1));
        plane.HandlePortBound(now, new(Flow, Local.WithPort(10_000), new(2), Local.WithPort(10_001)));
        var stream = new MediaStreamSettings(
            0, 0, [new(0, SipNat.Sip.Sdp.PayloadFormat.Pcmu)], Peer, Peer.WithPort(Peer.Port + 1), RtcpMux: false, ShouldSend: true);
        plane.HandleCommand(now, new MediaCommand.Configure(id, new(Peer.WithPort(5060), Acknowledged: true, Paused: false, [stream])));
        return plane;
    }

    private void WriteNext(Span<byte> packet)
    {
        _number++;
        _now += PacketTime;
        RtpFrames.WriteHeader(packet, 0, false, (ushort)_number, (uint)(_number * Payload), Ssrc);
    }

    private static int Release(StreamTimeline timeline)
    {
        var written = 0;
        while (timeline.TryTake(out var write))
        {
            written += write.Buffer.Length;
            write.Buffer.Dispose();
        }

        return written;
    }

    private int Drain()
    {
        var done = 0;
        for (; _plane.TryTakePortRequest(out _); done++)
        {
        }

        while (_plane.Outbox.TryTake(out var transmit))
        {
            _plane.Outbox.Release(transmit);
            done++;
        }

        while (_plane.TryTakeWrite(out var write))
        {
            write.Buffer?.Dispose();
            done++;
        }

        for (; _plane.TryTakeEvent(out _); done++)
        {
        }

        return done;
    }
}
