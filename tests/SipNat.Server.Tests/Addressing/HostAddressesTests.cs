using SipNat.Server.Addressing;
using SipNat.Server.Transport;
using SipNat.Wire;

namespace SipNat.Server.Tests.Addressing;

public sealed class HostAddressesTests
{
    // A server with two networks, a bridge of containers, and two addresses of IPv6 on one interface.
    private static readonly IReadOnlyList<InterfaceAddress> Machine =
    [
        On("lo", "127.0.0.1", 8),
        On("lo", "::1", 128),
        On("eth0", "10.0.0.5", 24),
        On("eth0", "2001:db8:a::5", 64),
        On("eth0", "2001:db8:a::6", 64),
        On("eth1", "192.168.7.5", 24),
        On("docker0", "172.17.0.1", 16),
        On("usb0", "169.254.3.4", 16),
        On("eth1", "2001:db8:b::5", 64),
    ];

    [Fact]
    public void One_of_each_family_is_taken_of_each_interface_and_first_those_that_lead_to_the_internet() => Assert.Equal(
        ["2001:db8:a::6", "192.168.7.5", "127.0.0.1", "::1", "10.0.0.5", "172.17.0.1", "2001:db8:b::5"],
        Of("", "2001:db8:a::6", "192.168.7.5"));

    [Fact]
    public void Without_a_way_to_the_internet_the_order_is_that_of_the_interfaces() => Assert.Equal(
        ["127.0.0.1", "::1", "10.0.0.5", "2001:db8:a::5", "192.168.7.5", "172.17.0.1", "2001:db8:b::5"],
        Of("", "", ""));

    [Theory]
    [InlineData("10.0.0.5", "10.0.0.5 2001:db8:a::5")]
    [InlineData("2001:db8:b::5", "192.168.7.5 2001:db8:b::5")]
    [InlineData("172.17.0.1", "172.17.0.1")]
    public void A_configured_address_is_the_only_one_of_its_family_and_names_the_interface_of_the_other(string configured, string expected) =>
        Assert.Equal(expected, string.Join(' ', Of(configured, "", "")));

    private static IEnumerable<string> Of(string configured, string routeOfIPv6, string routeOfIPv4) =>
        HostAddresses.Of(Machine, Parse(configured), to => Parse(to.IsIPv6 ? routeOfIPv6 : routeOfIPv4)).Select(a => a.AddressText);

    private static TransportAddress Parse(string address) => address.Length == 0 ? default : TransportAddress.Parse(address);

    private static InterfaceAddress On(string name, string address, int prefix) =>
        new(name, TransportAddress.Parse(address), new NetworkPrefix(TransportAddress.Parse(address), prefix));
}
