using SipNat.Fuzz.Engine;
using SipNat.Media.Codecs;
using SipNat.Media.Playout;
using SipNat.Media.Streams;
using SipNat.Wire;

namespace SipNat.Fuzz.Targets;

/// <summary>A jitter buffer with packets of every kind, at any time and with any number, and a player that never waits.</summary>
internal sealed class PlayoutTarget : IFuzzTarget
{
    private const int MaxPayload = 400;
    private static readonly int[] Rates = [8000, 16_000, 44_100, 48_000];

    private static readonly PayloadFormat[] Formats =
    [
        PayloadFormat.Audio(AudioCodec.Pcmu), PayloadFormat.Packets("G722", 8000), PayloadFormat.Packets("L16", 44_100, 2), PayloadFormat.Packets("L16", 48_000),
        PayloadFormat.ComfortNoise, PayloadFormat.TelephoneEvent, PayloadFormat.TelephoneEvent with { ClockRate = 48_000 }, PayloadFormat.Packets("none", 90_000),
    ];

    public string Name => "playout";

    public string Promise => "each block is filled in bounded time; no more is played than was put in";

    public int MaxLength => 4096;

    public IReadOnlyList<byte[]> Tokens => [];

    public IEnumerable<byte[]> Seeds(Corpus corpus) => Script.Seeds(32, 1024);

    // Tables of conversions and room for the longest packets.
    public long AllowedBytes(int inputLength) => 64L * 1024 * 1024;

    public int Run(ReadOnlySpan<byte> input)
    {
        var script = new Script(input);
        var rate = Rates[script.Next(Rates.Length)];
        using var buffer = new PlayoutBuffer(CodecRegistry.BuiltIn, rate, new());
        var block = new short[rate / 50];
        var payload = new byte[MaxPayload];
        var (now, sequence, timestamp, ssrc, put) = (new Instant(TimeSpan.TicksPerHour), 65_536L, 0u, 0u, 0L);
        while (!script.IsOver)
        {
            switch (script.Next(8))
            {
                case 0:
                    (sequence, timestamp) = (sequence + script.NextByte() - 100, timestamp + script.NextUInt32());
                    break;
                case 1:
                    ssrc = script.NextByte();
                    break;
                case 2:
                    buffer.Skip(TimeSpan.FromMilliseconds(script.NextUInt16()));
                    break;
                case 3 or 4:
                    now += TimeSpan.FromMilliseconds(20);
                    buffer.Take(now, block);
                    break;
                default:
                    put++;
                    Put(buffer, now + TimeSpan.FromMilliseconds(script.NextByte() - 128), Formats[script.Next(Formats.Length)], sequence++, timestamp, ssrc, payload.AsSpan(0, script.NextByte()));
                    timestamp += 160;
                    break;
            }
        }

        for (var i = 0; i < 100; i++, now += TimeSpan.FromMilliseconds(20)) buffer.Take(now, block);
        var counts = buffer.Counts;
        Invariant.Holds(counts.Played + counts.Undecoded <= put && counts.Late <= put, "No more is played than was put in.", counts.ToString());
        return HashCode.Combine(counts.Played > 0, counts.Late > 0, counts.Undecoded > 0, counts.Skipped > 0, counts.ConcealedSamples > 0, counts.InsertedSamples > 0, counts.ComfortNoise > 0, Math.Min(counts.Restarts, 3));
    }

    private static void Put(PlayoutBuffer buffer, Instant arrival, PayloadFormat format, long sequence, uint timestamp, uint ssrc, ReadOnlySpan<byte> payload) => buffer.Put(new()
    {
        Arrival = arrival,
        Ssrc = ssrc,
        Sequence = sequence,
        Run = 0,
        Timestamp = timestamp,
        Format = format,
        Payload = payload,
        Packet = payload,
    });
}
