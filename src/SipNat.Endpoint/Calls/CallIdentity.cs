using SipNat.Sip.Digest;
using SipNat.Sip.Messages;
using SipNat.Wire;

namespace SipNat.Endpoint.Calls;

/// <summary>Who we are in a call.</summary>
/// <param name="Account">The account; null for a call without one.</param>
/// <param name="User">The user part of our Contact.</param>
internal sealed record CallIdentity(string? Account, string User)
{
    /// <summary>A call without an account.</summary>
    public static readonly CallIdentity Anonymous = new(null, "sipnat");

    /// <summary>Our address of record; null for that of our Contact.</summary>
    public SipUri? Uri { get; init; }

    public string DisplayName { get; init; } = "";

    /// <summary>What is shown to who challenges; null where nothing is.</summary>
    public DigestCredentials? Credentials { get; init; }

    public bool AllowMd5 { get; init; } = true;

    /// <summary>From and its kin, without a tag.</summary>
    /// <param name="contact">The URI of our Contact, which stands in for an address of record.</param>
    public string NameAddress(string contact) =>
        DisplayName.Length > 0 ? $"{SipText.Quote(DisplayName)} <{Uri?.Text ?? contact}>" : $"<{Uri?.Text ?? contact}>";
}

/// <summary>The way that the calls of a registered account take.</summary>
/// <param name="Flow">The socket or connection of its registration.</param>
/// <param name="Registrar">The server that it is registered at.</param>
/// <param name="Contact">Where the registrar finds us.</param>
internal sealed record AccountRoute(FlowId Flow, TransportAddress Registrar, TransportAddress Contact)
{
    /// <summary>Route values of requests that begin a dialog: the outbound proxy, and what the registrar has named (RFC 3608).</summary>
    public IReadOnlyList<string> Routes { get; init; } = [];

    /// <summary>Where the registrar saw us; none where it does not say.</summary>
    public TransportAddress Seen { get; init; }
}
