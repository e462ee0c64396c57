using System.Net;
using System.Net.Sockets;
using SipNat.Wire;

namespace SipNat.Tests.Wire;

public sealed class TransportAddressTests
{
    [Theory]
    [InlineData("192.0.2.1:5060", "192.0.2.1:5060", AddressFamily.InterNetwork)]
    [InlineData("192.0.2.1", "192.0.2.1:0", AddressFamily.InterNetwork)]
    [InlineData("0.0.0.0:0", "0.0.0.0:0", AddressFamily.InterNetwork)]
    [InlineData("255.255.255.255:65535", "255.255.255.255:65535", AddressFamily.InterNetwork)]
    [InlineData("[2001:db8::1]:5060", "[2001:db8::1]:5060", AddressFamily.InterNetworkV6)]
    [InlineData("[2001:DB8:0:0::1]", "[2001:db8::1]:0", AddressFamily.InterNetworkV6)]
    [InlineData("2001:db8::1", "[2001:db8::1]:0", AddressFamily.InterNetworkV6)]
    [InlineData("[::]:1", "[::]:1", AddressFamily.InterNetworkV6)]
    [InlineData("[::ffff:192.0.2.1]:5060", "192.0.2.1:5060", AddressFamily.InterNetwork)]
    [InlineData("::ffff:c000:201", "192.0.2.1:0", AddressFamily.InterNetwork)]
    public void An_address_is_read_and_written_in_its_shortest_form(string text, string canonical, AddressFamily family)
    {
        Assert.True(TransportAddress.TryParse(text, out var address));
        Assert.Equal((canonical, family), (address.ToString(), address.Family));
        Assert.Equal(address, TransportAddress.Parse(canonical));
        Assert.Equal(address, TransportAddress.From(address.ToIPEndPoint()));
    }

    [Theory]
    [InlineData("")]
    [InlineData(":5060")]
    [InlineData("1")]
    [InlineData("1.2.3")]
    [InlineData("1.2.3.4.5")]
    [InlineData("1.2.3.256")]
    [InlineData("1.2.3.-4")]
    [InlineData("01.2.3.4")]
    [InlineData("0x7f.0.0.1")]
    [InlineData("1.2.3.4:")]
    [InlineData("1.2.3.4:65536")]
    [InlineData("1.2.3.4:-1")]
    [InlineData("1.2.3.4: 5060")]
    [InlineData("1.2.3.4:99999999999")]
    [InlineData("example.com:5060")]
    [InlineData("[2001:db8::1")]
    [InlineData("2001:db8::1]:5060")]
    [InlineData("[2001:db8::1]5060")]
    [InlineData("[2001:db8::1]:x")]
    [InlineData("[fe80::1%eth0]:5060")]
    [InlineData("[]:5060")]
    [InlineData("[:::]:5060")]
    public void What_is_not_an_address_is_refused(string text)
    {
        Assert.False(TransportAddress.TryParse(text, out var address));
        Assert.True(address.IsNone);
        Assert.Throws<FormatException>(() => TransportAddress.Parse(text));
    }

    [Fact]
    public void A_missing_port_is_the_default_one()
    {
        Assert.Equal(5060, TransportAddress.Parse("192.0.2.1", 5060).Port);
        Assert.Equal(5060, TransportAddress.Parse("[2001:db8::1]", 5060).Port);
        Assert.Equal(7, TransportAddress.Parse("192.0.2.1:7", 5060).Port);
    }

    // RFC 1918, RFC 6598, RFC 3927, RFC 4193, RFC 4291 §2.5.6 and loopback, each with the addresses beside its borders.
    [Theory]
    [InlineData("9.255.255.255", false)]
    [InlineData("10.0.0.0", true)]
    [InlineData("10.255.255.255", true)]
    [InlineData("11.0.0.0", false)]
    [InlineData("100.63.255.255", false)]
    [InlineData("100.64.0.0", true)]
    [InlineData("100.127.255.255", true)]
    [InlineData("100.128.0.0", false)]
    [InlineData("126.255.255.255", false)]
    [InlineData("127.0.0.1", true)]
    [InlineData("128.0.0.0", false)]
    [InlineData("169.253.255.255", false)]
    [InlineData("169.254.0.1", true)]
    [InlineData("169.255.0.0", false)]
    [InlineData("172.15.255.255", false)]
    [InlineData("172.16.0.0", true)]
    [InlineData("172.31.255.255", true)]
    [InlineData("172.32.0.0", false)]
    [InlineData("192.167.255.255", false)]
    [InlineData("192.168.0.0", true)]
    [InlineData("192.168.255.255", true)]
    [InlineData("192.169.0.0", false)]
    [InlineData("203.0.113.1", false)]
    [InlineData("::1", true)]
    [InlineData("::2", false)]
    [InlineData("2001:db8::1", false)]
    [InlineData("fbff::1", false)]
    [InlineData("fc00::1", true)]
    [InlineData("fdff:ffff::1", true)]
    [InlineData("fe00::1", false)]
    [InlineData("fe7f::1", false)]
    [InlineData("fe80::1", true)]
    [InlineData("febf::1", true)]
    [InlineData("fec0::1", false)]
    [InlineData("::ffff:10.0.0.1", true)]
    [InlineData("::ffff:11.0.0.1", false)]
    public void Private_is_what_the_internet_does_not_route(string text, bool isPrivate) =>
        Assert.Equal(isPrivate, TransportAddress.Parse(text).IsPrivate);

    [Theory]
    [InlineData("0.0.0.0", true, false, false, false)]
    [InlineData("::", true, false, false, false)]
    [InlineData("127.9.9.9", false, true, false, false)]
    [InlineData("::1", false, true, false, false)]
    [InlineData("224.0.0.1", false, false, true, false)]
    [InlineData("239.255.255.255", false, false, true, false)]
    [InlineData("255.255.255.255", false, false, true, false)]
    [InlineData("240.0.0.1", false, false, false, false)]
    [InlineData("ff02::1", false, false, true, false)]
    [InlineData("169.254.7.7", false, false, false, true)]
    [InlineData("fe80::7", false, false, false, true)]
    [InlineData("192.0.2.1", false, false, false, false)]
    public void Addresses_of_a_special_kind_are_known(string text, bool isUnspecified, bool isLoopback, bool isMulticastOrBroadcast, bool isLinkLocal)
    {
        var address = TransportAddress.Parse(text);

        Assert.Equal(
            (isUnspecified, isLoopback, isMulticastOrBroadcast, isLinkLocal),
            (address.IsUnspecified, address.IsLoopback, address.IsMulticastOrBroadcast, address.IsLinkLocal));
    }

    [Fact]
    public void None_is_nothing_of_all()
    {
        TransportAddress none = default;

        Assert.Equal((true, false, false, 0), (none.IsNone, none.IsIPv4, none.IsIPv6, none.AddressLength));
        Assert.Equal((false, false, false, false, false), (none.IsUnspecified, none.IsLoopback, none.IsMulticastOrBroadcast, none.IsLinkLocal, none.IsPrivate));
        Assert.Equal(("none", "none", 0), (none.ToString(), none.AddressText, none.WriteOctets([])));
        Assert.NotEqual(none, TransportAddress.Parse("0.0.0.0:0"));
    }

    [Fact]
    public void Octets_go_out_and_come_back()
    {
        foreach (var text in new[] { "192.0.2.1:5060", "[2001:db8::8:800:200c:417a]:443", "[::]:0" })
        {
            var address = TransportAddress.Parse(text);
            var octets = new byte[address.AddressLength];
            Assert.Equal(octets.Length, address.WriteOctets(octets));

            Assert.Equal(address, new TransportAddress(octets, address.Port));
            Assert.Equal(octets, address.ToIPAddress().GetAddressBytes());
        }
    }

    [Fact]
    public void Only_four_or_sixteen_octets_and_sixteen_bits_of_port_make_an_address()
    {
        Assert.Throws<ArgumentException>(() => new TransportAddress(new byte[5], 1));
        Assert.Throws<ArgumentException>(() => new TransportAddress([], 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new TransportAddress(IPAddress.Loopback, 65536));
        Assert.Throws<ArgumentOutOfRangeException>(() => new TransportAddress(IPAddress.Loopback, -1));
    }

    [Fact]
    public void A_port_can_be_exchanged_and_hosts_be_compared_without_it()
    {
        var address = TransportAddress.Parse("192.0.2.1:5060");

        Assert.Equal(TransportAddress.Parse("192.0.2.1:7"), address.WithPort(7));
        Assert.True(address.HasSameAddress(address.WithPort(7)));
        Assert.False(address.HasSameAddress(TransportAddress.Parse("192.0.2.2:5060")));
        Assert.False(TransportAddress.Parse("[::c000:201]:5060").HasSameAddress(address));
        Assert.Equal(("2001:db8::1", "[2001:db8::1]"), (TransportAddress.Parse("[2001:db8::1]:1").AddressText, TransportAddress.Parse("[2001:db8::1]:1").HostText));
    }

    [Fact]
    public void Comparing_and_writing_octets_allocates_nothing()
    {
        var left = TransportAddress.Parse("192.0.2.1:5060");
        var right = TransportAddress.Parse("[2001:db8::1]:5060");
        Span<byte> octets = stackalloc byte[16];
        var sink = 0;
        Compare(1, left, right, octets, ref sink);

        var before = GC.GetAllocatedBytesForCurrentThread();
        Compare(1000, left, right, octets, ref sink);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.NotEqual(0, sink);
    }

    private static void Compare(int rounds, TransportAddress left, TransportAddress right, Span<byte> octets, ref int sink)
    {
        for (var i = 0; i < rounds; i++)
        {
            if (left == right || left.HasSameAddress(right)) sink++;
            sink += left.GetHashCode() + right.WriteOctets(octets) + (right.IsPrivate ? 1 : 0);
            sink |= new TransportAddress(octets, i).Port | 1;
        }
    }
}
