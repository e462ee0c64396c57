using SipNat.Server.Addressing;
using SipNat.Wire;

namespace SipNat.Server.Tests.Addressing;

public sealed class DefaultGatewayTests
{
    private const string Head = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT                                                       ";

    [Fact]
    public void The_default_route_with_the_lowest_metric_names_the_gateway()
    {
        Assert.SkipUnless(BitConverter.IsLittleEndian, "The lines were taken from a little-endian machine.");

        var found = DefaultGateway.Parse(
        [
            Head,
            "wlan0\t00000000\t0101A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0                                                                            ",
            "eth0\t00000000\tFE01000A\t0003\t0\t0\t100\t00000000\t0\t0\t0                                                                             ",
            "eth0\t0001000A\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0                                                                             ",
        ]);

        Assert.Equal(TransportAddress.Parse("10.0.1.254"), found);
    }

    [Theory]
    [InlineData("tun0\t00000000\t00000000\t0001\t0\t0\t50\t00000000\t0\t0\t0")] // a tunnel has no gateway
    [InlineData("tun0\t00000000\t0101A8C0\t0003\t0\t0\t50\t00000080\t0\t0\t0")] // half of the internet
    [InlineData("eth0\t00000000\t0101A8C0\t0002\t0\t0\t50\t00000000\t0\t0\t0")] // down
    [InlineData("eth0\t00000000\tXYZ\t0003\t0\t0\t50\t00000000\t0\t0\t0")]
    [InlineData("")]
    public void Other_lines_name_none(string line) => Assert.True(DefaultGateway.Parse([Head, line]).IsNone);
}
