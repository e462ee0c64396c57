using System.Net;
using SipNat.Server.Hosting;
using SipNat.Server.Transport;
using SipNat.Wire;

namespace SipNat.Server.Tests.Transport;

public sealed class SipListenersTests
{
    private IReadOnlyList<InterfaceAddress> _addresses = [];

    [Fact]
    public async Task A_wildcard_listener_is_one_socket_per_address_and_follows_them()
    {
        var port = LoopbackPorts.Next();
        _addresses = [Address("127.0.0.1"), Address("127.0.0.2"), Address("::1")];
        await using var running = RunningHost.Start(new(TransportProtocol.Udp, TransportAddress.Parse("0.0.0.0", port)), prepare: Prepare);
        Assert.Equal([$"udp://127.0.0.1:{port}", $"udp://127.0.0.2:{port}"], running.Host.Bound.Select(bound => bound.ToString()));
        await running.Core.NextAsync();
        await running.Core.NextAsync();

        _addresses = [Address("127.0.0.2"), Address("127.0.0.3")];
        running.Host.FollowAddresses();

        string[] told = [await running.Core.NextAsync(), await running.Core.NextAsync()];
        Assert.Equal(["Closed Udp none", "Opened Udp none"], told.Order());
        Assert.Equal([$"udp://127.0.0.2:{port}", $"udp://127.0.0.3:{port}"], running.Host.Bound.Select(bound => bound.ToString()).Order());
    }

    [Fact]
    public async Task An_address_that_is_not_there_yet_does_not_keep_a_wildcard_listener_from_starting()
    {
        var port = LoopbackPorts.Next();
        _addresses = [Address("127.0.0.1"), Address("192.0.2.77")];

        await using var running = RunningHost.Start(new(TransportProtocol.Udp, TransportAddress.Parse("0.0.0.0", port)), prepare: Prepare);

        Assert.Equal([$"udp://127.0.0.1:{port}"], running.Host.Bound.Select(bound => bound.ToString()));
    }

    [Theory]
    [InlineData(TransportProtocol.Udp)]
    [InlineData(TransportProtocol.Tcp)]
    public async Task A_taken_port_is_told_with_the_listener_and_what_helps(TransportProtocol transport)
    {
        await using var first = RunningHost.Start(RunningHost.AnyUdp with { Transport = transport });
        var taken = first.Host.Bound.Single();

        var error = Assert.Throws<UnavailableException>(() => RunningHost.Start(taken));

        Assert.Equal($"Cannot listen on {taken}: the port is taken by another program; end it or set Sip:Listen to another port.", error.Message);
    }

    [Fact]
    public void An_address_of_another_machine_is_told_as_such()
    {
        var error = Assert.Throws<UnavailableException>(() => RunningHost.Start(new(TransportProtocol.Udp, TransportAddress.Parse("192.0.2.77:5060"))));

        Assert.Contains("does not belong to this machine", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void This_machine_has_a_loopback_address_with_its_network()
    {
        var loopback = Assert.Single(LocalInterfaces.Read(), address => address.Address == TransportAddress.Parse("127.0.0.1"));

        Assert.Equal(NetworkPrefix.Parse("127.0.0.0/8"), loopback.Network);
    }

    [Fact]
    public void Private_networks_are_those_of_private_addresses_without_loopback()
    {
        InterfaceAddress[] addresses = [Address("127.0.0.1"), Address("192.168.1.5"), Address("192.168.1.6"), Address("198.51.100.7"), Address("fd00::1"), Address("100.64.0.9")];

        Assert.Equal(
            ["192.168.1.0/24", "fd00::/64", "100.64.0.0/24"],
            LocalInterfaces.PrivateNetworks(addresses).Select(network => network.ToString()));
    }

    private void Prepare(CoreHost host) => host.ReadAddresses = () => _addresses;

    private static InterfaceAddress Address(string text)
    {
        var address = new TransportAddress(IPAddress.Parse(text), 0);
        return new("test0", address, new(address, address.IsIPv4 ? 24 : 64));
    }
}
