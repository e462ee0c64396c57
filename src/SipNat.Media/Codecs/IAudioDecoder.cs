namespace SipNat.Media.Codecs;

/// <summary>
/// Decodes the RTP payloads of one stream to one channel of 16-bit samples, in the order in which they are played. It has
/// state; nothing is allocated after set-up, and no payload makes it throw.
/// </summary>
public interface IAudioDecoder : IDisposable
{
    /// <summary>RTP timestamp units per second.</summary>
    int ClockRate { get; }

    /// <summary>Samples per second; not always the clock rate (RFC 3551 §4.5.2).</summary>
    int SampleRate { get; }

    /// <summary>
    /// The sender is silent and has described its background noise, which <see cref="Conceal"/> gives until the next packet.
    /// </summary>
    bool FillsPauses { get; }

    /// <summary>How many samples a payload decodes to; 0 for one that holds no audio.</summary>
    int SamplesOf(ReadOnlySpan<byte> payload);

    /// <summary>Decodes a payload and returns how many samples that gave.</summary>
    /// <param name="samples">Room for <see cref="SamplesOf"/>, and of L16 for one of each channel.</param>
    int Decode(ReadOnlySpan<byte> payload, Span<short> samples);

    /// <summary>
    /// Makes up what was lost, by what the codec knows of the stream; returns how many samples that gave, and 0 where the
    /// codec has no concealment of its own.
    /// </summary>
    /// <param name="next">The payload that follows the lost one, as some codecs repeat a frame in the next; may be empty.</param>
    /// <param name="samples">How much is missing.</param>
    int Conceal(ReadOnlySpan<byte> next, Span<short> samples);
}
