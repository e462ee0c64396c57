using SipNat.Fuzz.Engine;
using SipNat.Media.Codecs;
using SipNat.Media.RtpDump;

namespace SipNat.Fuzz.Targets;

/// <summary>Audio of packets: a byte that chooses codec and rates, a byte for how long a packet is, and the payloads.</summary>
internal sealed class PayloadTarget : IFuzzTarget
{
    private static readonly int[] PayloadTypes = [0, 8, 9, 10, 11];
    private static readonly int[] Rates = [8000, 16_000, 44_100, 48_000];

    public string Name => "payload";

    public string Promise => "a payload decodes to as many samples as it should; placed audio ends where it should; resampling fits its room";

    public int MaxLength => 2048;

    public IReadOnlyList<byte[]> Tokens { get; } = [[0xFF, 0xFF, 0xFF, 0xFF], [0x7F, 0xFF, 0x80, 0x00], [0, 0, 0, 0]];

    public IEnumerable<byte[]> Seeds(Corpus corpus) =>
        PayloadTypes.Select((_, i) => (byte[])[(byte)i, 40, .. Enumerable.Range(0, 400).Select(k => (byte)(k * 37))]);

    // The widest table of the resampler is made for 8 to 44.1 kHz.
    public long AllowedBytes(int inputLength) => (512 * 1024) + (64L * inputLength);

    public int Run(ReadOnlySpan<byte> input)
    {
        if (input.Length < 2) return -1;

        var decoder = PayloadDecoder.OfStatic(PayloadTypes[input[0] % PayloadTypes.Length])!;
        var resampler = new Resampler(decoder.SampleRate, Rates[(input[0] >> 4) % Rates.Length]);
        var placement = new PacketPlacement(decoder.ClockRate, decoder.SampleRate);
        var length = input[1] + 1;
        var (samples, output) = (new short[2 * length], new short[resampler.MaxOutput(2 * length)]);
        var (total, made) = (0L, 0L);
        for (var rest = input[2..]; !rest.IsEmpty; rest = rest[Math.Min(length, rest.Length)..])
        {
            var payload = rest[..Math.Min(length, rest.Length)];
            var count = decoder.Decode(payload, samples);
            Invariant.Holds(count == decoder.SamplesOf(payload.Length) && count <= samples.Length, "A payload has the samples that its length says.");
            made += resampler.Process(samples.AsSpan(0, count), output);
            total += count;

            // Arrival and timestamp are as wild as the payload.
            var before = placement.End;
            var place = placement.Place((uint)payload[0] << 8, payload[^1] % 3u, (uint)payload[0] << 24, count);
            Invariant.Holds(place >= 0 && placement.End == Math.Max(before, place + count), "Placed audio ends where it should.");
        }

        Invariant.Holds(made <= resampler.MaxOutput((int)total), "No more comes out than the ratio gives.");
        return HashCode.Combine(decoder.SampleRate, length / 32, made > 0);
    }
}
