namespace SipNat.Sip.Sdp;

public sealed class OfferAnswer(ulong sessionId, SdpCapabilities supported)
{
    public SdpSession? LocalDescription { get; private set; }
    public OfferReview Review(SdpSession offer, bool paused = false) => throw new NotSupportedException();
    public SdpSession Answer(OfferReview review, IReadOnlyList<LocalMedia> local) => throw new NotSupportedException();
    public SdpSession Offer(IReadOnlyList<LocalMedia> local, bool paused = false) => throw new NotSupportedException();
    public OfferReview ReviewAnswer(SdpSession offer, SdpSession answer, bool paused = false) => throw new NotSupportedException($"{sessionId} {supported}");
}
