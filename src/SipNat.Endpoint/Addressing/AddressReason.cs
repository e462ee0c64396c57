using System.Diagnostics;
using SipNat.Traversal.PortMapping;
using SipNat.Wire;

namespace SipNat.Endpoint.Addressing;

/// <summary>Why an address is advertised, as facts. The set is closed: switch over it.</summary>
public abstract record AddressReason
{
    private AddressReason() { }

    /// <summary>The peer runs on this machine.</summary>
    public sealed record PeerIsThisMachine(TransportAddress Peer) : AddressReason;

    public sealed record PeerIsLocal(TransportAddress Peer, NetworkPrefix Network) : AddressReason;

    /// <summary>The configured external address is the socket's own.</summary>
    public sealed record LocalIsConfigured(TransportAddress Local) : AddressReason;

    /// <summary>The configured address with the port of a forward.</summary>
    public sealed record ConfiguredWithForward(TransportAddress External, int LocalPort) : AddressReason;

    /// <summary>The configured address with the port that a server saw on this address.</summary>
    public sealed record ConfiguredWithMappedPort(TransportAddress External, TransportAddress Server) : AddressReason;

    /// <summary>The configured address with the local port.</summary>
    /// <param name="External">What is advertised.</param>
    /// <param name="Mapping">What a server saw instead, where one did.</param>
    public sealed record ConfiguredWithLocalPort(TransportAddress External, SocketMapping? Mapping) : AddressReason;

    /// <summary>No NAT: a server sees the socket's own address.</summary>
    public sealed record NotTranslated(TransportAddress Local, TransportAddress Server) : AddressReason;

    /// <summary>The local address is a public one.</summary>
    public sealed record LocalIsPublic(TransportAddress Local) : AddressReason;

    /// <summary>The address that a server saw, with the port of a forward.</summary>
    public sealed record MappedWithForward(SocketMapping Mapping, int ExternalPort) : AddressReason;

    /// <summary>An address from before, with the port of a forward.</summary>
    public sealed record LastKnownWithForward(TransportAddress External) : AddressReason;

    /// <summary>The cloud has put this address in front of the local one.</summary>
    public sealed record GivenByCloud(TransportAddress External) : AddressReason;

    /// <summary>The router was asked for the port and gave it.</summary>
    public sealed record MappedByRouter(TransportAddress External, PortMappingMethod Method) : AddressReason;

    public sealed record Mapped(SocketMapping Mapping) : AddressReason;

    /// <summary>What a server saw is of no use: other peers get other mappings.</summary>
    public sealed record MappingVaries(TransportAddress Local, SocketMapping Mapping) : AddressReason;

    /// <summary>Only relayed addresses are to be told.</summary>
    public sealed record RelayOnly(RelayedAddress Relayed) : AddressReason;

    /// <summary>Only relayed addresses are to be told, and there is none.</summary>
    public sealed record NoRelay : AddressReason;

    /// <summary>What a server saw is of no use, or none answered; a TURN server's address is.</summary>
    /// <param name="Mapping">What a STUN server saw; null where none answered.</param>
    public sealed record RelayedForWant(RelayedAddress Relayed, SocketMapping? Mapping) : AddressReason;

    /// <summary>No answer yet: the address that was seen last.</summary>
    public sealed record NoAnswerYet(TransportAddress External) : AddressReason;

    public sealed record NothingKnown(TransportAddress Local) : AddressReason;

    /// <summary>Every other kind of address was tried.</summary>
    public sealed record OthersFailed(TransportAddress Local) : AddressReason;
}

public static class AddressReasonText
{
    public static string Explain(this AddressReason reason) => reason switch
    {
        AddressReason.PeerIsThisMachine(var peer) =>
            $"peer {peer.AddressText} is this machine: the local address",
        AddressReason.PeerIsLocal(var peer, var network) =>
            $"peer {peer.AddressText} is on a local network ({network}): the local address",
        AddressReason.LocalIsConfigured(var local) =>
            $"Nat:ExternalAddress {local.AddressText} is the local address",
        AddressReason.ConfiguredWithForward(var external, var localPort) when external.Port == localPort =>
            $"Nat:ExternalAddress {external.AddressText} with Nat:ForwardedPorts Same",
        AddressReason.ConfiguredWithForward(var external, var localPort) =>
            $"Nat:ExternalAddress {external.AddressText} with Nat:ForwardedPorts Same: port {external.Port} leads to {localPort}",
        AddressReason.ConfiguredWithMappedPort(var external, var server) =>
            $"Nat:ExternalAddress {external.AddressText}; STUN server {server} saw port {external.Port} there",
        AddressReason.ConfiguredWithLocalPort(var external, null) =>
            $"Nat:ExternalAddress {external.AddressText}; no forward is configured: the local port",
        AddressReason.ConfiguredWithLocalPort(var external, { } mapping) =>
            $"Nat:ExternalAddress {external.AddressText}; no forward is configured: the local port, though {Saw(mapping)}",
        AddressReason.NotTranslated(_, var server) =>
            $"STUN server {server} saw the local address: there is no NAT",
        AddressReason.LocalIsPublic => "the local address is public",
        AddressReason.MappedWithForward(var mapping, var port) when mapping.VariesByDestination =>
            $"mapping varies by destination: address from STUN server {mapping.Server}, port {port} from the forward",
        AddressReason.MappedWithForward(var mapping, var port) =>
            $"address from STUN server {mapping.Server}, port {port} from the forward",
        AddressReason.LastKnownWithForward(var external) =>
            $"no STUN answer yet: last known external address {external.AddressText}, port {external.Port} from the forward",
        AddressReason.GivenByCloud(var external) => $"the cloud's metadata service names {external.AddressText} for the local address",
        AddressReason.MappedByRouter(var external, var method) => $"the router opened {external} for this port ({method.Explain()})",
        AddressReason.Mapped(var mapping) => $"{Saw(mapping)}; no forward is configured",
        AddressReason.MappingVaries(_, var mapping) =>
            $"mapping varies by destination, {Saw(mapping)}, and no forward is configured: local address, relying on the peer's latching",
        AddressReason.RelayOnly(var relayed) => $"Nat:RelayOnly: TURN server {relayed.Server} relays",
        AddressReason.NoRelay => "Nat:RelayOnly, and no TURN server relays: none",
        AddressReason.RelayedForWant(var relayed, { } mapping) =>
            $"mapping varies by destination, {Saw(mapping)}, and no forward is configured: TURN server {relayed.Server} relays",
        AddressReason.RelayedForWant(var relayed, null) => $"no STUN server answered: TURN server {relayed.Server} relays",
        AddressReason.NoAnswerYet(var external) =>
            $"no STUN answer yet: last known external address {external.AddressText}",
        AddressReason.OthersFailed => "the others brought nothing: local address",
        AddressReason.NothingKnown => "no external address known: local address, relying on the peer's latching",
        _ => throw new UnreachableException(),
    };

    private static string Saw(SocketMapping mapping) => $"STUN server {mapping.Server} saw this socket as {mapping.Mapped}";
}
