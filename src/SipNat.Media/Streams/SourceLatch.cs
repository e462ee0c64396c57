using SipNat.Media.Rtp;
using SipNat.Wire;

namespace SipNat.Media.Streams;

/// <summary>Decides which address the media of a stream comes from, and where to send.</summary>
public sealed class SourceLatch
{
    /// <summary>Sources that are remembered.</summary>
    public const int MaxSources = 32;

    public SourceLatch(LatchOptions options, TransportAddress signalled, TransportAddress signallingSource) => throw new NotSupportedException();

    /// <summary>The source that is followed; none while in probation.</summary>
    public TransportAddress Locked => throw new NotSupportedException();

    /// <summary>Where to send: the locked source, else the signalled address.</summary>
    public TransportAddress Destination => throw new NotSupportedException();

    /// <summary>A second source passed its probation while the locked one was sending.</summary>
    public TransportAddress Contender => throw new NotSupportedException();

    /// <summary>Set while the stream is on hold or inactive: silence then unlocks nothing.</summary>
    public bool IsHeld { get; set; }

    /// <summary>Takes the addresses of a fresh offer: the lock is opened.</summary>
    public void SignalledChanged(TransportAddress signalled, TransportAddress signallingSource) => throw new NotSupportedException();

    /// <param name="isNegotiated">Whether the packet's payload type was negotiated.</param>
    public LatchVerdict Judge(Instant now, TransportAddress from, in RtpPacket packet, bool isNegotiated) => throw new NotSupportedException();

    /// <summary>The same for RTCP, whose packets have no sequence numbers.</summary>
    public LatchVerdict JudgeControl(Instant now, TransportAddress from, uint ssrc) => throw new NotSupportedException();
}

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

    public IReadOnlyList<NetworkPrefix> AllowedNetworks { get; init; } = [];
}

public enum LatchVerdict
{
    /// <summary>Record it.</summary>
    Accept,

    /// <summary>Record it, and what was held of its source: it took the place of the locked one with this packet.</summary>
    TookOver,

    /// <summary>Hold it: a permissible source that may take over when the locked one is silent.</summary>
    Probation,

    /// <summary>Count it, nothing else.</summary>
    Stray,
}

/// <summary>One source that sent to a media port.</summary>
/// <param name="Ssrc">Of its last packet.</param>
/// <param name="PayloadType">Of its last packet; −1 for RTCP.</param>
/// <param name="Verdict">On its last packet.</param>
public readonly record struct SourceSeen(
    TransportAddress Address, uint Ssrc, int PayloadType, Instant First, Instant Last, long Packets, LatchVerdict Verdict);
