using SipNat.Wire;

namespace SipNat.Endpoint.Diagnosis;

/// <summary>Something about a session that its operator should know, with the facts it rests on.</summary>
/// <param name="Code">What it is; docs/troubleshooting.md has an entry for each.</param>
/// <param name="Text">One sentence with addresses, numbers and what to do.</param>
/// <param name="At">When it was seen.</param>
public sealed record Finding(FindingCode Code, string Text, Instant At);

/// <summary>Every kind of finding. In JSON a code is written in kebab case: <c>no-media</c>.</summary>
public enum FindingCode
{
    /// <summary>The body named metadata that could not be read; the raw bytes are kept.</summary>
    MetadataUnreadable,

    /// <summary>No metadata came with the session.</summary>
    MetadataMissing,

    /// <summary>The metadata names a label that the SDP does not have.</summary>
    LabelWithoutMedia,

    /// <summary>The SDP has a label of which the metadata says nothing.</summary>
    MediaWithoutLabel,

    /// <summary>A part of the body could not be used.</summary>
    BodyUnusual,

    /// <summary>A medium of the offer was refused.</summary>
    MediaRefused,

    /// <summary>A stream has a codec that is not recorded as audio: its packets are kept.</summary>
    CodecKeptAsPackets,

    /// <summary>A stream that should be sending has brought no packet.</summary>
    NoMedia,

    /// <summary>A stream that was sending has stopped without a word in signalling.</summary>
    MediaStopped,

    /// <summary>Of a stream without packets: the peer was told a private address that it likely cannot reach.</summary>
    PrivateAddressAdvertised,

    /// <summary>Of a stream without packets: a STUN server sees another address or port than the peer was told.</summary>
    MappingDiffers,

    /// <summary>Of a stream without packets: the session and the medium of the peer's description name two addresses.</summary>
    ConnectionsDiffer,

    /// <summary>Of a stream without packets: this system let nothing out that would have opened the way in.</summary>
    NothingSent,

    /// <summary>The other side of a call reports that none of our audio arrives, this machine refuses to send it, or ICMP says that nobody takes it.</summary>
    PeerHearsNothing,

    /// <summary>The other side hung up a call in which none of our audio had reached it for a while.</summary>
    HungUpUnheard,

    /// <summary>Of a stream without packets: media is received on another interface than signalling.</summary>
    InterfaceDiffers,

    /// <summary>Of a stream without packets: STUN servers answer on the SIP port and not on the media port.</summary>
    MediaPortBlocked,

    /// <summary>Packets came from an address that may not be followed.</summary>
    StrayMedia,

    /// <summary>Media comes from another address than the one signalled.</summary>
    MediaFromElsewhere,

    /// <summary>A second source sent into a stream at the same time.</summary>
    SecondSource,

    /// <summary>Packets carried a payload type that was not negotiated.</summary>
    UnknownPayloadType,

    /// <summary>One payload type number stands for two formats in the descriptions of a call.</summary>
    PayloadTypeClash,

    /// <summary>Packets of an encrypted stream were not genuine by the keys that were agreed on.</summary>
    SrtpAuthFailed,

    /// <summary>The keys of an encrypted stream came over a connection that anybody on the way can read.</summary>
    SrtpKeysUnencrypted,

    /// <summary>A share of the packets that matters was lost on the way.</summary>
    PacketsLost,

    /// <summary>The sender went on, and for a second or more nothing of it arrived.</summary>
    MediaInterrupted,

    /// <summary>The sender's clock runs at another pace than ours, steadily and beyond what G.711 allows.</summary>
    ClockDrift,

    /// <summary>RTP timestamps left the arrival time by more than two seconds; the stream was anchored anew.</summary>
    TimestampJump,

    /// <summary>The disk or the queue to it refused audio.</summary>
    AudioNotWritten,

    /// <summary>The disk takes a file's audio again; what found no room meanwhile is silence in it.</summary>
    AudioWrittenAgain,

    /// <summary>The medium did not confirm audio that was written: a power cut may cost it.</summary>
    AudioNotForced,

    /// <summary>No STUN server answered in time; the answer went out with an address that is not proven.</summary>
    MappingUnknown,

    /// <summary>The public address of a media port changed in mid-session; the peer was told.</summary>
    MappingChanged,

    /// <summary>The NAT forgot a media port's mapping between two packets that were to keep it; more are sent from there on.</summary>
    MappingEnded,

    /// <summary>The NAT shows another address to each destination, so a STUN address cannot be advertised.</summary>
    MappingVaries,

    /// <summary>The peer's description has ICE candidates, and its media address is not among them: something rewrote it.</summary>
    IceMismatch,

    /// <summary>ICE found no path; media is taken as without it.</summary>
    IceFailed,

    /// <summary>The peer answered no more on the path that media took.</summary>
    PathLost,

    /// <summary>No TURN server lends an address.</summary>
    RelayUnavailable,

    /// <summary>An address of the peer is never sent to, because it cannot be the peer's from here.</summary>
    AddressNotSentTo,

    /// <summary>Requests of the dialog come from another address than before.</summary>
    SignallingMoved,

    /// <summary>The 200 OK was never acknowledged.</summary>
    NoAck,

    /// <summary>The other side of a call repeats its 200 OK: our ACK does not reach it.</summary>
    AckLost,

    /// <summary>The session was not refreshed in time (RFC 4028) or did not answer when asked.</summary>
    SessionLost,
}

public static class FindingCodes
{
    private static readonly string[] Texts = [.. Enum.GetNames<FindingCode>().Select(ToKebabCase)];

    extension(FindingCode code)
    {
        /// <summary>The code as JSON and docs/troubleshooting.md write it.</summary>
        public string Text => Texts[(int)code];
    }

    private static string ToKebabCase(string name) =>
        string.Concat(name.Select((c, i) => char.IsUpper(c) ? (i == 0 ? "" : "-") + char.ToLowerInvariant(c) : c.ToString()));
}
