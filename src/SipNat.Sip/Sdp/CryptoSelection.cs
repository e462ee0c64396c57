namespace SipNat.Sip.Sdp;

/// <summary>Decides whether a medium is encrypted, and by which of its <c>a=crypto</c> lines (RFC 4568 §5.1.2).</summary>
internal static class CryptoSelection
{
    /// <summary>Lines of one medium that are looked at.</summary>
    private const int MaxLines = 32;

    /// <summary>Null where the medium is taken, with the line that was chosen, or none where it is not encrypted.</summary>
    public static MediaRejection? Judge(SdpSession session, SdpMedia media, SdpCapabilities supported, out SdpCrypto? chosen)
    {
        chosen = null;
        if (IsPlain(media.Protocol))
        {
            // A key beside RTP/AVP is no part of RFC 4568: it is taken up only where that was asked for.
            if (supported.Srtp is SrtpMode.BestEffort or SrtpMode.Required) chosen = Choose(media, supported);
            return chosen is null && supported.Srtp is SrtpMode.Required ? MediaRejection.PlainTransport : null;
        }

        if (!IsSecure(media.Protocol))
        {
            return media.Protocol.Contains("TLS", StringComparison.OrdinalIgnoreCase) ? MediaRejection.DtlsTransport : MediaRejection.UnsupportedTransport;
        }

        if (supported.Srtp is SrtpMode.Off) return MediaRejection.SecureTransport;
        if (!media.HasCrypto) return session.HasFingerprint(media) ? MediaRejection.DtlsTransport : MediaRejection.NoKey;

        chosen = Choose(media, supported);
        return chosen is null ? MediaRejection.NoCommonCrypto : null;
    }

    /// <summary>RTP/SAVP and RTP/SAVPF.</summary>
    public static bool IsSecure(string protocol) => Is(protocol, "RTP/SAVP") || Is(protocol, "RTP/SAVPF");

    /// <summary>Whether an answer's line takes up one that was offered: tag and suite are the same (RFC 4568 §5.1.3).</summary>
    public static bool Answers(SdpCrypto answered, SdpMedia offered) =>
        LinesOf(offered).Any(line => line.Tag == answered.Tag && Is(line.Suite, answered.Suite));

    // They are in the order of preference: the first that can be taken is.
    private static SdpCrypto? Choose(SdpMedia media, SdpCapabilities supported) => LinesOf(media).FirstOrDefault(line =>
        line.IsAcceptable
        && supported.CryptoSuites.TryGetValue(line.Suite, out var length)
        && line.Keys.All(key => key.KeyAndSalt.Length == length));

    private static IEnumerable<SdpCrypto> LinesOf(SdpMedia media)
    {
        foreach (var attribute in media.Attributes.Where(a => Is(a.Name, SdpCrypto.AttributeName)).Take(MaxLines))
        {
            if (SdpCryptoReader.TryRead(attribute.Value, out var crypto, out _)) yield return crypto;
        }
    }

    private static bool IsPlain(string protocol) => Is(protocol, "RTP/AVP") || Is(protocol, "RTP/AVPF");

    private static bool Is(string left, string right) => string.Equals(left, right, StringComparison.OrdinalIgnoreCase);
}

/// <summary>How media that are encrypted are treated (RFC 4568).</summary>
public enum SrtpMode
{
    /// <summary>They are refused.</summary>
    Off,

    /// <summary>They are taken where they are offered.</summary>
    Offered,

    /// <summary>The same, and keys that stand beside RTP/AVP are taken up.</summary>
    BestEffort,

    /// <summary>Media without a key are refused; keys that stand beside RTP/AVP are taken up.</summary>
    Required,
}
