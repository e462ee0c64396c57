using SipNat.Endpoint.Addressing;
using SipNat.Traversal.PortMapping;
using SipNat.Traversal.Stun;
using SipNat.Wire;

namespace SipNat.Tests.Endpoint.Addressing;

public sealed class AddressAdvisorTests
{
    private const string Peer = "198.51.100.20:5060";
    private const string Lan = "192.168.1.10:10000";
    private const string Stun = "198.51.100.1:3478";

    private static readonly AddressingOptions Plain = new()
    {
        LocalNetworks = [NetworkPrefix.Parse("192.168.1.0/24"), NetworkPrefix.Parse("fd00::/8")],
    };

    private static readonly AddressingOptions Forwarded = Plain with { ForwardedPorts = ForwardedPorts.Same };

    [Theory]
    [InlineData("192.168.1.5:5060", Lan, "peer 192.168.1.5 is on a local network (192.168.1.0/24): the local address")]
    [InlineData("127.0.0.1:5060", "127.0.0.1:10000", "peer 127.0.0.1 is this machine: the local address")]
    [InlineData("127.0.0.1:5060", Lan, "peer 127.0.0.1 is this machine: the local address")]
    [InlineData("192.168.1.10:5070", Lan, "peer 192.168.1.10 is this machine: the local address")]
    [InlineData("203.0.113.5:5070", "203.0.113.5:10000", "peer 203.0.113.5 is this machine: the local address")]
    [InlineData("[fd00::5]:5060", "[fd00::10]:10000", "peer fd00::5 is on a local network (fd00::/8): the local address")]
    public void Local_peers_are_told_the_local_address_whatever_is_configured(string peer, string local, string why)
    {
        var options = Forwarded with { External = [TransportAddress.Parse("203.0.113.7")] };

        Expect(Advise(options, local, peer, Seen("203.0.113.7:61000")), local, AddressKind.Host, why);
    }

    [Theory]
    [InlineData("203.0.113.7:10000", AddressKind.Configured, null, "Nat:ExternalAddress 203.0.113.7; no forward is configured: the local port")]
    [InlineData("203.0.113.7:61000", AddressKind.Configured, "203.0.113.7:61000", "Nat:ExternalAddress 203.0.113.7; STUN server 198.51.100.1:3478 saw port 61000 there")]
    [InlineData("203.0.113.7:10000", AddressKind.Configured, "203.0.113.8:61000", "Nat:ExternalAddress 203.0.113.7; no forward is configured: the local port, though STUN server 198.51.100.1:3478 saw this socket as 203.0.113.8:61000")]
    public void A_configured_address_without_a_forward_takes_the_port_that_a_server_saw_there(
        string expected, AddressKind kind, string? mapped, string why)
    {
        var options = Plain with { External = [TransportAddress.Parse("203.0.113.7")] };

        Expect(Advise(options, Lan, Peer, Seen(mapped)), expected, kind, why);
    }

    [Fact]
    public void A_configured_address_without_a_forward_keeps_the_local_port_where_the_mapping_varies()
    {
        var options = Plain with { External = [TransportAddress.Parse("203.0.113.7")] };

        Expect(
            Advise(options, Lan, Peer, Seen("203.0.113.7:61000", varies: true)),
            "203.0.113.7:10000",
            AddressKind.Configured,
            "Nat:ExternalAddress 203.0.113.7; no forward is configured: the local port, though STUN server 198.51.100.1:3478 saw this socket as 203.0.113.7:61000");
    }

    [Theory]
    [InlineData(AddressUse.Media, "192.168.1.10:10004", null, null, "203.0.113.7:10004", "Nat:ExternalAddress 203.0.113.7 with Nat:ForwardedPorts Same")]
    [InlineData(AddressUse.Media, "192.168.1.10:10004", null, 30000, "203.0.113.7:30004", "Nat:ExternalAddress 203.0.113.7 with Nat:ForwardedPorts Same: port 30004 leads to 10004")]
    [InlineData(AddressUse.Media, "192.168.1.10:9000", null, 30000, "203.0.113.7:9000", "Nat:ExternalAddress 203.0.113.7 with Nat:ForwardedPorts Same")]
    [InlineData(AddressUse.Media, "192.168.1.10:20000", null, 60000, "203.0.113.7:20000", "Nat:ExternalAddress 203.0.113.7 with Nat:ForwardedPorts Same")]
    [InlineData(AddressUse.Signalling, "192.168.1.10:5060", 5070, 30000, "203.0.113.7:5070", "Nat:ExternalAddress 203.0.113.7 with Nat:ForwardedPorts Same: port 5070 leads to 5060")]
    [InlineData(AddressUse.Signalling, "192.168.1.10:5061", 5070, 30000, "203.0.113.7:5061", "Nat:ExternalAddress 203.0.113.7 with Nat:ForwardedPorts Same")]
    public void A_configured_address_with_a_forward_has_the_forwarded_port(
        AddressUse use, string local, int? sipPort, int? mediaPort, string expected, string why)
    {
        var options = Forwarded with
        {
            External = [TransportAddress.Parse("203.0.113.7")],
            ExternalSipPort = sipPort,
            ExternalMediaFirstPort = mediaPort,
        };

        Expect(Advise(options, local, Peer, Seen("203.0.113.9:61000"), use: use), expected, AddressKind.Forwarded, why);
    }

    [Fact]
    public void Of_several_configured_addresses_the_one_that_a_server_saw_is_told()
    {
        var options = Plain with
        {
            External = [TransportAddress.Parse("[2001:db8::7]"), TransportAddress.Parse("203.0.113.7"), TransportAddress.Parse("203.0.113.8")],
        };

        Assert.Equal(TransportAddress.Parse("203.0.113.7:10000"), Advise(options, Lan, Peer).Address);
        Assert.Equal(TransportAddress.Parse("203.0.113.8:61000"), Advise(options, Lan, Peer, Seen("203.0.113.8:61000")).Address);
    }

    [Fact]
    public void A_configured_address_that_is_the_local_one_needs_no_forward()
    {
        var options = Forwarded with { External = [TransportAddress.Parse("203.0.113.7")], ExternalMediaFirstPort = 30000 };

        Expect(
            Advise(options, "203.0.113.7:10000", Peer),
            "203.0.113.7:10000",
            AddressKind.Host,
            "Nat:ExternalAddress 203.0.113.7 is the local address");
    }

    [Theory]
    [InlineData(false, "address from STUN server 198.51.100.1:3478, port 10000 from the forward")]
    [InlineData(true, "mapping varies by destination: address from STUN server 198.51.100.1:3478, port 10000 from the forward")]
    public void With_a_forward_alone_the_address_comes_from_the_server_and_the_port_from_the_forward(bool varies, string why) =>
        Expect(
            Advise(Forwarded, Lan, Peer, Seen("203.0.113.7:61000", varies)),
            "203.0.113.7:10000",
            AddressKind.Forwarded,
            why);

    [Fact]
    public void With_a_forward_and_no_answer_the_last_known_address_has_the_forwarded_port() =>
        Expect(
            Advise(Forwarded with { ExternalMediaFirstPort = 30000 }, Lan, Peer, lastKnown: "203.0.113.7:61000"),
            "203.0.113.7:30000",
            AddressKind.Forwarded,
            "no STUN answer yet: last known external address 203.0.113.7, port 30000 from the forward");

    [Theory]
    [InlineData(ForwardedPorts.None)]
    [InlineData(ForwardedPorts.Same)]
    public void Without_a_nat_the_local_address_is_told(ForwardedPorts forwarded) =>
        Expect(
            Advise(Plain with { ForwardedPorts = forwarded, ExternalMediaFirstPort = 30000 }, "203.0.113.7:10000", Peer, Seen("203.0.113.7:10000")),
            "203.0.113.7:10000",
            AddressKind.Host,
            "STUN server 198.51.100.1:3478 saw the local address: there is no NAT");

    [Theory]
    [InlineData("203.0.113.7:10000", Peer)]
    [InlineData("[2001:db8::7]:10000", "[2001:db8:1::20]:5060")]
    public void A_public_local_address_is_told_where_no_server_has_answered(string local, string peer) =>
        Expect(Advise(Plain, local, peer, lastKnown: "192.0.2.1:1"), local, AddressKind.Host, "the local address is public");

    [Fact]
    public void An_ipv6_socket_does_not_take_a_configured_ipv4_address()
    {
        var options = Forwarded with { External = [TransportAddress.Parse("203.0.113.7")] };

        Expect(
            Advise(options, "[2001:db8::7]:10000", "[2001:db8:1::20]:5060"),
            "[2001:db8::7]:10000",
            AddressKind.Host,
            "the local address is public");
    }

    [Theory]
    [InlineData(null, "203.0.113.7:61000", AddressKind.Mapped, "the router opened 203.0.113.7:61000 for this port (PCP)")]
    [InlineData("203.0.113.7:33333", "203.0.113.7:61000", AddressKind.Mapped, "the router opened 203.0.113.7:61000 for this port (PCP)")]
    [InlineData("203.0.113.8:33333", "203.0.113.8:33333", AddressKind.ServerReflexive, "STUN server 198.51.100.1:3478 saw this socket as 203.0.113.8:33333; no forward is configured")]
    public void A_port_that_the_router_opened_is_told_unless_another_nat_follows(string? mapped, string expected, AddressKind kind, string why) =>
        Expect(Advise(Opened("203.0.113.7:61000"), Lan, Peer, Seen(mapped)), expected, kind, why);

    [Theory]
    [InlineData(null)]
    [InlineData("203.0.113.8:33333")]
    public void The_address_that_a_cloud_put_in_front_is_told_with_the_local_port(string? mapped)
    {
        var options = Opened("203.0.113.9:61000") with
        {
            CloudAddresses = new Dictionary<TransportAddress, TransportAddress> { [TransportAddress.Parse("192.168.1.10")] = TransportAddress.Parse("203.0.113.7") },
        };

        Expect(
            Advise(options, Lan, Peer, Seen(mapped)),
            "203.0.113.7:10000",
            AddressKind.Configured,
            "the cloud's metadata service names 203.0.113.7 for the local address");
        Assert.Equal("192.168.1.10:10000", Advise(options, Lan, "192.168.1.5:5060").Address.ToString());
        Assert.Equal("203.0.113.1:10000", Advise(options with { External = [TransportAddress.Parse("203.0.113.1")] }, Lan, Peer).Address.ToString());
        Assert.Equal("192.168.1.11:10000", Advise(options, "192.168.1.11:10000", Peer).Address.ToString());
    }

    [Theory]
    [InlineData("198.51.100.20:5060", Lan, AddressKind.Host)]
    [InlineData("10.9.9.9:5060", "100.64.0.7:61000", AddressKind.Mapped)]
    public void A_port_on_a_private_address_of_the_router_is_told_to_private_peers_only(string peer, string expected, AddressKind kind)
    {
        var advised = Advise(Opened("100.64.0.7:61000"), Lan, peer);

        Assert.Equal((TransportAddress.Parse(expected), kind), (advised.Address, advised.Kind));
    }

    [Fact]
    public void A_router_opens_the_ports_of_tcp_apart()
    {
        var question = new AddressQuestion { Transport = TransportProtocol.Tls, Peer = TransportAddress.Parse(Peer), Local = TransportAddress.Parse(Lan) };
        var options = Plain with
        {
            RouterMappings = new Dictionary<InternalPort, RouterMapping>
            {
                [new(TransportProtocol.Udp, TransportAddress.Parse(Lan))] = new(TransportAddress.Parse("203.0.113.7:1"), PortMappingMethod.Upnp),
                [new(TransportProtocol.Tcp, TransportAddress.Parse(Lan))] = new(TransportAddress.Parse("203.0.113.7:2"), PortMappingMethod.NatPmp),
            },
        };

        Expect(new AddressAdvisor(options).Advise(question), "203.0.113.7:2", AddressKind.Mapped, "the router opened 203.0.113.7:2 for this port (NAT-PMP)");
        Expect(
            new AddressAdvisor(options).Advise(question with { Transport = TransportProtocol.Udp }),
            "203.0.113.7:1",
            AddressKind.Mapped,
            "the router opened 203.0.113.7:1 for this port (UPnP)");
    }

    [Fact]
    public void A_configured_address_and_a_forward_come_before_what_the_router_opened()
    {
        var options = Opened("203.0.113.7:61000");

        Assert.Equal(AddressKind.Configured, Advise(options with { External = [TransportAddress.Parse("203.0.113.9")] }, Lan, Peer).Kind);
        Assert.Equal(AddressKind.Forwarded, Advise(options with { ForwardedPorts = ForwardedPorts.Same }, Lan, Peer, Seen("203.0.113.7:33333")).Kind);
    }

    [Fact]
    public void What_a_server_saw_is_told_where_nothing_is_configured() =>
        Expect(
            Advise(Plain, Lan, Peer, Seen("203.0.113.7:61000")),
            "203.0.113.7:61000",
            AddressKind.ServerReflexive,
            "STUN server 198.51.100.1:3478 saw this socket as 203.0.113.7:61000; no forward is configured");

    [Fact]
    public void A_mapping_that_varies_is_not_told() =>
        Expect(
            Advise(Plain, Lan, Peer, Seen("203.0.113.7:61000", varies: true), lastKnown: "203.0.113.7:61000"),
            Lan,
            AddressKind.Host,
            "mapping varies by destination, STUN server 198.51.100.1:3478 saw this socket as 203.0.113.7:61000, and no forward is configured: local address, relying on the peer's latching");

    [Theory]
    [InlineData("198.51.100.20:5060", "192.168.1.10:10000", AddressKind.Host)]
    [InlineData("10.9.9.9:5060", "172.16.0.5:61000", AddressKind.ServerReflexive)]
    public void A_private_mapping_is_told_to_private_peers_only(string peer, string expected, AddressKind kind)
    {
        var advised = Advise(Plain, Lan, peer, Seen("172.16.0.5:61000"));

        Assert.Equal((TransportAddress.Parse(expected), kind), (advised.Address, advised.Kind));
    }

    [Theory]
    [InlineData("203.0.113.7:0", "203.0.113.7:10000")]
    [InlineData("203.0.113.7:61000", "203.0.113.7:61000")]
    public void Without_an_answer_the_last_known_address_is_told(string lastKnown, string expected) =>
        Expect(
            Advise(Plain, Lan, Peer, lastKnown: lastKnown),
            expected,
            AddressKind.LastKnown,
            "no STUN answer yet: last known external address 203.0.113.7");

    [Fact]
    public void Without_anything_the_local_address_is_told() =>
        Expect(
            Advise(Plain, Lan, Peer),
            Lan,
            AddressKind.Host,
            "no external address known: local address, relying on the peer's latching");

    [Fact]
    public void The_mapping_of_a_socket_is_what_its_client_knows()
    {
        var outbox = new Outbox();
        var (local, server) = (TransportAddress.Parse(Lan), TransportAddress.Parse(Stun));
        var client = new StunBindingClient(new(1), local, new() { Servers = [server] }, new Random(1));
        client.Start(new(0));
        client.HandleTimeout(new(0), outbox);
        Assert.Null(SocketMapping.Of(client));

        Assert.True(outbox.TryTake(out var request));
        var writer = new StunWriter(new byte[64], StunClass.Success, StunMethod.Binding, StunTransactionId.Read(request.Payload[8..]));
        writer.AddAddress(StunAttributeType.XorMappedAddress, TransportAddress.Parse("203.0.113.7:61000"));
        client.TryHandle(new(1), server, writer.Written);
        outbox.Release(request);

        Assert.Equal(Seen("203.0.113.7:61000"), SocketMapping.Of(client));
    }

    private static AddressingOptions Opened(string external) => Plain with
    {
        RouterMappings = new Dictionary<InternalPort, RouterMapping>
        {
            [new(TransportProtocol.Udp, TransportAddress.Parse(Lan))] = new(TransportAddress.Parse(external), PortMappingMethod.Pcp),
        },
    };

    private static SocketMapping? Seen(string? mapped, bool varies = false) =>
        mapped is null ? null : new(TransportAddress.Parse(mapped), TransportAddress.Parse(Stun), varies);

    private static AdvertisedAddress Advise(
        AddressingOptions options,
        string local,
        string peer,
        SocketMapping? mapping = null,
        string? lastKnown = null,
        AddressUse use = AddressUse.Media) =>
        new AddressAdvisor(options).Advise(new()
        {
            Use = use,
            Peer = TransportAddress.Parse(peer),
            Local = TransportAddress.Parse(local),
            Mapping = mapping,
            LastKnown = lastKnown is null ? default : TransportAddress.Parse(lastKnown),
        });

    private static void Expect(AdvertisedAddress actual, string address, AddressKind kind, string why)
    {
        Assert.Equal(TransportAddress.Parse(address), actual.Address);
        Assert.Equal(kind, actual.Kind);
        Assert.Equal(why, actual.Explain());
    }
}
