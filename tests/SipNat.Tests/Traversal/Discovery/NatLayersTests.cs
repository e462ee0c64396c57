using SipNat.Traversal.Discovery;
using SipNat.Wire;

namespace SipNat.Tests.Traversal.Discovery;

public sealed class NatLayersTests
{
    [Theory]
    [InlineData("198.51.100.50", "198.51.100.50", null, "", 0, 0.95)]
    [InlineData("192.168.1.10", null, "203.0.113.1", "192.168.1.1", null, 0)]
    [InlineData("192.168.1.10", "203.0.113.1", "203.0.113.1", "192.168.1.1", 1, 0.95)]
    [InlineData("192.168.1.10", "203.0.113.9", "100.64.0.2", "", 2, 0.95)]
    [InlineData("192.168.1.10", "203.0.113.9", "192.168.0.2", "", 2, 0.95)]
    [InlineData("192.168.1.10", "203.0.113.9", "198.51.100.7", "192.168.1.1", null, 0)]
    [InlineData("192.168.1.10", "203.0.113.9", null, "192.168.1.1 100.64.0.1 198.51.100.9", 2, 0.85)]
    [InlineData("192.168.1.10", "203.0.113.9", null, "192.168.1.1 - 100.127.255.254", 2, 0.85)]
    [InlineData("100.64.0.10", "203.0.113.9", null, "100.64.0.1 198.51.100.9", null, 0)]
    [InlineData("192.168.1.10", "203.0.113.9", null, "192.168.1.1 192.168.0.1 198.51.100.9", null, 0)]
    [InlineData("192.168.1.10", "203.0.113.1", null, "192.168.1.1 198.51.100.9", null, 0)]
    [InlineData("192.168.1.10", "203.0.113.1", null, "192.168.1.1 server", 1, 0.95)]
    [InlineData("192.168.1.10", "203.0.113.1", null, "192.168.1.1 100.64.0.1 server", 2, 0.85)]
    [InlineData("192.168.1.10", "203.0.113.1", null, "- server", 1, 0.95)]
    [InlineData("192.168.1.10", "203.0.113.1", null, "", null, 0)]
    [InlineData("fd00::10", "2001:db8::10", null, "", null, 0)]
    [InlineData("2001:db8::10", "2001:db8::10", null, "", 0, 0.95)]
    public void Layers_follow_from_the_router_and_the_way(string local, string? external, string? router, string hops, int? layers, double confidence)
    {
        var names = hops.Split(' ', StringSplitOptions.RemoveEmptyEntries);

        var count = new NatLayers(Address(local), Address(external))
        {
            Router = Address(router),
            Hops = [.. names.Select(name => name switch { "-" => default, "server" => Address("198.51.100.1"), _ => Address(name) })],
            IsServerReached = names is [.., "server"],
        }.Count;

        Assert.Equal((layers, confidence), (count.Value, count.Confidence));
    }

    private static TransportAddress Address(string? text) =>
        text is null ? default : TransportAddress.Parse(text.Contains(':') ? $"[{text}]" : text);
}
