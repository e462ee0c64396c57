using SipNat.Endpoint.Dns;
using SipNat.Sip.Messages;
using SipNat.Wire;

namespace SipNat.Endpoint.Accounts;

/// <summary>An account or a call wants to know where a URI leads (RFC 3263); answered by <see cref="SignallingCore.HandleLocated"/>.</summary>
/// <param name="Asker">Whose question it is: an account by its name, a call by its id.</param>
/// <param name="Uri">What is looked for.</param>
/// <param name="Transport">The only transport that will do; null for any.</param>
public sealed record LocateRequest(string Asker, SipUri Uri, TransportProtocol? Transport);

/// <summary>A place where requests may go.</summary>
/// <param name="Transport">What is spoken there.</param>
/// <param name="Address">Where it is.</param>
/// <param name="TlsName">What its certificate has to name (RFC 5922 §4): the domain of the URI, not the host that the DNS gave; null without TLS.</param>
public sealed record SipTarget(TransportProtocol Transport, TransportAddress Address, string? TlsName)
{
    /// <summary>The local address that routes there, port 0; none where the shell does not say.</summary>
    public TransportAddress Local { get; init; }

    internal LocatedServer Server => new(Transport, Address);
}
