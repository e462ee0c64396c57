using SipNat.Wire;

namespace SipNat.Endpoint.Dns;

/// <summary>A server that the DNS named, and how it is reached.</summary>
public readonly record struct LocatedServer(TransportProtocol Transport, TransportAddress Address)
{
    /// <summary>
    /// What its certificate has to name: the domain that was asked for, and not the host that an unprotected answer gave
    /// (RFC 5922 §4); null without TLS, and where the one who asked knows it.
    /// </summary>
    public string? TlsName { get; init; }
}
