using SipNat.Wire;

namespace SipNat.Tests.Wire;

public sealed class NetworkPrefixTests
{
    [Theory]
    [InlineData("192.168.0.0/16", "192.168.0.0/16")]
    [InlineData("192.168.3.4/16", "192.168.0.0/16")]
    [InlineData("192.0.2.1", "192.0.2.1/32")]
    [InlineData("0.0.0.0/0", "0.0.0.0/0")]
    [InlineData("10.255.255.255/9", "10.128.0.0/9")]
    [InlineData("fc00::/7", "fc00::/7")]
    [InlineData("fdff::1/7", "fc00::/7")]
    [InlineData("2001:db8::1", "2001:db8::1/128")]
    [InlineData("::/0", "::/0")]
    public void A_network_is_read_and_its_host_bits_are_dropped(string text, string canonical)
    {
        Assert.True(NetworkPrefix.TryParse(text, out var prefix));
        Assert.Equal(canonical, prefix.ToString());
        Assert.Equal(prefix, NetworkPrefix.Parse(canonical));
    }

    [Theory]
    [InlineData("")]
    [InlineData("/8")]
    [InlineData("10")]
    [InlineData("10/8")]
    [InlineData("10.0.0.0/")]
    [InlineData("10.0.0.0/33")]
    [InlineData("10.0.0.0/-1")]
    [InlineData("10.0.0.0/ 8")]
    [InlineData("10.0.0.0/8/8")]
    [InlineData("10.0.0.0:80/8")]
    [InlineData("10.0.0.256/8")]
    [InlineData("::/129")]
    [InlineData("[::1]/128")]
    [InlineData("fe80::1%eth0/64")]
    [InlineData("example.com/8")]
    public void What_is_not_a_network_is_refused(string text)
    {
        Assert.False(NetworkPrefix.TryParse(text, out _));
        Assert.Throws<FormatException>(() => NetworkPrefix.Parse(text));
    }

    [Theory]
    [InlineData("192.168.0.0/16", "192.168.0.0:1", true)]
    [InlineData("192.168.0.0/16", "192.168.255.255:1", true)]
    [InlineData("192.168.0.0/16", "192.169.0.0:1", false)]
    [InlineData("192.168.0.0/16", "[::ffff:192.168.1.1]:1", true)]
    [InlineData("192.168.0.0/16", "[::c0a8:101]:1", false)]
    [InlineData("10.128.0.0/9", "10.127.255.255:1", false)]
    [InlineData("10.128.0.0/9", "10.128.0.0:1", true)]
    [InlineData("192.0.2.1", "192.0.2.1:65535", true)]
    [InlineData("192.0.2.1", "192.0.2.0:65535", false)]
    [InlineData("0.0.0.0/0", "255.255.255.255:1", true)]
    [InlineData("0.0.0.0/0", "[::1]:1", false)]
    [InlineData("fc00::/7", "[fdff::9]:1", true)]
    [InlineData("fc00::/7", "[fe00::9]:1", false)]
    [InlineData("2001:db8::/33", "[2001:db8:7fff::1]:1", true)]
    [InlineData("2001:db8::/33", "[2001:db8:8000::1]:1", false)]
    public void A_network_contains_the_addresses_that_share_its_bits(string network, string address, bool isInside) =>
        Assert.Equal(isInside, NetworkPrefix.Parse(network).Contains(TransportAddress.Parse(address)));

    [Fact]
    public void No_network_contains_none_and_lengths_are_checked()
    {
        Assert.False(NetworkPrefix.Parse("0.0.0.0/0").Contains(default));
        Assert.Throws<ArgumentOutOfRangeException>(() => new NetworkPrefix(TransportAddress.Parse("10.0.0.0"), 33));
        Assert.Throws<ArgumentOutOfRangeException>(() => new NetworkPrefix(TransportAddress.Parse("10.0.0.0"), -1));
    }

    [Fact]
    public void Containing_agrees_with_a_comparison_bit_by_bit()
    {
        var random = new Random(4);
        var octets = new byte[4];
        for (var i = 0; i < 2000; i++)
        {
            random.NextBytes(octets);
            var network = new TransportAddress(octets, 0);
            var length = random.Next(33);
            octets[random.Next(4)] ^= (byte)(1 << random.Next(8));
            var address = new TransportAddress(octets, 0);

            Assert.Equal(Bits(network)[..length] == Bits(address)[..length], new NetworkPrefix(network, length).Contains(address));
        }

        static string Bits(TransportAddress address) => string.Concat(address.ToIPAddress().GetAddressBytes().Select(octet => $"{octet:b8}"));
    }
}
