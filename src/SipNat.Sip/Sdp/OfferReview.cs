namespace SipNat.Sip.Sdp;

/// <summary>What each m-line of an offer comes to, in order; made from an offer, or from our offer and the peer's answer.</summary>
public sealed record OfferReview(SdpSession Offer, IReadOnlyList<MediaReview> Media)
{
    /// <summary>How the peer's answer breaks RFC 3264; always None for an offer.</summary>
    public AnswerViolation Violation { get; init; }

    public IEnumerable<AcceptedMedia> Accepted => Media.OfType<AcceptedMedia>();

    public IEnumerable<RejectedMedia> Rejected => Media.OfType<RejectedMedia>();
}
