using SipNat.Wire;

namespace SipNat.Endpoint.Accounts;

/// <summary>An account at one moment.</summary>
/// <param name="Name">What it is called here.</param>
/// <param name="State">How it stands.</param>
/// <param name="At">When this became so.</param>
/// <param name="Text">What happened, for people.</param>
public sealed record AccountSnapshot(string Name, AccountState State, Instant At, string Text)
{
    /// <summary>Who answers for the registrar; none before it is known.</summary>
    public TransportAddress Registrar { get; init; }

    public TransportProtocol Transport { get; init; }

    /// <summary>The status of the last final response; 0 before the first, and where none came.</summary>
    public int Status { get; init; }

    public string Reason { get; init; } = "";

    /// <summary>The address of our Contact; none before the first REGISTER.</summary>
    public TransportAddress Contact { get; init; }

    /// <summary>Why that address.</summary>
    public string Why { get; init; } = "";

    /// <summary>Where the registrar saw us; none where it does not say.</summary>
    public TransportAddress Received { get; init; }

    /// <summary>Contacts that the registrar has for the address of record, ours among them.</summary>
    public IReadOnlyList<string> Bindings { get; init; } = [];

    /// <summary>Proxies that the registrar sends calls through to reach us (RFC 3327), as it wrote them.</summary>
    public IReadOnlyList<string> Path { get; init; } = [];

    /// <summary>Proxies that the registrar wants our calls to go through (RFC 3608), as it wrote them.</summary>
    public IReadOnlyList<string> ServiceRoute { get; init; } = [];

    /// <summary>How long our binding lasts; null without one.</summary>
    public TimeSpan? Lease { get; init; }

    /// <summary>Upper bound of the time between two packets that keep the way open; null where none are sent.</summary>
    public TimeSpan? Keepalive { get; init; }

    /// <summary>Whether no REGISTER is under way: what is told is not about to change.</summary>
    public bool IsSettled { get; init; }

    /// <summary>REGISTER requests that the registration took, or has taken so far.</summary>
    public int Attempts { get; init; }

    /// <summary>Each registration of an account that has several flows (RFC 5626), by reg-id; none where there is one.</summary>
    public IReadOnlyList<AccountSnapshot> Flows { get; init; } = [];

    /// <summary>Whether a SIP ALG has changed what was sent: the registrar saw our private address, though a NAT is on the way.</summary>
    public bool IsAltered { get; init; }
}
