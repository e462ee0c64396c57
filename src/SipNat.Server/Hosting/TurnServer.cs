using SipNat.Traversal.Turn;

namespace SipNat.Server.Hosting;

/// <summary>One address of a configured TURN server, with credentials that are good at the moment.</summary>
/// <param name="Options">The relayed family is IPv4; who wants a relay of the other family says so.</param>
/// <param name="TlsName">What the certificate has to be made out to, over TLS; it stays the same when the server names another one (RFC 8489 §10).</param>
public sealed record TurnServer(TurnServerOptions Options, string? TlsName);
