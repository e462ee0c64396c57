using System.Net;
using System.Net.Sockets;
using SipNat.Server.Transport;
using SipNat.Wire;

namespace SipNat.Server.Tests.Transport;

public sealed class SocketAddressesTests
{
    [Theory]
    [InlineData("192.0.2.1:5060")]
    [InlineData("255.255.255.255:65535")]
    [InlineData("[2001:db8::1]:5061")]
    [InlineData("[::]:0")]
    public void An_address_is_what_the_framework_makes_of_it_and_comes_back(string text)
    {
        var address = TransportAddress.Parse(text);
        var socketAddress = new SocketAddress(address.Family);

        Assert.True(address.TryCopyTo(socketAddress));

        Assert.Equal(address.ToIPEndPoint().Serialize(), socketAddress);
        Assert.Equal(address, socketAddress.ToTransportAddress());
    }

    [Fact]
    public void Another_family_is_not_copied()
    {
        Assert.False(TransportAddress.Parse("192.0.2.1:5060").TryCopyTo(new SocketAddress(AddressFamily.InterNetworkV6)));
        Assert.False(default(TransportAddress).TryCopyTo(new SocketAddress(AddressFamily.InterNetwork)));
    }

    [Fact]
    public void The_way_there_and_back_allocates_nothing()
    {
        var address = TransportAddress.Parse("192.0.2.1:5060");
        var socketAddress = new SocketAddress(AddressFamily.InterNetwork);
        Assert.Equal(address, There(address, socketAddress));

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++) There(address, socketAddress);

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static TransportAddress There(TransportAddress address, SocketAddress socketAddress)
    {
        address.TryCopyTo(socketAddress);
        return socketAddress.ToTransportAddress();
    }
}
