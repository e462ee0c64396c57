using System.Diagnostics;
using System.Globalization;
using SipNat.Wire;

namespace SipNat.Sip.Sdp;

/// <summary>
/// The offers and answers of one dialog (RFC 3264), for a recorder, which sends no audio, and for calls. Reviewing
/// changes nothing, so a refused offer leaves the session as it was (RFC 3264 §8); each description that is handed
/// out becomes <see cref="LocalDescription"/>.
/// </summary>
/// <param name="sessionId">The number in <c>o=</c>, the same for the whole dialog.</param>
/// <param name="supported">What is taken.</param>
/// <param name="origin">
/// The address in <c>o=</c>; "none" leaves it to the first description that has a medium. It never changes afterwards.
/// </param>
public sealed class OfferAnswer(ulong sessionId, SdpCapabilities supported, TransportAddress origin = default)
{
    private static readonly SdpAttribute IceLite = new("ice-lite");

    private TransportAddress _origin = origin;
    private ulong _version;

    /// <summary>Our last description, offer or answer; null before the first.</summary>
    public SdpSession? LocalDescription { get; private set; }

    /// <summary>What comes of each m-line of the peer's offer.</summary>
    /// <param name="wanted">What we would do: receive, and send where audio is ours to send; inactive while recording is paused.</param>
    public OfferReview Review(SdpSession offer, SdpDirection wanted = SdpDirection.RecvOnly) => OfferReviewer.Review(offer, supported, wanted);

    /// <summary>
    /// Our answer: the m-lines of the offer in its order, refused where the review refuses or where
    /// <paramref name="local"/> has no sockets for them.
    /// </summary>
    /// <exception cref="InvalidOperationException">The answer would break RFC 3264: our own bug.</exception>
    public SdpSession Answer(OfferReview review, IReadOnlyList<LocalMedia> local)
    {
        var media = new List<SdpMedia>(review.Media.Count);
        foreach (var verdict in review.Media)
        {
            var offered = review.Offer.Media[verdict.Index];
            media.Add(verdict is AcceptedMedia accepted && SocketsOf(local, accepted.Index) is { } sockets
                ? LocalMediaWriter.Accept(offered, accepted, sockets)
                : LocalMediaWriter.Refuse(offered));
        }

        var answer = Describe(media, local);
        var violation = AnswerRules.FindInOwn(review.Offer, answer);
        if (violation is not AnswerViolation.None) throw new InvalidOperationException($"The answer breaks RFC 3264: {violation}.");

        return Commit(answer);
    }

    /// <summary>
    /// Our offer. The first has one audio m-line for each of <paramref name="local"/>, in order of index and without
    /// labels, which are the recording client's to give (RFC 7866 §7.1.1). A later one repeats the m-lines of the
    /// session with the given sockets; a stream without sockets is offered with port 0.
    /// </summary>
    public SdpSession Offer(IReadOnlyList<LocalMedia> local, SdpDirection wanted = SdpDirection.RecvOnly)
    {
        if (LocalDescription is not { } last)
        {
            var first = local.OrderBy(m => m.Index).Select(m => LocalMediaWriter.Offer(supported, m, wanted));
            return Commit(Describe([.. first], local));
        }

        if (local.Any(m => m.Index >= last.Media.Count)) throw new ArgumentException("The session has no such m-line.", nameof(local));

        var again = last.Media.Select((media, index) => media.Port != 0 && SocketsOf(local, index) is { } sockets
            ? LocalMediaWriter.OfferAgain(media, sockets, wanted)
            : LocalMediaWriter.Refuse(media));
        return Commit(Describe([.. again], local));
    }

    /// <summary>What comes of each m-line of our offer by the peer's answer, and what rule the answer breaks.</summary>
    public OfferReview ReviewAnswer(SdpSession offer, SdpSession answer, SdpDirection wanted = SdpDirection.RecvOnly) =>
        OfferReviewer.ReviewAnswer(offer, answer, supported, wanted);

    // A lite agent is one for the whole session (RFC 8839 §5.3), whichever stream says so.
    private static SdpSession Describe(List<SdpMedia> media, IReadOnlyList<LocalMedia> local)
    {
        if (!media.Exists(m => m.Attributes.Has(IceLite.Name))) return DescribeConnections(media, local);

        var without = media.ConvertAll(m => m with { Attributes = [.. m.Attributes.Where(a => a.Name != IceLite.Name)] });
        return DescribeConnections(without, local) with { Attributes = [IceLite] };
    }

    // One address for all streams stands at the session alone, so that no second c= can disagree with it. Where they
    // differ each stream has its own and the session none.
    private static SdpSession DescribeConnections(List<SdpMedia> media, IReadOnlyList<LocalMedia> local)
    {
        var used = media.Where(m => m.Port != 0).Select(m => m.Connection).Distinct().ToList();
        if (used.Count > 1)
        {
            return new() { Media = [.. media.Select(m => m with { Connection = m.Connection ?? used[0] })] };
        }

        var connection = used is [{ } only] ? only : SdpConnection.From(local is [var first, ..] ? first.Rtp : default);
        return new() { Connection = connection, Media = [.. media.Select(m => m with { Connection = null })] };
    }

    // The version grows by one whenever anything but the version differs (RFC 3264 §8), and only then.
    private SdpSession Commit(SdpSession description)
    {
        if (_origin.IsNone) _origin = description.Media.Select(m => m.RtpAddress(description.ConnectionOf(m))).FirstOrDefault(a => a is not null) ?? default;

        var same = description with { Origin = OriginOf(_version) };
        if (LocalDescription is { } last && SdpWriter.WriteText(last) == SdpWriter.WriteText(same)) return last;

        LocalDescription = description with { Origin = OriginOf(++_version) };
        return LocalDescription;
    }

    private SdpOrigin OriginOf(ulong version) =>
        new("sipnat", Text(sessionId), Text(version), SdpConnection.From(_origin));

    private static string Text(ulong number) => number.ToString(CultureInfo.InvariantCulture);

    private static LocalMedia? SocketsOf(IReadOnlyList<LocalMedia> local, int index)
    {
        foreach (var media in local)
        {
            if (media.Index != index) continue;

            Debug.Assert(!media.Rtp.IsNone && media.Rtp.Port != 0, "A stream that is accepted has an address and a port.");
            return media;
        }

        return null;
    }
}
