using SipNat.Media.Codecs;

namespace SipNat.Server.Codecs;

/// <summary>G.729 with Annex B (RFC 3551 §4.5.6), decoded by libbcg729: frames of 10 ms, the last of which may be silence.</summary>
internal sealed class G729Decoder : IAudioDecoder
{
    public const int Rate = 8000;
    public const int FrameSamples = 80;
    public const int FrameLength = 10;
    private const int SilenceLength = 2;

    private readonly LibBcg729.Decoder _decoder = LibBcg729.CreateDecoder();

    public int ClockRate => Rate;

    public int SampleRate => Rate;

    public bool FillsPauses { get; private set; }

    public int SamplesOf(ReadOnlySpan<byte> payload) => (payload.Length % FrameLength) switch
    {
        0 => payload.Length / FrameLength * FrameSamples,
        SilenceLength => ((payload.Length / FrameLength) + 1) * FrameSamples,
        _ => 0,
    };

    public int Decode(ReadOnlySpan<byte> payload, Span<short> samples)
    {
        var count = SamplesOf(payload);
        for (var at = 0; at < count; at += FrameSamples)
        {
            var frame = payload[..Math.Min(payload.Length, FrameLength)];
            FillsPauses = frame.Length == SilenceLength;
            LibBcg729.Decode(_decoder, frame, (byte)frame.Length, 0, FillsPauses ? (byte)1 : (byte)0, 0, samples.Slice(at, FrameSamples));
            payload = payload[frame.Length..];
        }

        return count;
    }

    public int Conceal(ReadOnlySpan<byte> next, Span<short> samples)
    {
        var count = samples.Length - (samples.Length % FrameSamples);
        for (var at = 0; at < count; at += FrameSamples) LibBcg729.Decode(_decoder, [], 0, 1, 0, 0, samples.Slice(at, FrameSamples));
        return count;
    }

    public void Dispose() => _decoder.Dispose();
}
