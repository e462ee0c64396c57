namespace SipNat.Sip.Sdp;

/// <summary>Holds an answer against its offer (RFC 3264 §6).</summary>
public static class AnswerRules
{
    /// <summary>The first rule that the answer breaks, m-line by m-line.</summary>
    public static AnswerViolation Find(SdpSession offer, SdpSession answer)
    {
        if (offer.Media.Count != answer.Media.Count) return AnswerViolation.MediaCount;

        for (var index = 0; index < offer.Media.Count; index++)
        {
            var violation = Find(offer, offer.Media[index], answer, answer.Media[index]);
            if (violation is not AnswerViolation.None) return violation;
        }

        return AnswerViolation.None;
    }

    /// <summary>
    /// The rules of RFC 3264 and those that an answer of ours keeps beyond them: no format that was not offered, every
    /// label returned (recording clients are seen that send nothing without it).
    /// </summary>
    internal static AnswerViolation FindInOwn(SdpSession offer, SdpSession answer)
    {
        var violation = Find(offer, answer);
        if (violation is not AnswerViolation.None) return violation;

        foreach (var (offered, answered) in offer.Media.Zip(answer.Media))
        {
            if (offered.Label != answered.Label) return AnswerViolation.Label;
            if (answered.Port == 0) continue;
            if (CryptoSelection.IsSecure(answered.Protocol) && !answered.HasCrypto) return AnswerViolation.Key;
            if (answered.Formats.Except(offered.Formats, StringComparer.Ordinal).Any()) return AnswerViolation.FormatNotOffered;
        }

        return AnswerViolation.None;
    }

    private static AnswerViolation Find(SdpSession offer, SdpMedia offered, SdpSession answer, SdpMedia answered)
    {
        if (!Is(offered.Kind, answered.Kind)) return AnswerViolation.MediaKind;
        if (answered.Port == 0) return AnswerViolation.None;
        if (offered.Port == 0) return AnswerViolation.RefusedMediaRevived;
        if (!Is(offered.Protocol, answered.Protocol)) return AnswerViolation.Protocol;
        if (!offered.Formats.Intersect(answered.Formats, StringComparer.Ordinal).Any()) return AnswerViolation.NoCommonFormat;

        return IsLegal(offer.DirectionOf(offered), answer.DirectionOf(answered)) ? AnswerViolation.None : AnswerViolation.Direction;
    }

    // RFC 3264 §6.1: whoever answers sends only what the other receives, and the other way round.
    private static bool IsLegal(SdpDirection offered, SdpDirection answered) =>
        (offered.Receives || !answered.Sends) && (offered.Sends || !answered.Receives);

    private static bool Is(string left, string right) => string.Equals(left, right, StringComparison.OrdinalIgnoreCase);
}

/// <summary>How an answer departs from its offer (RFC 3264 §6).</summary>
public enum AnswerViolation
{
    None,
    MediaCount,
    MediaKind,
    Protocol,
    RefusedMediaRevived,
    NoCommonFormat,
    FormatNotOffered,
    Direction,
    Label,

    /// <summary>RTP/SAVP or RTP/SAVPF without a key (RFC 4568 §5.1.2).</summary>
    Key,
}
