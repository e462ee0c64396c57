using SipNat.Archive.Documents;
using SipNat.Archive.Index;
using SipNat.Media.Codecs;

namespace SipNat.Archive.Export;

/// <summary>
/// Which decoder is for which payload type of a file of kept packets: the file's own codec for the type of its first
/// packet, which is the one that began the file, and those of RFC 3551 §6 that mean the same without a word in SDP.
/// </summary>
internal sealed class PacketCodecs : IDisposable
{
    private const int UsualClockRate = 8000;
    private const int G729PayloadType = 18;

    private readonly IAudioDecoder?[] _decoders = new IAudioDecoder?[128];

    public PacketCodecs(RecordedFile file, int firstPayloadType, CodecRegistry codecs)
    {
        for (var payloadType = 0; payloadType < _decoders.Length; payloadType++) _decoders[payloadType] = PayloadDecoder.OfStatic(payloadType);
        _decoders[G729PayloadType] = codecs.TryCreateDecoder("G729", UsualClockRate, 1);

        // A recording of an earlier version does not say the rate: L16 is then decoded by its payload type alone.
        var isLinear = string.Equals(file.Codec, "L16", StringComparison.OrdinalIgnoreCase);
        var isSilentOnCodec = file.Codec == InterruptedRecovery.UnknownCodec || (isLinear && file.ClockRate is null);
        if (isSilentOnCodec) return;

        _decoders[firstPayloadType]?.Dispose();
        var (clockRate, channels) = (file.ClockRate ?? UsualClockRate, file.Channels ?? 1);
        _decoders[firstPayloadType] = PayloadDecoder.Of(file.Codec, clockRate, channels) ?? codecs.TryCreateDecoder(file.Codec, clockRate, channels);
    }

    /// <summary>The decoder of a payload type, 0–127; null where there is none.</summary>
    public IAudioDecoder? this[int payloadType] => _decoders[payloadType];

    public void Dispose()
    {
        foreach (var decoder in _decoders) decoder?.Dispose();
    }
}
