using SipNat.Traversal.Turn;
using SipNat.Wire;

namespace SipNat.Tests.Traversal.Turn;

public sealed class TurnUriTests
{
    [Theory] // RFC 7065 appendix A, and what goes beyond it
    [InlineData("turn:example.org", false, "example.org", 0, null, 3478, TransportProtocol.Udp)]
    [InlineData("turns:example.org", true, "example.org", 0, null, 5349, TransportProtocol.Tls)]
    [InlineData("turn:example.org:8000", false, "example.org", 8000, null, 8000, TransportProtocol.Udp)]
    [InlineData("turn:example.org?transport=udp", false, "example.org", 0, TransportProtocol.Udp, 3478, TransportProtocol.Udp)]
    [InlineData("turn:example.org?transport=tcp", false, "example.org", 0, TransportProtocol.Tcp, 3478, TransportProtocol.Tcp)]
    [InlineData("turns:example.org?transport=tcp", true, "example.org", 0, TransportProtocol.Tls, 5349, TransportProtocol.Tls)]
    [InlineData("turn:192.0.2.1:3479?transport=tcp", false, "192.0.2.1", 3479, TransportProtocol.Tcp, 3479, TransportProtocol.Tcp)]
    [InlineData("turns:[2001:db8::1]", true, "2001:db8::1", 0, null, 5349, TransportProtocol.Tls)]
    [InlineData("turn:[2001:db8::1]:3479", false, "2001:db8::1", 3479, null, 3479, TransportProtocol.Udp)]
    [InlineData("turn:_turn.example-1.org", false, "_turn.example-1.org", 0, null, 3478, TransportProtocol.Udp)]
    public void A_uri_is_read_and_written_back(string text, bool isSecure, string host, int port, TransportProtocol? transport, int effectivePort, TransportProtocol effective)
    {
        Assert.True(TurnUri.TryParse(text, out var uri, out var defect));

        Assert.Equal(new TurnUri(isSecure, host, port, transport), uri);
        Assert.Equal((TurnUriDefect.None, effectivePort, effective, text), (defect, uri.EffectivePort, uri.EffectiveTransport, uri.ToString()));
    }

    [Fact]
    public void Scheme_and_transport_ignore_case() // RFC 3986 §3.1, §6.2.2.1
    {
        Assert.True(TurnUri.TryParse("TURN:Example.org?Transport=TCP", out var uri, out _));

        Assert.Equal(new(false, "Example.org", 0, TransportProtocol.Tcp), uri);
    }

    [Theory]
    [InlineData("[2001:db8::1]", 3478, "turn:[2001:db8::1]")]
    [InlineData("192.0.2.1", 5349, "turns:192.0.2.1")]
    [InlineData("192.0.2.1", 99, "turn:192.0.2.1:99")]
    public void An_address_is_known_without_a_lookup(string host, int port, string text)
    {
        Assert.True(TurnUri.TryParse(text, out var uri, out _));
        Assert.Equal(TransportAddress.Parse($"{host}:{port}"), uri.Address);

        Assert.True(TurnUri.TryParse("turn:example.org", out var named, out _));
        Assert.True(named.Address.IsNone);
    }

    [Theory]
    [InlineData("", TurnUriDefect.Scheme)]
    [InlineData("example.org", TurnUriDefect.Scheme)]
    [InlineData("stun:example.org", TurnUriDefect.Scheme)]
    [InlineData("turn", TurnUriDefect.Scheme)]
    [InlineData("turn:", TurnUriDefect.Host)]
    [InlineData("turn:?transport=udp", TurnUriDefect.Host)]
    [InlineData("turn://example.org", TurnUriDefect.Host)]
    [InlineData("turn:user@example.org", TurnUriDefect.Host)]
    [InlineData("turn:example..org", TurnUriDefect.Host)]
    [InlineData("turn:192.0.2", TurnUriDefect.Host)]
    [InlineData("turn:0.0.0.0", TurnUriDefect.Host)]
    [InlineData("turn:224.0.0.1", TurnUriDefect.Host)]
    [InlineData("turn:2001:db8::1", TurnUriDefect.Port)]
    [InlineData("turn:[2001:db8::1", TurnUriDefect.Port)]
    [InlineData("turn:example.org:", TurnUriDefect.Port)]
    [InlineData("turn:example.org:0", TurnUriDefect.Port)]
    [InlineData("turn:example.org:65536", TurnUriDefect.Port)]
    [InlineData("turn:example.org?", TurnUriDefect.Transport)]
    [InlineData("turn:example.org?transport=", TurnUriDefect.Transport)]
    [InlineData("turn:example.org?transport=sctp", TurnUriDefect.Transport)]
    [InlineData("turn:example.org?ttl=1", TurnUriDefect.Transport)]
    [InlineData("turns:example.org?transport=udp", TurnUriDefect.Dtls)]
    public void What_is_no_uri_is_refused_with_its_reason(string text, TurnUriDefect expected)
    {
        Assert.False(TurnUri.TryParse(text, out _, out var defect));
        Assert.Equal(expected, defect);
    }
}
