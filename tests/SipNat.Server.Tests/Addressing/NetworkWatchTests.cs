using SipNat.Server.Addressing;
using SipNat.Server.Transport;
using SipNat.Wire;

namespace SipNat.Server.Tests.Addressing;

public sealed class NetworkWatchTests
{
    [Fact]
    public void A_state_differs_by_any_address_or_route()
    {
        var gateway = new DefaultGateway(TransportAddress.Parse("192.168.1.1"), TransportAddress.Parse("192.168.1.10"));
        NetworkState[] states =
        [
            new([], null),
            new([], gateway),
            new([], gateway with { Router = TransportAddress.Parse("192.168.1.2") }),
            new([Interface("eth0", "192.168.1.10", 24)], gateway),
            new([Interface("eth0", "192.168.1.10", 16)], gateway),
            new([Interface("eth0", "192.168.1.10", 24), Interface("tun0", "10.8.0.2", 24)], gateway),
        ];

        foreach (var state in states)
        {
            Assert.Equal(state, new([.. state.Addresses], state.Gateway));
            Assert.Single(states, other => other.Equals(state));
        }
    }

    private static InterfaceAddress Interface(string name, string address, int length) =>
        new(name, TransportAddress.Parse(address), new(TransportAddress.Parse(address), length));
}
