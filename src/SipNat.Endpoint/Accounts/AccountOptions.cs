using SipNat.Sip.Messages;
using SipNat.Wire;

namespace SipNat.Endpoint.Accounts;

/// <summary>What is known of an account with a provider, or with a PBX.</summary>
public sealed record AccountOptions
{
    /// <summary>RFC 3261 §10.2 leaves the wish to the client; an hour is what registrars usually grant.</summary>
    public static readonly TimeSpan DefaultExpires = TimeSpan.FromHours(1);

    /// <summary>RFC 5626 §4.2 has two suffice, and four do.</summary>
    public const int MaxFlows = 4;

    /// <summary>What the account is called here; unique.</summary>
    public required string Name { get; init; }

    /// <summary>The address of record: <c>sip:user@domain</c>.</summary>
    public required SipUri Uri { get; init; }

    /// <summary>Who answers challenges; the user of <see cref="Uri"/> where a provider knows no other.</summary>
    public required string Username { get; init; }

    public required string Password { get; init; }

    /// <summary>Whose challenges are answered; null for any that the registrar names.</summary>
    public string? Realm { get; init; }

    /// <summary>Shown to whom is called; empty for none.</summary>
    public string DisplayName { get; init; } = "";

    /// <summary>Where registrations go: a URI with the domain or host of the registrar.</summary>
    public required SipUri Registrar { get; init; }

    /// <summary>Where every request goes first; null: to the registrar.</summary>
    public SipUri? OutboundProxy { get; init; }

    /// <summary>The proxies of the second flow and so on (RFC 5626 §3.3); flows beyond them begin anew with <see cref="OutboundProxy"/>.</summary>
    public IReadOnlyList<SipUri> FurtherProxies { get; init; } = [];

    /// <summary>When calls name the GRUU that the registrar gave.</summary>
    public GruuUse Gruu { get; init; } = GruuUse.Auto;

    /// <summary>Registrations by different servers at one time, 1 to <see cref="MaxFlows"/> (RFC 5626 §4.2).</summary>
    public int Flows { get; init; } = 1;

    /// <summary>Null: as the URI and the DNS say (RFC 3263).</summary>
    public TransportProtocol? Transport { get; init; }

    /// <summary>How long a registration is asked for.</summary>
    public TimeSpan Expires { get; init; } = DefaultExpires;

    /// <summary>Whether a challenge that offers nothing but MD5 is answered (RFC 8760 §2.3).</summary>
    public bool AllowMd5 { get; init; } = true;

    /// <summary><c>urn:uuid:…</c> of this device, the same over restarts (RFC 5626 §4.1).</summary>
    public required string Instance { get; init; }

    /// <summary>Upper bound of the time between two packets to the registrar.</summary>
    public TimeSpan Keepalive { get; init; } = TimeSpan.FromSeconds(25);

    /// <summary>The same account as one of its flows has it.</summary>
    /// <param name="regId">Which one, from 1 on.</param>
    public AccountOptions OfFlow(int regId)
    {
        if (OutboundProxy is not { } first || FurtherProxies.Count == 0) return this;

        var index = (regId - 1) % (1 + FurtherProxies.Count);
        return this with { OutboundProxy = index == 0 ? first : FurtherProxies[index - 1] };
    }

    /// <summary>Without the password: a log must not have it.</summary>
    public override string ToString() => $"{Name} ({Uri})";
}

/// <summary>When calls name the public GRUU of the account (RFC 5627) as their Contact.</summary>
public enum GruuUse
{
    /// <summary>Where the registrar is set up for flows (RFC 5626) too: some give GRUUs unasked, and their proxies do not find what they gave.</summary>
    Auto,

    /// <summary>Wherever one is given.</summary>
    Always,

    /// <summary>None is asked for.</summary>
    Off,
}
