using SipNat.Traversal.PortMapping;
using SipNat.Wire;

namespace SipNat.Endpoint.Addressing;

/// <summary>
/// Which address of a socket a peer is told, and why. In this order: the local address for local peers, a configured
/// external address, the one that a cloud has put in front, a forwarded port with a learned address, a port that the router opened, the local address where
/// nothing translates it, what a STUN server saw (only while it does not depend on who looks), what a TURN server lends,
/// what was known last, the local address. Where only relays are to be used, the second is the last.
/// </summary>
public sealed class AddressAdvisor(AddressingOptions options)
{
    public LocalNetworks LocalNetworks { get; } = new(options.LocalNetworks);

    /// <summary>Whether peers outside the local networks are told relayed addresses only.</summary>
    public bool IsRelayOnly => options.IsRelayOnly;

    public AdvertisedAddress Advise(in AddressQuestion question)
    {
        var avoided = question.Avoided;
        return Unless(avoided, ForLocalPeer(question))
            ?? FromRelayOnly(question)
            ?? (question.PrefersRelay ? FromRelay(question) : null)
            ?? Unless(avoided, FromConfiguration(question))
            ?? Unless(avoided, FromCloud(question))
            ?? Unless(avoided, FromForward(question))
            ?? Unless(avoided, FromRouter(question))
            ?? Unless(avoided, FromMapping(question))
            ?? Unless(avoided, FromRelay(question))
            ?? Unless(avoided, WithoutMapping(question))
            ?? Unless(avoided, Host(question.Local, new AddressReason.OthersFailed(question.Local)))
            ?? Advise(question with { Avoided = default });
    }

    private static AdvertisedAddress? Unless(AddressKindSet avoided, AdvertisedAddress? address) =>
        address is { } known && avoided.Contains(known.Kind) ? null : address;

    private AdvertisedAddress? ForLocalPeer(in AddressQuestion question)
    {
        var (peer, local) = (question.Peer, question.Local);
        if (peer.IsLoopback || peer.HasSameAddress(local)) return Host(local, new AddressReason.PeerIsThisMachine(peer));

        return LocalNetworks.TryFind(peer, out var network)
            ? Host(local, new AddressReason.PeerIsLocal(peer, network))
            : null;
    }

    private AdvertisedAddress? FromConfiguration(in AddressQuestion question)
    {
        var local = question.Local;
        var mapping = UsableMapping(question);
        if (FindConfigured(local, mapping) is not { } configured) return null;
        if (configured.HasSameAddress(local)) return Host(local, new AddressReason.LocalIsConfigured(local));

        if (options.ForwardedPorts is ForwardedPorts.Same)
        {
            var external = configured.WithPort(ForwardedPort(question.Use, local.Port));
            return new(external, AddressKind.Forwarded, new AddressReason.ConfiguredWithForward(external, local.Port));
        }

        // Without a forward this is a NAT that keeps ports (1:1, cloud), or one whose port only a server can tell.
        if (mapping is { VariesByDestination: false } seen && seen.Mapped.HasSameAddress(configured))
        {
            return new(seen.Mapped, AddressKind.Configured, new AddressReason.ConfiguredWithMappedPort(seen.Mapped, seen.Server));
        }

        var same = configured.WithPort(local.Port);
        return new(same, AddressKind.Configured, new AddressReason.ConfiguredWithLocalPort(same, mapping));
    }

    // Of several addresses of the socket's family, the one that a server saw; else the first.
    private TransportAddress? FindConfigured(TransportAddress local, SocketMapping? mapping)
    {
        TransportAddress? first = null;
        foreach (var external in options.External)
        {
            if (external.Family != local.Family) continue;
            if (external.HasSameAddress(local) || (mapping is { } seen && seen.Mapped.HasSameAddress(external))) return external;
            first ??= external;
        }

        return first;
    }

    // A cloud translates addresses one to one and leaves the ports as they are.
    private AdvertisedAddress? FromCloud(in AddressQuestion question)
    {
        var local = question.Local;
        if (!options.CloudAddresses.TryGetValue(local.WithPort(0), out var given)) return null;

        var external = given.WithPort(local.Port);
        return new(external, AddressKind.Configured, new AddressReason.GivenByCloud(external));
    }

    // Behind a NAT that maps per destination the port that a server saw is useless; the address is not.
    private AdvertisedAddress? FromForward(in AddressQuestion question)
    {
        if (options.ForwardedPorts is not ForwardedPorts.Same) return null;

        var (local, last) = (question.Local, question.LastKnown);
        var port = ForwardedPort(question.Use, local.Port);
        if (UsableMapping(question) is { } mapping)
        {
            return mapping.Mapped.HasSameAddress(local)
                ? null
                : new(mapping.Mapped.WithPort(port), AddressKind.Forwarded, new AddressReason.MappedWithForward(mapping, port));
        }

        if (!IsTranslated(local) || last.Family != local.Family) return null;

        var external = last.WithPort(port);
        return new(external, AddressKind.Forwarded, new AddressReason.LastKnownWithForward(external));
    }

    private AdvertisedAddress? FromRelayOnly(in AddressQuestion question) => !options.IsRelayOnly || question.Use is not AddressUse.Media
        ? null
        : question.Relayed is { } relayed
            ? new(relayed.Address, AddressKind.Relayed, new AddressReason.RelayOnly(relayed))
            : new(default, AddressKind.Relayed, new AddressReason.NoRelay());

    private static AdvertisedAddress? FromRelay(in AddressQuestion question) =>
        question.Relayed is { } relayed && IsTranslated(question.Local)
            ? new(relayed.Address, AddressKind.Relayed, new AddressReason.RelayedForWant(relayed, UsableMapping(question)))
            : null;

    // What the router calls outside is outside only where no further NAT follows: a private address says so by itself, a
    // public one by what a server saw from this very socket.
    private AdvertisedAddress? FromRouter(in AddressQuestion question)
    {
        if (!options.RouterMappings.TryGetValue(InternalPort.Of(question.Transport, question.Local), out var router)) return null;
        if (router.External.IsPrivate && !question.Peer.IsPrivate) return null;
        if (UsableMapping(question) is { } seen && !seen.Mapped.HasSameAddress(router.External)) return null;

        return new(router.External, AddressKind.Mapped, new AddressReason.MappedByRouter(router.External, router.Method));
    }

    private static AdvertisedAddress? FromMapping(in AddressQuestion question)
    {
        if (UsableMapping(question) is not { } mapping) return null;
        if (mapping.Mapped == question.Local) return Host(question.Local, new AddressReason.NotTranslated(question.Local, mapping.Server));

        return mapping.VariesByDestination
            ? FromRelay(question) ?? Host(question.Local, new AddressReason.MappingVaries(question.Local, mapping))
            : new(mapping.Mapped, AddressKind.ServerReflexive, new AddressReason.Mapped(mapping));
    }

    private static AdvertisedAddress WithoutMapping(in AddressQuestion question)
    {
        var (local, last) = (question.Local, question.LastKnown);
        if (!IsTranslated(local)) return Host(local, new AddressReason.LocalIsPublic(local));
        if (last.Family != local.Family) return Host(local, new AddressReason.NothingKnown(local));

        var external = last.Port == 0 ? last.WithPort(local.Port) : last;
        return new(external, AddressKind.LastKnown, new AddressReason.NoAnswerYet(external));
    }

    // A server on the near side of the NAT sees a private address, which means nothing to a public peer.
    private static SocketMapping? UsableMapping(in AddressQuestion question) =>
        question.Mapping is { } mapping
        && mapping.Mapped.Family == question.Local.Family
        && (!mapping.Mapped.IsPrivate || question.Peer.IsPrivate)
            ? mapping
            : null;

    private static bool IsTranslated(TransportAddress local) => local.IsPrivate;

    private int ForwardedPort(AddressUse use, int localPort)
    {
        var port = use switch
        {
            AddressUse.Signalling when localPort == options.SipPort => options.ExternalSipPort ?? localPort,
            AddressUse.Media when localPort >= options.MediaFirstPort && options.ExternalMediaFirstPort is { } first =>
                first + localPort - options.MediaFirstPort,
            _ => localPort,
        };
        return port is > 0 and <= ushort.MaxValue ? port : localPort;
    }

    private static AdvertisedAddress Host(TransportAddress local, AddressReason reason) => new(local, AddressKind.Host, reason);
}
