using SipNat.Wire;

namespace SipNat.Traversal.Ice;

/// <summary>Where checks and media are sent from: a socket, or an address that a TURN server lends (RFC 8445 §4, base).</summary>
/// <param name="flow">The socket. A relay has an id of its own, which its owner made up and turns into sends by TURN.</param>
/// <param name="candidate">The host or relayed candidate.</param>
/// <param name="localPreference">0–65535.</param>
internal sealed class LocalBase(FlowId flow, Candidate candidate, int localPreference)
{
    /// <summary>Addresses that the peer's checks may reveal to one base.</summary>
    public const int MaxRevealed = 12;

    /// <summary>Those of them that differ by their port alone.</summary>
    public const int MaxRevealedOfAddress = 8;

    // Candidates of the peer that its checks have revealed to this base since the last restart.
    private readonly List<TransportAddress> _revealed = [];

    public FlowId Flow => flow;

    public Candidate Candidate => candidate;

    public int LocalPreference => localPreference;

    public int Component => Candidate.Component;

    public bool IsRelayed => Candidate.Type is CandidateType.Relayed;

    /// <summary>What a candidate that the peer discovers by a check of this base is worth (RFC 8445 §7.1.1).</summary>
    public uint PeerReflexivePriority { get; } = Candidate.PriorityOf(CandidateType.PeerReflexive, localPreference, candidate.Component);

    /// <summary>
    /// Whether there is room for one more address that the peer's checks reveal. Two NATs that give every destination
    /// another port reveal a further one with each check, without end: they must not take the room of another NAT's.
    /// </summary>
    public bool TryReveal(TransportAddress from)
    {
        var same = 0;
        foreach (var revealed in _revealed) same += revealed.HasSameAddress(from) ? 1 : 0;
        if (same == MaxRevealedOfAddress || _revealed.Count == MaxRevealed) return false;

        _revealed.Add(from);
        return true;
    }

    public void ForgetRevealed() => _revealed.Clear();

    /// <summary>Whether a datagram to the address can make sense, and harms nobody.</summary>
    public bool CanReach(TransportAddress remote, bool allowsPrivate)
    {
        var local = Candidate.Address;
        return remote.Family == local.Family
            && remote is { Port: not 0, IsUnspecified: false, IsMulticastOrBroadcast: false }
            && remote.IsLoopback == local.IsLoopback
            && (local.IsIPv4 || remote.IsLinkLocal == local.IsLinkLocal)
            && (!remote.IsPrivate || local.IsLoopback || (allowsPrivate && (!IsRelayed || local.IsPrivate)));
    }
}
