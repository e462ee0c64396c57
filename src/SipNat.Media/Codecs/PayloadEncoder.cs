using System.Diagnostics;

namespace SipNat.Media.Codecs;

/// <summary>Encodes RTP payloads of a codec that needs no library: G.711, G.722, or L16 of one channel.</summary>
public sealed class PayloadEncoder : IAudioEncoder
{
    private readonly Kind _kind;
    private readonly G722Encoder? _g722;

    private PayloadEncoder(Kind kind, int clockRate)
    {
        (_kind, ClockRate) = (kind, clockRate);
        if (kind is Kind.G722) _g722 = new();
    }

    private enum Kind
    {
        Pcmu,
        Pcma,
        G722,
        L16,
    }

    public int ClockRate { get; }

    public int SampleRate => _kind is Kind.G722 ? 2 * ClockRate : ClockRate;

    /// <summary>An encoder for a codec by its rtpmap (RFC 8866 §6.6); null where there is none.</summary>
    public static PayloadEncoder? Of(ReadOnlySpan<char> encodingName, int clockRate, int channels)
    {
        // What can be decoded can be encoded, but for stereo.
        if (channels != 1 || PayloadDecoder.Of(encodingName, clockRate, channels) is null) return null;
        if (encodingName.Equals("L16", StringComparison.OrdinalIgnoreCase)) return new(Kind.L16, clockRate);
        if (encodingName.Equals("G722", StringComparison.OrdinalIgnoreCase)) return new(Kind.G722, clockRate);

        return new(encodingName.Equals("PCMU", StringComparison.OrdinalIgnoreCase) ? Kind.Pcmu : Kind.Pcma, clockRate);
    }

    public bool CanEncode(int samples) => samples > 0 && samples % 2 == 0;

    public int MaxPayload(int samples) => _kind switch
    {
        Kind.G722 => samples / 2,
        Kind.L16 => samples * L16.BytesPerSample,
        _ => samples,
    };

    public int Encode(ReadOnlySpan<short> samples, Span<byte> payload)
    {
        switch (_kind)
        {
            case Kind.Pcmu:
                G711.Encode(AudioCodec.Pcmu, samples, payload);
                break;
            case Kind.Pcma:
                G711.Encode(AudioCodec.Pcma, samples, payload);
                break;
            case Kind.G722:
                _g722!.Encode(samples, payload);
                break;
            case Kind.L16:
                L16.Encode(samples, payload);
                break;
            default:
                throw new UnreachableException();
        }

        return MaxPayload(samples.Length);
    }

    public void Dispose()
    {
    }
}
