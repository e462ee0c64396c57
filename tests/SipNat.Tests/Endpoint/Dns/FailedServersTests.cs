using SipNat.Endpoint.Dns;
using SipNat.Wire;

namespace SipNat.Tests.Endpoint.Dns;

public sealed class FailedServersTests
{
    private readonly FailedServers _failed = new();
    private Instant _now = new(0);

    [Fact]
    public void Those_that_failed_are_tried_last_until_their_time_is_over()
    {
        _failed.Add(_now, Server(1));
        _failed.Add(_now, Server(2) with { TlsName = "example" }, TimeSpan.FromSeconds(20));
        Assert.Equal("3 4 2 1", Order());

        _now += TimeSpan.FromSeconds(20);
        Assert.Equal("2 3 4 1", Order());

        _now += FailedServers.Avoidance - TimeSpan.FromSeconds(20);
        Assert.Equal("1 2 3 4", Order());
    }

    [Fact]
    public void An_answer_ends_it_and_no_server_asks_for_more_than_an_hour()
    {
        _failed.Add(_now, Server(1), TimeSpan.FromDays(400));
        _failed.Add(_now, Server(2));
        _failed.Remove(Server(2) with { TlsName = "example" });
        Assert.Equal("2 3 4 1", Order());

        _now += FailedServers.LongestAvoidance;
        Assert.Equal("1 2 3 4", Order());
    }

    [Fact]
    public void A_transport_and_a_port_are_servers_of_their_own()
    {
        _failed.Add(_now, Server(1) with { Transport = TransportProtocol.Tcp });
        _failed.Add(_now, Server(2) with { Address = Server(2).Address.WithPort(5080) });

        Assert.Equal("1 2 3 4", Order());
    }

    [Fact]
    public void More_than_are_remembered_make_room()
    {
        for (var port = 1; port <= FailedServers.MaxServers + 1; port++) _failed.Add(_now + TimeSpan.FromTicks(port), new(TransportProtocol.Udp, Server(1).Address.WithPort(port)));

        LocatedServer[] servers = [new(TransportProtocol.Udp, Server(1).Address.WithPort(2)), new(TransportProtocol.Udp, Server(1).Address.WithPort(1))];
        Assert.Equal([1, 2], _failed.Order(_now, servers, static server => server).Select(static server => (int)server.Address.Port));
    }

    private static LocatedServer Server(int number) => new(TransportProtocol.Udp, TransportAddress.Parse($"192.0.2.{number}:5060"));

    private string Order() => string.Join(' ', _failed.Order(_now, [Server(1), Server(2), Server(3), Server(4)], static server => server).Select(static server => server.Address.AddressText[^1]));
}
