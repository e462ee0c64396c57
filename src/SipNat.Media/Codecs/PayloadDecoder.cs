namespace SipNat.Media.Codecs;

/// <summary>
/// Decodes RTP payloads of a codec that needs no library, G.711, G.722 or L16, to one channel of 16-bit samples. State of one
/// stream; nothing is allocated.
/// </summary>
public sealed class PayloadDecoder : IAudioDecoder
{
    private const int StereoPayloadType = 10;
    private const int MonoPayloadType = 11;
    private const int G722PayloadType = 9;
    private const int L16StaticRate = 44_100;

    // RFC 3551 §4.1, without those that no audio device has.
    private static readonly int[] LinearRates = [8000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000];

    private readonly Kind _kind;
    private readonly int _channels;
    private readonly G722Decoder? _g722;

    private PayloadDecoder(Kind kind, int clockRate, int channels)
    {
        (_kind, ClockRate, _channels) = (kind, clockRate, channels);
        if (kind is Kind.G722) _g722 = new();
    }

    private enum Kind
    {
        Pcmu,
        Pcma,
        G722,
        L16,
    }

    /// <summary>RTP timestamp units per second.</summary>
    public int ClockRate { get; }

    /// <summary>Noise has a payload of its own beside these codecs (RFC 3389).</summary>
    public bool FillsPauses => false;

    /// <summary>Samples per second: of G.722 twice the clock rate (RFC 3551 §4.5.2).</summary>
    public int SampleRate => _kind is Kind.G722 ? 2 * ClockRate : ClockRate;

    /// <summary>A decoder for a codec by its rtpmap (RFC 8866 §6.6); null where there is none.</summary>
    /// <param name="channels">L16 has one or two, which are mixed; the others have one.</param>
    public static PayloadDecoder? Of(ReadOnlySpan<char> encodingName, int clockRate, int channels)
    {
        if (encodingName.Equals("L16", StringComparison.OrdinalIgnoreCase))
        {
            return channels is 1 or 2 && LinearRates.Contains(clockRate) ? new(Kind.L16, clockRate, channels) : null;
        }

        if (clockRate != AudioCodec.Pcmu.ClockRate || channels != 1) return null;
        if (encodingName.Equals("G722", StringComparison.OrdinalIgnoreCase)) return new(Kind.G722, clockRate, 1);

        return AudioCodecs.TryParse(encodingName, out var codec) ? OfStatic(codec.StaticPayloadType) : null;
    }

    /// <summary>A decoder for a payload type that means the same without an rtpmap (RFC 3551 §6); null for all others.</summary>
    public static PayloadDecoder? OfStatic(int payloadType) => payloadType switch
    {
        0 => new(Kind.Pcmu, AudioCodec.Pcmu.ClockRate, 1),
        8 => new(Kind.Pcma, AudioCodec.Pcma.ClockRate, 1),
        G722PayloadType => new(Kind.G722, AudioCodec.Pcmu.ClockRate, 1),
        StereoPayloadType => new(Kind.L16, L16StaticRate, 2),
        MonoPayloadType => new(Kind.L16, L16StaticRate, 1),
        _ => null,
    };

    public int SamplesOf(ReadOnlySpan<byte> payload) => SamplesOf(payload.Length);

    /// <summary>How many samples a payload of so many bytes decodes to.</summary>
    public int SamplesOf(int payloadLength) => _kind switch
    {
        Kind.G722 => 2 * payloadLength,
        Kind.L16 => payloadLength / (L16.BytesPerSample * _channels),
        _ => payloadLength,
    };

    /// <summary>Decodes a payload and returns how many samples that gave.</summary>
    /// <param name="samples">Room for one sample of each channel of L16, for as many as come out of the others.</param>
    public int Decode(ReadOnlySpan<byte> payload, Span<short> samples)
    {
        switch (_kind)
        {
            case Kind.G722:
                _g722!.Decode(payload, samples);
                break;
            case Kind.L16:
                L16.Decode(payload, samples);
                if (_channels == 2) Mix(samples[..(2 * SamplesOf(payload.Length))]);
                break;
            default:
                G711.Decode(_kind is Kind.Pcmu ? AudioCodec.Pcmu : AudioCodec.Pcma, payload, samples);
                break;
        }

        return SamplesOf(payload.Length);
    }

    /// <summary>None of these codecs has a concealment of its own.</summary>
    public int Conceal(ReadOnlySpan<byte> next, Span<short> samples) => 0;

    public void Dispose()
    {
    }

    // The mean of left and right, in place.
    private static void Mix(Span<short> samples)
    {
        for (var i = 0; i < samples.Length / 2; i++) samples[i] = (short)((samples[2 * i] + samples[(2 * i) + 1]) >> 1);
    }
}
