using SipNat.Media.Codecs;

namespace SipNat.Server.Codecs;

/// <summary>Opus (RFC 6716, RFC 7587), encoded from one channel of 48 kHz by libopus.</summary>
internal sealed class OpusEncoder : IAudioEncoder
{
    // RFC 6716 §3.4: no frame is longer. What is sent stays well below a datagram.
    private const int MaxLength = 1275;

    // Per cent that the encoder reckons with, so that a packet repeats the one before.
    private const int ExpectedLoss = 5;

    private readonly LibOpus.Encoder _encoder;

    public OpusEncoder()
    {
        _encoder = LibOpus.CreateEncoder(OpusDecoder.Rate, 1, LibOpus.Voice, out _);
        _ = LibOpus.Control(_encoder, LibOpus.SetForwardErrorCorrection, 1);
        _ = LibOpus.Control(_encoder, LibOpus.SetExpectedLoss, ExpectedLoss);
    }

    public int ClockRate => OpusDecoder.Rate;

    public int SampleRate => OpusDecoder.Rate;

    // 10, 20, 40 and 60 ms (RFC 6716 §2.1.4).
    public bool CanEncode(int samples) => samples is 480 or 960 or 1920 or 2880;

    public int MaxPayload(int samples) => MaxLength;

    public int Encode(ReadOnlySpan<short> samples, Span<byte> payload) =>
        Math.Max(0, LibOpus.Encode(_encoder, samples, samples.Length, payload, Math.Min(payload.Length, MaxLength)));

    public void Dispose() => _encoder.Dispose();
}
