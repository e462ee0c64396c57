using SipNat.Wire;

namespace SipNat.Endpoint.Dns;

/// <summary>A server that the DNS named, and how it is reached.</summary>
public readonly record struct LocatedServer(TransportProtocol Transport, TransportAddress Address);
