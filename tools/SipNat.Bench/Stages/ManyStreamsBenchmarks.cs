using System.Net;
using BenchmarkDotNet.Attributes;
using SipNat.Bench.Rtp;
using SipNat.Endpoint;
using SipNat.Endpoint.Media;
using SipNat.Wire;

namespace SipNat.Bench.Stages;

/// <summary>
/// The core with as many streams as a recorder has: what one visit of ten packets costs when the streams that were visited
/// before it have taken the processor's cache. Each round is five milliseconds, as the wheel of the media thread has them.
/// </summary>
[MemoryDiagnoser]
public class ManyStreamsBenchmarks
{
    /// <summary>Streams, of two to a session.</summary>
    public const int Streams = 4000;

    private const int Slices = 40;
    private const int VisitsPerRound = Streams / Slices;
    private const int PacketsPerVisit = 10;
    private const int PacketsPerRound = VisitsPerRound * PacketsPerVisit;
    private const int Payload = 160;
    private const int PacketLength = RtpFrames.HeaderLength + Payload;
    private static readonly TimeSpan Round = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan PacketTime = TimeSpan.FromMilliseconds(20);
    private static readonly TransportAddress Peer = TransportAddress.From(new IPEndPoint(IPAddress.Parse("192.0.2.20"), 0));
    private static readonly TransportAddress Local = TransportAddress.From(new IPEndPoint(IPAddress.Parse("198.51.100.10"), 0));

    private readonly byte[] _visit = new byte[PacketsPerVisit * PacketLength];
    private readonly ReceivedDatagram[] _received = new ReceivedDatagram[PacketsPerVisit];
    private readonly MediaPlane _plane = new(new() { SparePorts = 0 }, new Random(1));
    private Instant _now = new(TimeSpan.TicksPerHour);
    private int _round;

    [GlobalSetup]
    public void Prepare()
    {
        for (var session = 0; session < Streams / 2; session++)
        {
            var id = new SessionId($"stage-{session}");
            _plane.HandleCommand(_now, new MediaCommand.Open(id, Local, 2));
            for (var stream = 2 * session; stream < (2 * session) + 2; stream++)
            {
                _plane.HandlePortBound(_now, new(FlowOf(stream), Local.WithPort(10_000 + (2 * stream)), new(Streams + stream + 1), Local.WithPort(10_001 + (2 * stream))));
            }

            MediaStreamSettings[] agreed = [.. Enumerable.Range(0, 2).Select(i => Agreed(i, PeerOf((2 * session) + i)))];
            _plane.HandleCommand(_now, new MediaCommand.Configure(id, new(PeerOf(session).WithPort(5060), Acknowledged: true, Paused: false, agreed)));
            Drain();
        }

        for (var i = 0; i < 10 * Slices; i++) Visit();
    }

    /// <summary>A packet of one round, with all that follows of it: timers, reports and buffers included.</summary>
    [Benchmark(OperationsPerInvoke = PacketsPerRound)]
    public int Visit()
    {
        _now += Round;
        if (_plane.Deadline <= _now) _plane.HandleTimeout(_now);
        var done = Drain();
        var slice = _round % Slices;
        for (var stream = slice; stream < Streams; stream += Slices)
        {
            var number = _round / Slices * PacketsPerVisit;
            for (var i = 0; i < PacketsPerVisit; i++)
            {
                RtpFrames.WriteHeader(_visit.AsSpan(i * PacketLength), 0, false, (ushort)(number + i), (uint)((number + i) * Payload), (uint)stream);
                _received[i] = new(_now - (PacketTime * (PacketsPerVisit - i)), PeerOf(stream), i * PacketLength, PacketLength);
            }

            _plane.HandleBatch(_now, FlowOf(stream), _received, _visit);
            done += Drain();
        }

        _round++;
        return done;
    }

    private static FlowId FlowOf(int stream) => new(stream + 1);

    private static TransportAddress PeerOf(int stream) => Peer.WithPort(20_000 + (2 * stream));

    private static MediaStreamSettings Agreed(int index, TransportAddress peer) =>
        new(index, index, [new(0, SipNat.Sip.Sdp.PayloadFormat.Pcmu)], peer, peer.WithPort(peer.Port + 1), RtcpMux: false, ShouldSend: true);

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
