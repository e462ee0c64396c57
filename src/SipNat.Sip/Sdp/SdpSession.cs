namespace SipNat.Sip.Sdp;

/// <summary>
/// A session description (RFC 8866), immutable. What peers leave out although it is required (o=, s=, t=, c=) is null
/// or has its usual value. Time zones, keys, repeat times and contact lines are not kept.
/// </summary>
public sealed record SdpSession
{
    public SdpOrigin? Origin { get; init; }

    public string Name { get; init; } = "-";

    public SdpConnection? Connection { get; init; }

    public IReadOnlyList<SdpBandwidth> Bandwidths { get; init; } = [];

    /// <summary>The value of <c>t=</c>: start and stop, where <c>0 0</c> is "always".</summary>
    public string Timing { get; init; } = "0 0";

    public IReadOnlyList<SdpAttribute> Attributes { get; init; } = [];

    /// <summary>In the order of the description, which is how an answer matches them (RFC 3264 §6).</summary>
    public IReadOnlyList<SdpMedia> Media { get; init; } = [];

    /// <summary>The medium's own direction, else the session's, else sendrecv (RFC 8866 §6.7).</summary>
    public SdpDirection DirectionOf(SdpMedia media) =>
        media.Attributes.Direction ?? Attributes.Direction ?? SdpDirection.SendRecv;

    /// <summary>The medium's own connection, else the session's.</summary>
    public SdpConnection? ConnectionOf(SdpMedia media) => media.Connection ?? Connection;

    /// <summary>Whether keys by DTLS are offered for the medium (RFC 5763).</summary>
    public bool HasFingerprint(SdpMedia media) => media.Attributes.Has("fingerprint") || Attributes.Has("fingerprint");
}
