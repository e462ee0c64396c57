namespace SipNat.Traversal.Ice;

/// <summary>What an <see cref="IceAgent"/> refused, for diagnosis.</summary>
public sealed class IceCounters
{
    /// <summary>Checks without a USERNAME that begins with a user fragment of ours.</summary>
    public int ForeignChecks { get; internal set; }

    /// <summary>Checks and answers whose integrity or fingerprint is wrong.</summary>
    public int BadIntegrity { get; internal set; }

    /// <summary>Answers with an id of ours that came from elsewhere than where the check went.</summary>
    public int ForeignResponses { get; internal set; }

    /// <summary>Checks in which the peer had our role.</summary>
    public int RoleConflicts { get; internal set; }

    /// <summary>Candidates of the peer that are never checked: duplicates, beyond the cap, or no address to send to.</summary>
    public int RefusedCandidates { get; internal set; }
}
