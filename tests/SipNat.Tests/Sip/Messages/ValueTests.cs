using System.Text;
using SipNat.Sip.Messages;
using SipNat.Wire;

namespace SipNat.Tests.Sip.Messages;

public class ValueTests
{
    [Theory]
    [InlineData("SIP/2.0/UDP 192.0.2.1", "UDP 192.0.2.1 0 branch= received= rport=0")]
    [InlineData("SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK1;rport", "UDP 192.0.2.1 5070 branch=z9hG4bK1 received= rport=0?")]
    [InlineData("SIP/2.0/TCP host.example:5060;Branch=x;RPORT=1024;Received=203.0.113.9", "TCP host.example 5060 branch=x received=203.0.113.9 rport=1024?")]
    [InlineData("SIP/2.0/TLS [2001:db8::9:1]:5061;received=2001:db8::1;branch=z9hG4bKb", "TLS 2001:db8::9:1 5061 branch=z9hG4bKb received=2001:db8::1 rport=0")]
    [InlineData("SIP / 2.0 / UDP  first.example : 4000 ;ttl=16 ; maddr=224.2.0.1 ; branch = a7", "UDP first.example 4000 branch=a7 received= rport=0")]
    [InlineData("SIP/2.0/UDP 192.0.2.1;;rport=70000;;branch=b;", "UDP 192.0.2.1 0 branch=b received= rport=0?")]
    [InlineData("SIP/2.0/UDP", null)]
    [InlineData("SIP/2.0/UDP ", null)]
    [InlineData("SIP/2.0 192.0.2.1", null)]
    [InlineData("SIP/2.0/UDP 192.0.2.1:", null)]
    [InlineData("SIP/2.0/UDP 192.0.2.1:65536", null)]
    [InlineData("SIP/2.0/UDP 192.0.2.1 rport", null)]
    [InlineData("SIP/2.0/UDP [2001:db8::1", null)]
    [InlineData("SIP/2.0/UDP [nothex]", null)]
    [InlineData("SIP/2.0/UDP ;branch=x", null)]
    [InlineData("", null)]
    public void Via_is_read(string text, string? expected)
    {
        var read = Via.TryRead(Encoding.UTF8.GetBytes(text), out var via);

        Assert.Equal(expected is not null, read);
        if (!read) return;

        var actual = $"{Wired.Text(via.Transport)} {Wired.Text(via.Host)} {via.Port} branch={Wired.Text(via.Branch)} received={Wired.Text(via.Received)} rport={via.RPort}{(via.HasRPort ? "?" : "")}";
        Assert.Equal(expected, actual);
    }

    [Theory]
    [InlineData("SIP/2.0/UDP 10.0.0.1:5070;rport=1024;received=203.0.113.9", "203.0.113.9:1024")]
    [InlineData("SIP/2.0/UDP 10.0.0.1:5070;rport=1024", "10.0.0.1:1024")]
    [InlineData("SIP/2.0/UDP [2001:db8::2];rport=9;received=[2001:db8::1]", "[2001:db8::1]:9")]
    [InlineData("SIP/2.0/UDP 10.0.0.1:5070;rport;received=203.0.113.9", null)]
    [InlineData("SIP/2.0/UDP host.example;rport=5", null)]
    public void Via_of_a_response_says_where_its_request_was_seen_from(string text, string? expected)
    {
        Assert.True(Via.TryRead(Encoding.UTF8.GetBytes(text), out var via));
        Assert.Equal(expected, via.TryGetReflexive(out var address) ? address.ToString() : null);
    }

    [Theory]
    [InlineData("sip:alice:secret@Example.com:5080;transport=TCP;lr?subject=x", "Sip alice Example.com 5080 ;transport=TCP;lr")]
    [InlineData("SIPS:[2001:db8::1]", "Sips  2001:db8::1 0 ")]
    [InlineData("sip:user;par=u%40example.net@example.com", "Sip user;par=u%40example.net example.com 0 ")]
    [InlineData("tel:+1-201-555-0123;phone-context=example.com", "Tel +1-201-555-0123  0 ;phone-context=example.com")]
    [InlineData("urn:service:sos", "Other   0 ")]
    [InlineData("sip:a@host_with_underscore", "Sip a host_with_underscore 0 ")]
    [InlineData("sip:", null)]
    [InlineData("sip:a@", null)]
    [InlineData("sip:a@host:port", null)]
    [InlineData("sip:a@host:99999", null)]
    [InlineData("sip:a b@host", null)]
    [InlineData("<sip:a@host>", null)]
    [InlineData("alice", null)]
    [InlineData(":x", null)]
    [InlineData("tel:", null)]
    [InlineData("", null)]
    public void Uri_is_read(string text, string? expected)
    {
        var read = SipUri.TryParse(text, out var uri);

        Assert.Equal(expected is not null, read);
        if (uri is null) return;

        SipUriView.TryRead(Encoding.UTF8.GetBytes(text), out var view);
        Assert.Equal(expected, $"{uri.Scheme} {uri.User} {uri.Host} {uri.Port} {Wired.Text(view.Parameters.Text)}");
        Assert.Equal(text, uri.ToString());
    }

    [Fact]
    public void Uri_gives_its_parameters_and_address()
    {
        var uri = SipUri.Parse("sip:a@192.0.2.1;transport=tcp;LR;x=y");

        Assert.True(uri.IsLooseRouter);
        Assert.Equal("tcp", uri.Transport);
        Assert.True(uri.TryGetAddress(out var address));
        Assert.Equal(TransportAddress.Parse("192.0.2.1:5060"), address);
        Assert.True(SipUri.Parse("sips:[2001:db8::1]").TryGetAddress(out address));
        Assert.Equal(TransportAddress.Parse("[2001:db8::1]:5061"), address);
        Assert.False(SipUri.Parse("sip:a@example.com").TryGetAddress(out _));
        Assert.Equal(SipUri.Parse("sip:a@192.0.2.1;transport=tcp;LR;x=y"), uri);
        Assert.NotEqual(SipUri.Parse("sip:a@192.0.2.1"), uri);
    }

    [Theory]
    [InlineData("<sip:a@b>", "|sip:a@b|")]
    [InlineData("\"Doe, \\\"Jo\\\"\" <sip:a@b;x>;tag=1;y", "Doe, \"Jo\"|sip:a@b;x|;tag=1;y")]
    [InlineData("Jo Doe<sip:a@b>", "Jo Doe|sip:a@b|")]
    [InlineData("sip:a@b;tag=7", "|sip:a@b|;tag=7")]
    [InlineData("sip:a@b ; tag = 7", "|sip:a@b|; tag = 7")]
    [InlineData("< sip:a@b > ;tag=1", "|sip:a@b|;tag=1")]
    [InlineData("\"\"<sip:a@b>", "|sip:a@b|")]
    [InlineData("*", "|*|")]
    [InlineData("\"open <sip:a@b>", null)]
    [InlineData("\"name\"", null)]
    [InlineData("<sip:a@b", null)]
    [InlineData("<sip:a@b> junk", null)]
    [InlineData("two words", null)]
    [InlineData("<>", null)]
    [InlineData("", null)]
    public void Address_is_read(string text, string? expected)
    {
        var read = NameAddress.TryRead(Encoding.UTF8.GetBytes(text), out var address);

        Assert.Equal(expected is not null, read);
        if (read) Assert.Equal(expected, $"{address.DisplayText}|{Wired.Text(address.Uri)}|{Wired.Text(address.Parameters.Text)}");
    }

    [Theory]
    [InlineData("<sip:a@b>;+sip.src", true)]
    [InlineData("<sip:a@b;+sip.src>", true)]
    [InlineData("<sip:a@b>;src", true)]
    [InlineData("sip:a@b;+SIP.SRC=TRUE", true)]
    [InlineData("<sip:a@b>;sip.src", true)]
    [InlineData("<sip:a@b>;+sip.srs", false)]
    [InlineData("<sip:src@b>", false)]
    public void Feature_tag_is_found_inside_and_outside_the_brackets(string text, bool expected)
    {
        Assert.True(NameAddress.TryRead(Encoding.UTF8.GetBytes(text), out var address));
        Assert.Equal(expected, address.HasFeature("src"u8));
    }

    [Fact]
    public void Parameters_behind_any_value_are_found()
    {
        var parameters = SipParameters.After("application/sdp;handling=optional ; X=\"a;b\";flag"u8);

        Assert.True(parameters.TryGet("x"u8, out var value));
        Assert.Equal("\"a;b\"", Wired.Text(value));
        Assert.True(parameters.TryGet("flag"u8, out value));
        Assert.Equal("", Wired.Text(value));
        Assert.False(parameters.TryGet("missing"u8, out _));
        Assert.False(SipParameters.After("plain"u8).TryGet("plain"u8, out _));
    }
}
