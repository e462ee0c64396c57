using SipNat.Media.Codecs;

namespace SipNat.Server.Codecs;

/// <summary>Opus (RFC 6716, RFC 7587), decoded to one channel of 48 kHz by libopus.</summary>
internal sealed class OpusDecoder : IAudioDecoder
{
    public const int Rate = 48_000;

    // 2.5 ms: what libopus makes up is a multiple of it.
    private const int Step = Rate / 400;

    // A packet that says that nothing follows for a while (RFC 6716 §2.1.9).
    private const int LongestSilence = 2;

    private readonly LibOpus.Decoder _decoder = LibOpus.CreateDecoder(Rate, 1, out _);

    public int ClockRate => Rate;

    public int SampleRate => Rate;

    public bool FillsPauses { get; private set; }

    public int SamplesOf(ReadOnlySpan<byte> payload) => payload.IsEmpty ? 0 : Math.Max(0, LibOpus.SamplesOf(payload, payload.Length, Rate));

    public int Decode(ReadOnlySpan<byte> payload, Span<short> samples)
    {
        var count = SamplesOf(payload);
        FillsPauses = payload.Length <= LongestSilence;
        var decoded = LibOpus.Decode(_decoder, payload, payload.Length, samples, count, 0);
        if (decoded >= 0) return decoded;

        // A damaged packet lasts as long as its first byte says.
        samples[..count].Clear();
        return count;
    }

    public int Conceal(ReadOnlySpan<byte> next, Span<short> samples)
    {
        var count = samples.Length - (samples.Length % Step);
        if (count == 0) return 0;

        // The next packet may repeat this one (RFC 6716 §2.1.7); without it the decoder goes on as it was.
        var made = LibOpus.Decode(_decoder, next, next.Length, samples, count, next.IsEmpty ? 0 : 1);
        return Math.Max(0, made);
    }

    public void Dispose() => _decoder.Dispose();
}
