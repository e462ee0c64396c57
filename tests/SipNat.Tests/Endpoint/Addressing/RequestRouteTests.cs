using SipNat.Endpoint.Addressing;
using SipNat.Wire;

namespace SipNat.Tests.Endpoint.Addressing;

public sealed class RequestRouteTests
{
    private const string Source = "198.51.100.20:34567";

    private static readonly LocalNetworks Networks = new([NetworkPrefix.Parse("192.168.1.0/24")]);

    [Theory]
    [InlineData("203.0.113.9:5060", Source, "the target 203.0.113.9:5060")] // a proxy that recorded its route
    [InlineData("198.51.100.20:5060", Source, "the target 198.51.100.20:5060")]
    [InlineData("192.168.1.6:5060", "192.168.1.5:5060", "the target 192.168.1.6:5060")]
    [InlineData("127.0.0.1:5070", "127.0.0.1:5060", "the target 127.0.0.1:5070")]
    public void A_target_that_can_be_reached_is_used(string target, string source, string why) // RFC 3261 §12.2.1.1
    {
        var route = Choose(target, source);

        Assert.Equal((RequestRouteKind.Target, TransportAddress.Parse(target)), (route.Kind, route.Destination));
        Assert.Equal(why, route.Explain());
    }

    [Theory]
    [InlineData("192.168.1.100:5060", "the target is a private address of another network: back to 198.51.100.20:34567, where the peer's requests come from")]
    [InlineData("10.0.0.5:5060", "the target is a private address of another network: back to 198.51.100.20:34567, where the peer's requests come from")]
    [InlineData("127.0.0.1:5060", "the target is a loopback address of another machine: back to 198.51.100.20:34567, where the peer's requests come from")]
    [InlineData("0.0.0.0:5060", "the target's address is unspecified: back to 198.51.100.20:34567, where the peer's requests come from")]
    [InlineData("239.1.1.1:5060", "the target is a group address: back to 198.51.100.20:34567, where the peer's requests come from")]
    [InlineData(null, "the target has no address: back to 198.51.100.20:34567, where the peer's requests come from")]
    public void A_target_that_leads_nowhere_gives_way_to_the_flow_of_the_peer(string? target, string why)
    {
        var route = Choose(target, Source);

        Assert.Equal((RequestRouteKind.PeerFlow, TransportAddress.Parse(Source)), (route.Kind, route.Destination));
        Assert.Equal(why, route.Explain());
    }

    [Theory]
    [InlineData(TransportProtocol.Tcp, true, RequestRouteKind.PeerFlow, "the connection with 198.51.100.20:34567 is open")]
    [InlineData(TransportProtocol.Tls, true, RequestRouteKind.PeerFlow, "the connection with 198.51.100.20:34567 is open")]
    [InlineData(TransportProtocol.Tcp, false, RequestRouteKind.Target, "the target 198.51.100.20:5060")]
    [InlineData(TransportProtocol.Udp, true, RequestRouteKind.Target, "the target 198.51.100.20:5060")]
    public void An_open_connection_with_the_target_is_used_again(TransportProtocol transport, bool isOpen, RequestRouteKind kind, string why)
    {
        var route = Choose("198.51.100.20:5060", Source, transport, isOpen);

        Assert.Equal(kind, route.Kind);
        Assert.Equal(why, route.Explain());
    }

    [Fact]
    public void An_open_connection_with_somebody_else_is_not() =>
        Assert.Equal(RequestRouteKind.Target, Choose("203.0.113.9:5060", Source, TransportProtocol.Tcp).Kind);

    [Fact]
    public void Without_target_and_flow_there_is_no_way()
    {
        var route = Choose("10.0.0.5:5060", Source, TransportProtocol.Tcp, isOpen: false);

        Assert.Equal(new RequestRoute(RequestRouteKind.None, default, RequestRouteReason.TargetPrivate), route);
        Assert.Equal("the target is a private address of another network: no way to the peer", route.Explain());
    }

    private static RequestRoute Choose(
        string? target, string source, TransportProtocol transport = TransportProtocol.Udp, bool isOpen = true) =>
        RequestRoute.Choose(
            new()
            {
                Target = target is null ? default : TransportAddress.Parse(target),
                PeerSource = TransportAddress.Parse(source),
                Transport = transport,
                FlowIsOpen = isOpen,
            },
            Networks);
}
