using SipNat.Wire;

namespace SipNat.Media.Streams;

/// <summary>Who may move the media address. The <c>Media:Latch</c> setting.</summary>
public enum LatchPolicy
{
    /// <summary>Only the signalled address and port.</summary>
    Off,

    /// <summary>The signalled address or the signalling source's address, any port.</summary>
    Signalling,

    /// <summary>Those, and every source in the allowed networks.</summary>
    Allowed,

    /// <summary>Every source.</summary>
    Any,
}

public sealed record LatchOptions
{
    public LatchPolicy Policy { get; init; } = LatchPolicy.Signalling;

    /// <summary>Packets of one SSRC with rising sequence that a source must send before it is followed, 1–100.</summary>
    public int Probation { get; init; } = 5;

    /// <summary>Silence of the followed source after which another one may take its place.</summary>
    public TimeSpan TakeoverSilence { get; init; } = TimeSpan.FromMilliseconds(500);

    public IReadOnlyList<NetworkPrefix> AllowedNetworks { get; init; } = [];

    /// <summary>
    /// For a latch of RTCP: compounds come every few seconds, so two are proof enough, and silence is three intervals
    /// (RFC 3550 §6.2).
    /// </summary>
    public LatchOptions ForControl() => this with { Probation = Math.Min(Probation, 2), TakeoverSilence = TimeSpan.FromSeconds(15) };
}

/// <summary>What ICE knows of a source (RFC 8445 §12.2).</summary>
public enum SourceStanding
{
    /// <summary>Nothing, or ICE is not used, or has no path: the policy decides.</summary>
    ByPolicy,

    /// <summary>The peer has proved that it is there.</summary>
    Validated,

    /// <summary>There is a path, and nothing proves that the source is the peer.</summary>
    Foreign,
}

/// <summary>What to do with a packet, by where it came from.</summary>
public enum LatchVerdict
{
    /// <summary>Record it.</summary>
    Accept,

    /// <summary>Record it and what was held of its source, which is followed from this packet on.</summary>
    TookOver,

    /// <summary>Hold it: a permissible source that takes over if the followed one stays silent.</summary>
    Probation,

    /// <summary>Not of the stream: count it, and keep it apart where its network is allowed.</summary>
    Stray,
}

/// <summary>One source that sent to a media port.</summary>
/// <param name="PayloadType">Of its last packet; −1 for RTCP.</param>
/// <param name="Verdict">On its last packet.</param>
public readonly record struct SourceSeen(
    TransportAddress Address, uint Ssrc, int PayloadType, Instant First, Instant Last, long Packets, LatchVerdict Verdict);
