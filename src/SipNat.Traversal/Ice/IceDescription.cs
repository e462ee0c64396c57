using SipNat.Wire;

namespace SipNat.Traversal.Ice;

/// <summary>What one side tells of one stream: its ICE attributes, those of the session included (RFC 8839 §5).</summary>
public sealed record IceDescription
{
    /// <summary>Candidate lines beyond these are counted and not read: no more pairs than this are ever checked.</summary>
    public const int MaxCandidates = 100;

    /// <summary>Options beyond these are not read.</summary>
    public const int MaxOptions = 16;

    /// <summary><c>a=ice-ufrag</c> and <c>a=ice-pwd</c>.</summary>
    public required IceCredentials Credentials { get; init; }

    /// <summary><c>a=ice-lite</c>: the side answers checks and sends none.</summary>
    public bool IsLite { get; init; }

    /// <summary><c>a=candidate</c>, in the order of the lines.</summary>
    public IReadOnlyList<Candidate> Candidates { get; init; } = [];

    /// <summary><c>a=end-of-candidates</c>, or no <c>trickle</c> among the options: no further candidates follow (RFC 8840).</summary>
    public bool IsComplete { get; init; } = true;

    /// <summary><c>a=ice-options</c>, such as <c>ice2</c> and <c>trickle</c>.</summary>
    public IReadOnlyList<string> Options { get; init; } = [];

    /// <summary><c>a=remote-candidates</c>: the peer's addresses of the pairs in use, by component (RFC 8839 §5.2).</summary>
    public IReadOnlyList<(int Component, TransportAddress Address)> RemoteCandidates { get; init; } = [];

    /// <summary>Candidate lines that were passed over: host names, other transports, malformed ones, and those beyond the cap.</summary>
    public int PassedOver { get; init; }

    /// <summary>
    /// Whether the address of the m= and c= lines is among the candidates of a component. Where it is not, something on
    /// the way changed it and ICE is not used (RFC 8839 §4.2.5). Without candidates, and for host names, nothing is said.
    /// </summary>
    public bool Confirms(int component, TransportAddress address)
    {
        if (PassedOver > 0 || Candidates.Count == 0) return true;

        foreach (var candidate in Candidates)
        {
            if (candidate.Component == component && candidate.Address == address) return true;
        }

        return false;
    }

    /// <summary>
    /// The candidate for the m= and c= lines of a component: the one that most likely reaches a peer without ICE, which
    /// is relayed before reflexive before host (RFC 8445 §5.1.4); null where the component has none.
    /// </summary>
    public Candidate? DefaultOf(int component)
    {
        Candidate? best = null;
        foreach (var candidate in Candidates)
        {
            if (candidate.Component != component) continue;
            if (best is null || candidate.Type > best.Type || (candidate.Type == best.Type && candidate.Priority > best.Priority)) best = candidate;
        }

        return best;
    }
}
