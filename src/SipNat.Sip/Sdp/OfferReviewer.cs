using System.Globalization;
using SipNat.Wire;

namespace SipNat.Sip.Sdp;

/// <summary>Decides what comes of each m-line. Pure functions: nothing is remembered.</summary>
internal static class OfferReviewer
{
    // For a description without an address, or with a name: its port is all that is known of where the peer is.
    private static readonly SdpConnection NoAddress = new("IN", "IP4", "0.0.0.0");

    private const int MaxClashes = 8;

    public static OfferReview Review(SdpSession offer, SdpCapabilities supported, SdpDirection wanted) =>
        new(offer, Limit([.. offer.Media.Select((media, index) => ReviewMedia(offer, media, index, supported, wanted))], supported));

    public static OfferReview ReviewAnswer(SdpSession offer, SdpSession answer, SdpCapabilities supported, SdpDirection wanted)
    {
        var media = offer.Media.Select((offered, index) => index < answer.Media.Count
            ? ReviewAnsweredMedia(answer, offered, index, supported, wanted)
            : new RejectedMedia { Index = index, Label = offered.Label, Reason = MediaRejection.NotAnswered });
        return new(offer, [.. media]) { Violation = AnswerRules.Find(offer, answer) };
    }

    // The peer should use the numbers of our offer (RFC 3264 §6.1) and some use their own: both are known afterwards,
    // ours first.
    private static MediaReview ReviewAnsweredMedia(
        SdpSession answer, SdpMedia offered, int index, SdpCapabilities supported, SdpDirection wanted)
    {
        var review = ReviewMedia(answer, answer.Media[index], index, supported, wanted);
        if (offered.Port == 0) return Reject(offered, index, MediaRejection.PortZero);
        if (review is not AcceptedMedia accepted) return review;

        // A key that answers none of ours leaves us without one of our own to send under.
        if (accepted.Crypto is { } crypto && !CryptoSelection.Answers(crypto, offered)) return Reject(offered, index, MediaRejection.KeyNotAnswered);

        // A number of ours that the answer gives to another format is theirs: who answers so sends by it.
        var clashes = ClashesOf(offered, answer.Media[index], supported);
        var ours = FormatsInCommon(offered, supported).FindAll(o => !clashes.Exists(c => c.PayloadType == o.PayloadType) || accepted.PayloadMap.All(t => t.PayloadType != o.PayloadType));
        var theirs = accepted.PayloadMap.Where(m => ours.All(o => o.PayloadType != m.PayloadType));
        return accepted with
        {
            PayloadMap = [.. ours, .. theirs],
            Clashes = [.. accepted.Clashes, .. clashes],
            RtcpMux = offered.RtcpMux && accepted.RtcpMux,
            RemoteRtcp = offered.RtcpMux && accepted.RtcpMux ? accepted.RemoteRtp
                : answer.Media[index].RtcpAddress(answer.ConnectionOf(answer.Media[index])),
        };
    }

    private static MediaReview ReviewMedia(SdpSession session, SdpMedia media, int index, SdpCapabilities supported, SdpDirection wanted)
    {
        if (media.Port == 0) return Reject(media, index, MediaRejection.PortZero);
        if (!media.IsAudio) return Reject(media, index, MediaRejection.UnsupportedMedium);
        if (CryptoSelection.Judge(session, media, supported, out var crypto) is { } reason) return Reject(media, index, reason);

        var formats = FormatsInCommon(media, supported);
        if (HasNoCodec(formats) && supported.KeepsOthers) formats = FormatsToKeep(media);
        if (HasNoCodec(formats)) return Reject(media, index, MediaRejection.NoCommonCodec);

        var connection = session.ConnectionOf(media);
        var isHeld = !session.DirectionOf(media).Sends || connection is { IsUnspecified: true };
        var place = connection?.WithPort(media.Port) is null ? NoAddress : connection;
        return new AcceptedMedia
        {
            Index = index,
            Label = media.Label,
            PayloadMap = formats,
            PeerMap = formats,
            Clashes = ClashesIn(media),
            Direction = DirectionOf(session.DirectionOf(media), connection is { IsUnspecified: true }, wanted),
            RemoteRtp = media.RtpAddress(place),
            RemoteRtcp = media.RtcpMux ? media.RtpAddress(place) : media.RtcpAddress(place),
            SessionConnection = OtherConnection(session, media),
            RtcpMux = media.RtcpMux,
            Ptime = media.Ptime,
            IsHeld = isHeld,
            Crypto = crypto,
            PeerAttributes = [.. session.Attributes, .. media.Attributes],
        };
    }

    private static TransportAddress OtherConnection(SdpSession description, SdpMedia media) =>
        description.Connection?.WithPort(0) is { IsUnspecified: false } session
        && media.Connection?.WithPort(0) is { IsUnspecified: false } own
        && session != own ? session : default;

    // RFC 3264 §6.1: each side does what both want. 0.0.0.0 receives nothing (§8.4), and is an old way to say hold: a
    // recorder, which has nothing to send, takes it for silence of the peer too.
    private static SdpDirection DirectionOf(SdpDirection offered, bool isUnspecified, SdpDirection wanted)
    {
        var sends = wanted.Sends && offered.Receives && !isUnspecified;
        var receives = wanted.Receives && offered.Sends && (wanted.Sends || !isUnspecified);
        return (sends, receives) switch
        {
            (true, true) => SdpDirection.SendRecv,
            (true, false) => SdpDirection.SendOnly,
            (false, true) => SdpDirection.RecvOnly,
            _ => SdpDirection.Inactive,
        };
    }

    // A call has one audio stream: the first that can be taken.
    private static List<MediaReview> Limit(List<MediaReview> media, SdpCapabilities supported)
    {
        var accepted = 0;
        return media.ConvertAll(review => review is not AcceptedMedia || ++accepted <= supported.MaxMedia
            ? review
            : new RejectedMedia { Index = review.Index, Label = review.Label, Reason = MediaRejection.OneTooMany });
    }

    private static RejectedMedia Reject(SdpMedia media, int index, MediaRejection reason) => new()
    {
        Index = index,
        Label = media.Label,
        Reason = reason,
        OfferedFormats = [.. media.Formats.Select(format => PayloadTypeOf(format) is { } pt ? media.RtpmapOf(pt)?.EncodingName ?? format : format)],
    };

    private static List<PayloadMapping> FormatsInCommon(SdpMedia media, SdpCapabilities supported)
    {
        var common = new List<PayloadMapping>();
        foreach (var format in media.Formats)
        {
            if (PayloadTypeOf(format) is not { } payloadType || common.Exists(m => m.PayloadType == payloadType)) continue;
            if (media.RtpmapOf(payloadType) is { } map && supported.Find(map) is { } known) common.Add(new(payloadType, known));
        }

        return common;
    }

    // One number for two formats in one description; the first is believed.
    private static List<PayloadClash> ClashesIn(SdpMedia media)
    {
        var clashes = new List<PayloadClash>();
        foreach (var map in media.Rtpmaps)
        {
            if (media.RtpmapOf(map.PayloadType) is { } first && !AreSame(first, map) && clashes.Count < MaxClashes) clashes.Add(new(map.PayloadType, first, map));
        }

        return clashes;
    }

    private static List<PayloadClash> ClashesOf(SdpMedia offered, SdpMedia answered, SdpCapabilities supported)
    {
        var clashes = new List<PayloadClash>();
        foreach (var (payloadType, _) in FormatsInCommon(offered, supported))
        {
            if (!answered.Formats.Contains(payloadType.ToString(CultureInfo.InvariantCulture))) continue;
            if (offered.RtpmapOf(payloadType) is { } ours && answered.RtpmapOf(payloadType) is { } theirs && !AreSame(ours, theirs)) clashes.Add(new(payloadType, ours, theirs));
        }

        return clashes;
    }

    private static bool AreSame(SdpRtpmap left, SdpRtpmap right) =>
        Is(left.EncodingName, right.EncodingName) && left.ClockRate == right.ClockRate && left.Channels == right.Channels;

    // The first codec alone, so that the sender keeps to one; with it the keys, best at its clock rate (RFC 7160).
    private static List<PayloadMapping> FormatsToKeep(SdpMedia media)
    {
        var known = new List<SdpRtpmap>();
        foreach (var format in media.Formats)
        {
            if (PayloadTypeOf(format) is { } payloadType && media.RtpmapOf(payloadType) is { } map) known.Add(map);
        }

        if (known.Find(map => PayloadFormat.IsCodec(map.EncodingName)) is not { } codec) return [];

        var events = known.FindAll(map => Is(map.EncodingName, PayloadFormat.TelephoneEvent.Name));
        var chosen = events.Find(map => map.ClockRate == codec.ClockRate) ?? events.FirstOrDefault();
        PayloadMapping kept = new(codec.PayloadType, PayloadFormat.Kept(codec));
        return chosen is null ? [kept] : [kept, new(chosen.PayloadType, PayloadFormat.TelephoneEvent with { ClockRate = chosen.ClockRate })];
    }

    private static bool HasNoCodec(List<PayloadMapping> formats) => formats.TrueForAll(m => m.Format.IsSupplement);

    // Below 128: the field has seven bits (RFC 3550 §5.1). No leading zero, so that the number is written as it was read.
    private static int? PayloadTypeOf(string format) =>
        int.TryParse(format, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
        && number < 128 && (format == "0" || format[0] != '0') ? number : null;

    private static bool Is(string left, string right) => string.Equals(left, right, StringComparison.OrdinalIgnoreCase);
}
