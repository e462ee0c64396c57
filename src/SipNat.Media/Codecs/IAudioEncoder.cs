namespace SipNat.Media.Codecs;

/// <summary>Encodes one channel of 16-bit samples to RTP payloads. It has state; nothing is allocated after set-up.</summary>
public interface IAudioEncoder : IDisposable
{
    /// <summary>RTP timestamp units per second.</summary>
    int ClockRate { get; }

    /// <summary>Samples per second; not always the clock rate (RFC 3551 §4.5.2).</summary>
    int SampleRate { get; }

    /// <summary>Whether a packet may have so many samples.</summary>
    bool CanEncode(int samples);

    /// <summary>Encodes the samples of one packet and returns how many bytes that gave; 0 where there is nothing to send.</summary>
    /// <param name="samples">So many that <see cref="CanEncode"/> is true.</param>
    /// <param name="payload">Room for <see cref="MaxPayload"/> of so many samples.</param>
    int Encode(ReadOnlySpan<short> samples, Span<byte> payload);

    /// <summary>The most bytes that so many samples are encoded to.</summary>
    int MaxPayload(int samples);
}
