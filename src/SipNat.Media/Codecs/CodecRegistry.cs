namespace SipNat.Media.Codecs;

/// <summary>The codecs of calls: those that need no library, and those that the owner of libraries adds.</summary>
public sealed class CodecRegistry
{
    /// <summary>What a tick of a call lasts at least is a whole number of samples: 10 ms.</summary>
    private const int TicksPerSecond = 100;

    private readonly IReadOnlyList<AddedCodec> _added;

    private CodecRegistry(IReadOnlyList<AddedCodec> added) => _added = added;

    /// <summary>PCMU, PCMA, G722 and L16.</summary>
    public static CodecRegistry BuiltIn { get; } = new([]);

    /// <summary>The codecs that were added, in their order.</summary>
    public IReadOnlyList<AddedCodec> Added => _added;

    public CodecRegistry With(AddedCodec codec) => new([.. _added, codec]);

    /// <summary>A decoder for one stream by its rtpmap (RFC 8866 §6.6); null for a codec that is not known.</summary>
    public IAudioDecoder? TryCreateDecoder(string encodingName, int clockRate, int channels) =>
        Find(encodingName, clockRate, channels) is { } added ? added.CreateDecoder()
        : IsUsable(clockRate) ? PayloadDecoder.Of(encodingName, clockRate, channels)
        : null;

    /// <summary>An encoder for one stream by its rtpmap; null for a codec that is not known.</summary>
    public IAudioEncoder? TryCreateEncoder(string encodingName, int clockRate, int channels) =>
        Find(encodingName, clockRate, channels) is { } added ? added.CreateEncoder()
        : IsUsable(clockRate) ? PayloadEncoder.Of(encodingName, clockRate, channels)
        : null;

    private static bool IsUsable(int clockRate) => clockRate % TicksPerSecond == 0;

    private AddedCodec? Find(string encodingName, int clockRate, int channels) => _added.FirstOrDefault(c =>
        c.ClockRate == clockRate && c.Channels == channels && string.Equals(c.EncodingName, encodingName, StringComparison.OrdinalIgnoreCase));
}

/// <summary>A codec that is made elsewhere.</summary>
/// <param name="EncodingName">As in an rtpmap; case does not matter.</param>
/// <param name="ClockRate">RTP timestamp units per second.</param>
/// <param name="Channels">As in an rtpmap: Opus always says 2 (RFC 7587 §7).</param>
public sealed record AddedCodec(
    string EncodingName, int ClockRate, int Channels, Func<IAudioDecoder> CreateDecoder, Func<IAudioEncoder> CreateEncoder);
