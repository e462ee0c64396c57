using SipNat.Traversal.PortMapping;
using SipNat.Wire;

namespace SipNat.Endpoint.Addressing;

/// <summary>Where a router leads a port of ours to from outside, because we asked it to.</summary>
/// <param name="External">The address and port outside.</param>
/// <param name="Method">How it was asked.</param>
public readonly record struct RouterMapping(TransportAddress External, PortMappingMethod Method);
