using SipNat.Media.Codecs;

namespace SipNat.Server.Codecs;

/// <summary>G.729 (RFC 3551 §4.5.6), encoded by libbcg729. Silence is sent as speech: who sends nothing is hung up on.</summary>
internal sealed class G729Encoder : IAudioEncoder
{
    private readonly LibBcg729.Encoder _encoder = LibBcg729.CreateEncoder(detectsSilence: 0);

    public int ClockRate => G729Decoder.Rate;

    public int SampleRate => G729Decoder.Rate;

    public bool CanEncode(int samples) => samples > 0 && samples % G729Decoder.FrameSamples == 0;

    public int MaxPayload(int samples) => samples / G729Decoder.FrameSamples * G729Decoder.FrameLength;

    public int Encode(ReadOnlySpan<short> samples, Span<byte> payload)
    {
        var written = 0;
        for (; samples.Length >= G729Decoder.FrameSamples; samples = samples[G729Decoder.FrameSamples..])
        {
            LibBcg729.Encode(_encoder, samples[..G729Decoder.FrameSamples], payload[written..], out var length);
            written += length;
        }

        return written;
    }

    public void Dispose() => _encoder.Dispose();
}
