using SipNat.Wire;

namespace SipNat.Sip.Sdp;

/// <summary>The verdict on one m-line. The set is closed: accepted or rejected.</summary>
public abstract record MediaReview
{
    private protected MediaReview()
    {
    }

    /// <summary>The m-line's place in the description, from 0.</summary>
    public required int Index { get; init; }

    public string? Label { get; init; }
}

/// <summary>An m-line for which ports are to be opened.</summary>
public sealed record AcceptedMedia : MediaReview
{
    /// <summary>The formats in common, in the peer's order.</summary>
    public required IReadOnlyList<PayloadMapping> PayloadMap { get; init; }

    /// <summary>Of those, the ones that the peer's own description lists: what may be sent to it, the first by preference.</summary>
    public required IReadOnlyList<PayloadMapping> PeerMap { get; init; }

    /// <summary>Our side: what both want. A recorder never sends.</summary>
    public required SdpDirection Direction { get; init; }

    /// <summary>The peer's RTP address; 0.0.0.0 with the port where the description gives none that is an address.</summary>
    public TransportAddress? RemoteRtp { get; init; }

    /// <summary>The peer's RTCP address; equal to RTP where both share a port.</summary>
    public TransportAddress? RemoteRtcp { get; init; }

    /// <summary>The session's address in the peer's description where the medium has another one; none where they agree.</summary>
    public TransportAddress SessionConnection { get; init; }

    /// <summary>RTCP shares the RTP port (RFC 5761).</summary>
    public bool RtcpMux { get; init; }

    /// <summary>Milliseconds of audio in a packet.</summary>
    public int? Ptime { get; init; }

    /// <summary>The peer sends nothing for now: inactive, recvonly, or 0.0.0.0 (RFC 3264 §8.4).</summary>
    public bool IsHeld { get; init; }

    /// <summary>What protects the peer's packets, with the tag and the suite that an answer repeats; null where nothing does.</summary>
    public SdpCrypto? Crypto { get; init; }

    /// <summary>Numbers that stand for two formats, within the peer's description or between it and ours; a few of them.</summary>
    public IReadOnlyList<PayloadClash> Clashes { get; init; } = [];

    /// <summary>What the peer's description says besides: the attributes of the session, then those of the medium.</summary>
    public IReadOnlyList<SdpAttribute> PeerAttributes { get; init; } = [];

    /// <summary>The codec of which the packets are kept, because none that is decoded was offered; else null.</summary>
    public PayloadFormat? KeptCodec => PayloadMap.FirstOrDefault(m => m.Format.IsKept)?.Format;

    public PayloadFormat? FormatOf(int payloadType) => PayloadMap.FirstOrDefault(m => m.PayloadType == payloadType)?.Format;
}

/// <summary>A payload type number that stands for two formats.</summary>
/// <param name="PayloadType">0–127.</param>
/// <param name="First">What it is here first, or in our offer.</param>
/// <param name="Second">What it is here too, or in the answer.</param>
public readonly record struct PayloadClash(int PayloadType, SdpRtpmap First, SdpRtpmap Second);

/// <summary>An m-line that is answered with port 0.</summary>
public sealed record RejectedMedia : MediaReview
{
    public required MediaRejection Reason { get; init; }

    /// <summary>What the peer has to offer, for the reader of the refusal: encoding names, or the formats as written.</summary>
    public IReadOnlyList<string> OfferedFormats { get; init; } = [];
}

/// <summary>Why an m-line is refused.</summary>
public enum MediaRejection
{
    /// <summary>Offered with port 0: already refused or removed.</summary>
    PortZero,

    /// <summary>Not audio.</summary>
    UnsupportedMedium,

    /// <summary>Neither RTP nor SRTP over UDP.</summary>
    UnsupportedTransport,

    /// <summary>RTP/SAVP or RTP/SAVPF, and media are not to be encrypted.</summary>
    SecureTransport,

    /// <summary>Keys by DTLS (RFC 5763).</summary>
    DtlsTransport,

    /// <summary>RTP/SAVP or RTP/SAVPF without any key.</summary>
    NoKey,

    /// <summary>No <c>a=crypto</c> line that can be taken: suites, lengths of keys or session parameters.</summary>
    NoCommonCrypto,

    /// <summary>RTP/AVP or RTP/AVPF, and media have to be encrypted.</summary>
    PlainTransport,

    /// <summary>The answer takes up no key of our offer.</summary>
    KeyNotAnswered,

    /// <summary>No audio format in common, or where others are kept, none whose name is told.</summary>
    NoCommonCodec,

    /// <summary>There are as many streams as are taken already.</summary>
    OneTooMany,

    /// <summary>The peer's answer has no m-line in this place.</summary>
    NotAnswered,
}
