using SipNat.Wire;

namespace SipNat.Tests.Wire;

public sealed class TransportProtocolTests
{
    [Fact]
    public void Only_udp_loses_messages() =>
        Assert.Equal([TransportProtocol.Udp], Enum.GetValues<TransportProtocol>().Where(protocol => !protocol.IsReliable));
}
