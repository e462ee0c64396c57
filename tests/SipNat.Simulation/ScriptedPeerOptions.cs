using SipNat.Wire;

namespace SipNat.Simulation;

/// <summary>What a <see cref="ScriptedSipPeer"/> does, and what it does wrong.</summary>
public sealed record ScriptedPeerOptions
{
    private const int PortsBetweenMoves = 1000;

    /// <summary>Where the INVITE goes.</summary>
    public required TransportAddress Server { get; init; }

    /// <summary>Makes tags, SSRCs and first sequence numbers.</summary>
    public int Seed { get; init; } = 1;

    public TransportProtocol Transport { get; init; } = TransportProtocol.Udp;

    public int SipPort { get; init; } = 5060;

    /// <summary>RTP port of the first stream; each next one is two higher, RTCP is one above.</summary>
    public int FirstMediaPort { get; init; } = 40000;

    /// <summary>How many audio m-lines are offered.</summary>
    public int Streams { get; init; } = 2;

    /// <summary>Static payload type and encoding name: 0 is PCMU, 8 is PCMA.</summary>
    public int PayloadType { get; init; }

    /// <summary>Silence before the INVITE.</summary>
    public TimeSpan StartAfter { get; init; }

    /// <summary>From the answer to the peer's BYE; null when it never hangs up by itself.</summary>
    public TimeSpan? Duration { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Holds, resumptions and moves, by their time since the answer.</summary>
    public IReadOnlyList<ScriptedChange> Changes { get; init; } = [];

    /// <summary>Host of Via, From and Contact in place of the local address.</summary>
    public TransportAddress AdvertisedSignalling { get; init; }

    /// <summary>Address of o= and c= in place of the local one; its port is ignored.</summary>
    public TransportAddress AdvertisedMedia { get; init; }

    /// <summary>Whether Via asks for a symmetric response (RFC 3581).</summary>
    public bool HasRport { get; init; } = true;

    /// <summary>Whether requests in the dialog go to the INVITE's destination, whatever Contact the answer names.</summary>
    public bool IgnoresContact { get; init; }

    /// <summary>Option tags of Require; empty for no such header.</summary>
    public string Require { get; init; } = "siprec";

    /// <summary>Header lines that the INVITE has besides, without line ends.</summary>
    public IReadOnlyList<string> ExtraHeaders { get; init; } = [];

    /// <summary>Whether the INVITE carries metadata beside its SDP, as multipart/mixed.</summary>
    public bool HasMetadata { get; init; } = true;

    /// <summary>The metadata document in place of the generated one.</summary>
    public string? Metadata { get; init; }

    /// <summary>Whether Allow names UPDATE (RFC 3311).</summary>
    public bool AllowsUpdate { get; init; } = true;

    /// <summary>Changes the finished SDP of every offer.</summary>
    public Func<string, string> RewriteSdp { get; init; } = sdp => sdp;

    /// <summary>Labels of the streams, in the order of the m-lines (RFC 4574); those beyond it are numbered.</summary>
    public IReadOnlyList<string> Labels { get; init; } = [];

    /// <summary>Whether RTCP shares the RTP port where the answer agrees (RFC 5761).</summary>
    public bool OffersRtcpMux { get; init; }

    /// <summary>Interval of sender reports; null for a peer without RTCP.</summary>
    public TimeSpan? RtcpInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Interval of CRLF keepalives to the server (RFC 5626 §3.5.1); null for none.</summary>
    public TimeSpan? Keepalive { get; init; }

    /// <summary>RTP leaves from a port that lies this much above the one in the SDP.</summary>
    public int SourcePortOffset { get; init; }

    /// <summary>First RTP sequence number of every stream; null for a random one.</summary>
    public ushort? FirstSequenceNumber { get; init; }

    /// <summary>First RTP timestamp of every stream; null for a random one.</summary>
    public uint? FirstTimestamp { get; init; }

    /// <summary>From this frame on timestamps are off by <see cref="TimestampJump"/>.</summary>
    public int? TimestampJumpAtFrame { get; init; }

    public uint TimestampJump { get; init; }

    /// <summary>From this frame on the SSRC, sequence number and timestamp are others.</summary>
    public int? SsrcChangeAtFrame { get; init; }

    /// <summary>Frames that are not sent, as with discontinuous transmission.</summary>
    public IReadOnlyList<FrameGap> Gaps { get; init; } = [];

    internal int MediaPort(int stream, int moves) => FirstMediaPort + (moves * PortsBetweenMoves) + (2 * stream);

    /// <summary>All ports that the script needs for RTP and RTCP, with the stream that each belongs to.</summary>
    internal SortedDictionary<int, int> MediaPorts()
    {
        var ports = new SortedDictionary<int, int>();
        for (var move = 0; move <= Changes.Count(change => change.Kind is ScriptedChangeKind.Move); move++)
        {
            for (var stream = 0; stream < Streams; stream++)
            {
                var port = MediaPort(stream, move);
                ports[port] = ports[port + 1] = ports[port + SourcePortOffset] = stream;
            }
        }

        return ports;
    }
}

/// <summary>A re-INVITE of the scripted peer, at a time since the answer.</summary>
public sealed record ScriptedChange(TimeSpan At, ScriptedChangeKind Kind);

public enum ScriptedChangeKind
{
    /// <summary>All streams become inactive, and nothing is sent.</summary>
    Hold,

    /// <summary>All streams send again.</summary>
    Resume,

    /// <summary>All streams move to other ports.</summary>
    Move,
}

/// <summary>Frames of one stream that are not sent.</summary>
public sealed record FrameGap(int Stream, int First, int Count);
