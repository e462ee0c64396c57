using SipNat.Wire;

namespace SipNat.Traversal.PortMapping;

/// <summary>One port that a <see cref="PortMapper"/> keeps open.</summary>
internal sealed class KeptPort(InternalPort port)
{
    public InternalPort Port { get; } = port;

    /// <summary>Where it is reached; none while it is not.</summary>
    public TransportAddress External { get; set; }

    /// <summary>What it had last, which is asked for again.</summary>
    public TransportAddress LastExternal { get; set; }

    /// <summary>By which protocol it was asked for last.</summary>
    public PortMappingMethod? Method { get; set; }

    /// <summary>When the router forgets it; null for never, or while it is not mapped.</summary>
    public Instant? ExpiresAt { get; set; }

    /// <summary>When it is asked for (again); null while the router owes an answer.</summary>
    public Instant? AskAt { get; set; }

    /// <summary>The protocols that refused it, as bits.</summary>
    public int RefusedBy { get; set; }

    /// <summary>The refusal that was told; it is told once.</summary>
    public PortMappingOutcome Told { get; set; }

    public Instant? Deadline => Instant.Earlier(AskAt, ExpiresAt);
}
