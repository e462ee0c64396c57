using System.Buffers.Binary;
using SipNat.Media.Codecs;
using SipNat.Media.Playout;
using SipNat.Media.Streams;
using SipNat.Wire;

namespace SipNat.Tests.Media.Playout;

/// <summary>
/// A jitter buffer that is played in virtual time, with frames of noise (L16 at 8 kHz) of which each can be found again in
/// what was played.
/// </summary>
internal sealed class PlayedStream(PlayoutOptions? options = null)
{
    public const int FrameLength = 160;
    public const int Rate = 8000;

    // Where a frame follows something made up its first 4 ms are mixed.
    private const int Mixed = 40;
    private static readonly PayloadFormat Linear = PayloadFormat.Packets("L16", Rate);

    private readonly PriorityQueue<Packet, (long, int)> _network = new();
    private readonly List<short> _played = [];
    private readonly Dictionary<(short, short, short), int> _known = [];
    private int _order;
    private double _now;
    private double _tick;

    public PlayoutBuffer Buffer { get; } = new(CodecRegistry.BuiltIn, Rate, options ?? new());

    public uint Ssrc { get; set; } = 1;

    public uint TimestampOffset { get; set; } = uint.MaxValue - 20_000;


    public IReadOnlyList<short> Played => _played;

    public double Now => _now;

    /// <summary>A frame that is not silent.</summary>
    public static short[] Voice(int index)
    {
        var random = new Random(index);
        return [.. Enumerable.Range(0, FrameLength).Select(_ => (short)random.Next(-6000, 6000))];
    }

    public static short[] Silence(int index)
    {
        var random = new Random(index);
        return [.. Enumerable.Range(0, FrameLength).Select(_ => (short)random.Next(-20, 20))];
    }

    /// <summary>A frame on its way: it arrives so many milliseconds from the start.</summary>
    public void Send(double arrival, int index, short[]? samples = null, int? sequence = null)
    {
        var frame = samples ?? Voice(index);
        _known[(frame[Mixed], frame[Mixed + 1], frame[Mixed + 2])] = index;
        var bytes = new byte[2 * FrameLength];
        for (var i = 0; i < FrameLength; i++) BinaryPrimitives.WriteInt16BigEndian(bytes.AsSpan(2 * i), frame[i]);
        Send(arrival, Linear, sequence ?? index, TimestampOffset + (uint)(index * FrameLength), bytes);
    }

    public void Send(double arrival, PayloadFormat format, int sequence, uint timestamp, byte[] payload) =>
        _network.Enqueue(new(format, sequence, timestamp, payload, Ssrc), ((long)(arrival * 10_000), _order++));

    /// <summary>Plays until so many milliseconds from the start, 20 ms after 20 ms.</summary>
    public void RunTo(double milliseconds)
    {
        var block = new short[FrameLength];
        for (; _tick < milliseconds; _tick += 20)
        {
            _now = _tick;
            while (_network.TryPeek(out var packet, out var due) && due.Item1 <= _tick * 10_000)
            {
                _network.Dequeue();
                Put(packet, new(due.Item1));
            }

            Buffer.Take(new((long)(_tick * 10_000)), block);
            _played.AddRange(block);
        }
    }

    /// <summary>The frames that were played, each with its first sample's place, in the order of play.</summary>
    public List<(int Index, int Place)> Find(Func<int, short[]>? frame = null)
    {
        var found = new List<(int Index, int Place)>();
        for (var i = 0; i + FrameLength - Mixed <= _played.Count; i++)
        {
            if (!_known.TryGetValue((_played[i], _played[i + 1], i + 2 < _played.Count ? _played[i + 2] : (short)0), out var index)) continue;

            var samples = (frame ?? Voice)(index);
            var isWhole = true;
            for (var k = Mixed; k < FrameLength && isWhole; k++) isWhole = _played[i + k - Mixed] == samples[k];
            if (isWhole) found.Add((index, i - Mixed));
        }

        return found;
    }

    private void Put(Packet packet, Instant arrival) => Buffer.Put(new()
    {
        Arrival = arrival,
        Ssrc = packet.Ssrc,
        Sequence = 65_536 + packet.Sequence,
        Run = 0,
        Timestamp = packet.Timestamp,
        Format = packet.Format,
        Payload = packet.Payload,
        Packet = packet.Payload,
    });

    private sealed record Packet(PayloadFormat Format, int Sequence, uint Timestamp, byte[] Payload, uint Ssrc);
}
