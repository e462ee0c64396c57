using SipNat.Endpoint.Addressing;
using SipNat.Wire;

namespace SipNat.Tests.Endpoint.Addressing;

public sealed class LocalNetworksTests
{
    private static readonly LocalNetworks Networks = new([NetworkPrefix.Parse("192.168.1.0/24"), NetworkPrefix.Parse("192.168.0.0/16")]);

    [Fact]
    public void The_first_network_that_holds_an_address_is_named()
    {
        Assert.True(Networks.TryFind(TransportAddress.Parse("192.168.1.5:1"), out var first));
        Assert.True(Networks.TryFind(TransportAddress.Parse("192.168.2.5:1"), out var second));
        Assert.False(Networks.TryFind(TransportAddress.Parse("10.0.0.1:1"), out _));
        Assert.False(Networks.TryFind(default, out _));
        Assert.Equal(["192.168.1.0/24", "192.168.0.0/16"], new[] { first.ToString(), second.ToString() });
    }

    [Theory]
    [InlineData("203.0.113.9:5060", "203.0.113.9:5060", UnusableAddress.None)]
    [InlineData("203.0.113.9:5060", "198.51.100.1:5060", UnusableAddress.None)]
    [InlineData("203.0.113.9:0", "198.51.100.1:5060", UnusableAddress.Missing)]
    [InlineData(null, "198.51.100.1:5060", UnusableAddress.Missing)]
    [InlineData("0.0.0.0:5060", "192.168.1.5:5060", UnusableAddress.Unspecified)]
    [InlineData("[::]:5060", "[2001:db8::1]:5060", UnusableAddress.Unspecified)]
    [InlineData("239.1.1.1:5060", "192.168.1.5:5060", UnusableAddress.Multicast)]
    [InlineData("255.255.255.255:5060", "192.168.1.5:5060", UnusableAddress.Multicast)]
    [InlineData("[ff02::1]:5060", "[2001:db8::1]:5060", UnusableAddress.Multicast)]
    [InlineData("127.0.0.1:5060", "198.51.100.1:5060", UnusableAddress.Loopback)]
    [InlineData("127.0.0.1:5060", "192.168.1.5:5060", UnusableAddress.Loopback)]
    [InlineData("127.0.0.1:5060", "127.0.0.2:5060", UnusableAddress.None)]
    [InlineData("[::1]:5060", "[::1]:5070", UnusableAddress.None)]
    [InlineData("192.168.1.100:5060", "198.51.100.1:5060", UnusableAddress.PrivateOutside)]
    [InlineData("192.168.1.100:5060", "192.168.1.5:5060", UnusableAddress.None)]
    [InlineData("10.1.1.1:5060", "192.168.1.5:5060", UnusableAddress.None)]
    [InlineData("10.1.1.1:5060", "10.1.1.1:9999", UnusableAddress.None)]
    [InlineData("10.1.1.2:5060", "10.1.1.1:5060", UnusableAddress.PrivateOutside)]
    [InlineData("100.64.0.9:5060", "198.51.100.1:5060", UnusableAddress.PrivateOutside)]
    [InlineData("169.254.1.1:5060", "198.51.100.1:5060", UnusableAddress.PrivateOutside)]
    [InlineData("[fd00::9]:5060", "[2001:db8::1]:5060", UnusableAddress.PrivateOutside)]
    [InlineData("[fe80::9]:5060", "[2001:db8::1]:5060", UnusableAddress.PrivateOutside)]
    public void A_written_address_is_judged_by_its_source(string? written, string source, UnusableAddress expected) =>
        Assert.Equal(
            expected,
            Networks.Judge(written is null ? default : TransportAddress.Parse(written), TransportAddress.Parse(source)));
}
