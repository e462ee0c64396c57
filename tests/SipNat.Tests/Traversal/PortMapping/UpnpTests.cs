using System.Text;
using SipNat.Traversal.PortMapping;
using SipNat.Wire;

namespace SipNat.Tests.Traversal.PortMapping;

public sealed class UpnpTests
{
    private static readonly Uri Location = new("http://192.168.1.1:5000/rootDesc.xml");

    [Fact]
    public void A_router_is_searched_described_asked_mapped_and_unmapped()
    {
        var scene = new RouterScene(new() { SpeaksUpnp = true });
        scene.Map(RouterScene.Sip);
        scene.RunUntil(2);
        Assert.Equal(5060, Assert.Single(scene.Scripted.Table, entry => entry.Key == "udp 5060").Value);
        scene.Do((mapper, now) => mapper.Release(now));
        scene.RunUntil(3);

        Assert.Equal(
            [
                "0 239.255.255.250:1900 ST: urn:schemas-upnp-org:device:InternetGatewayDevice:1",
                "0 239.255.255.250:1900 ST: urn:schemas-upnp-org:device:InternetGatewayDevice:2",
            ],
            scene.Sent.Where(line => line.Contains(":1900", StringComparison.Ordinal)));
        Assert.Equal(
            [
                "GET http://192.168.1.1:5000/rootDesc.xml",
                "POST http://192.168.1.1:5000/ctl/IPConn GetExternalIPAddress",
                "POST http://192.168.1.1:5000/ctl/IPConn AddPortMapping",
                "POST http://192.168.1.1:5000/ctl/IPConn DeletePortMapping",
            ],
            scene.Http);
        Assert.Equal(
            [
                "0.03 The router's own address is 198.51.100.7 (told by UPnP).",
                "1.01 The router leads 198.51.100.7:5060 to udp 192.168.1.10:5060 (by UPnP, for 7200 s).",
            ],
            scene.Events);
        Assert.Empty(scene.Scripted.Table);
        Assert.True(scene.Mapper.IsReleased);
    }

    [Fact]
    public void Version_2_gives_another_port_where_the_wanted_one_is_taken()
    {
        var scene = new RouterScene(new() { SpeaksUpnp = true, UpnpVersion = 2 });
        scene.Map(RouterScene.Sip);
        scene.RunUntil(2);

        Assert.EndsWith(" AddAnyPortMapping", scene.Http[^1], StringComparison.Ordinal);
        Assert.Equal("1.01 The router leads 198.51.100.7:5061 to udp 192.168.1.10:5060 (by UPnP, for 7200 s).", scene.Events[^1]);
    }

    [Fact]
    public void A_router_with_permanent_leases_only_is_asked_for_one()
    {
        var scene = new RouterScene(new() { SpeaksUpnp = true, UpnpError = static call => call.Contains(" 0 ", StringComparison.Ordinal) ? 0 : 725 });
        scene.Map(RouterScene.Sip);
        scene.RunUntil(2);

        Assert.Equal("1.02 The router leads 198.51.100.7:5060 to udp 192.168.1.10:5060 (by UPnP, without an end).", scene.Events[^1]);
    }

    [Fact]
    public void Version_1_is_asked_for_other_ports_where_the_wanted_one_is_taken()
    {
        var scene = new RouterScene(new() { SpeaksUpnp = true, UpnpError = static call => call.EndsWith(" 5060", StringComparison.Ordinal) ? 718 : 0 });
        scene.Map(RouterScene.Sip);
        scene.RunUntil(2);

        Assert.InRange(Assert.Single(scene.Scripted.Table).Value, 49_152, 65_535);
        Assert.Contains($"198.51.100.7:{scene.Scripted.Table["udp 5060"]} to udp", scene.Events[^1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(606, PortMappingOutcome.NotAuthorized)]
    [InlineData(718, PortMappingOutcome.NoResources)]
    [InlineData(728, PortMappingOutcome.NoResources)]
    [InlineData(501, PortMappingOutcome.NoResources)]
    [InlineData(402, PortMappingOutcome.Unsupported)]
    public void Errors_have_their_meaning(int error, PortMappingOutcome outcome)
    {
        var scene = new RouterScene(new() { SpeaksUpnp = true, UpnpError = _ => error });
        scene.Map(RouterScene.Sip);
        scene.RunUntil(2);

        Assert.EndsWith($"The router does not open udp 192.168.1.10:5060 (asked by UPnP): {outcome.Explain()}.", scene.Events[^1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://192.168.1.2:5000/rootDesc.xml")] // another host
    [InlineData("http://198.51.100.1/rootDesc.xml")]
    [InlineData("http://router.example/rootDesc.xml")] // a name
    [InlineData("https://192.168.1.1/rootDesc.xml")]
    [InlineData("file:///etc/passwd")]
    [InlineData("http://user@192.168.1.1/rootDesc.xml")]
    [InlineData("http://192.168.1.1.example/rootDesc.xml")]
    [InlineData("http://[::ffff:192.168.1.1]/rootDesc.xml")]
    [InlineData("/rootDesc.xml")]
    public void A_location_that_is_not_on_the_router_is_never_asked(string location)
    {
        var scene = new RouterScene(new() { SpeaksUpnp = true, Location = location });
        scene.RunUntil(9);

        Assert.Empty(scene.Http);
    }

    [Fact]
    public void Other_hosts_that_answer_the_search_are_not_heard()
    {
        var scene = new RouterScene(new());
        scene.RunUntil(0.1);

        scene.Receive(TransportAddress.Parse("192.168.1.7:1900"), scene.Scripted.SsdpAnswer("urn:schemas-upnp-org:device:InternetGatewayDevice:1"));
        scene.RunUntil(9);

        Assert.Empty(scene.Http);
    }

    [Theory]
    [InlineData("/ctl/IPConn", "http://192.168.1.1:5000/ctl/IPConn")]
    [InlineData("ctl", "http://192.168.1.1:5000/ctl")]
    [InlineData("http://192.168.1.1:80/ctl", "http://192.168.1.1/ctl")]
    [InlineData("http://192.168.1.9:80/ctl", null)]
    [InlineData("//198.51.100.1/ctl", null)]
    [InlineData("", null)]
    public void A_control_address_is_taken_on_the_router_only(string control, string? expected)
    {
        var document = ScriptedRouter.Description.Replace("VERSION", "1", StringComparison.Ordinal).Replace("/ctl/IPConn", control, StringComparison.Ordinal);

        var found = UpnpDescription.TryFindService(Encoding.UTF8.GetBytes(document), Location, RouterScene.Router, out var service);

        Assert.Equal(expected is null ? null : new UpnpService("urn:schemas-upnp-org:service:WANIPConnection:1", new(expected), false), service);
        Assert.Equal(expected is not null, found);
    }

    [Fact]
    public void The_best_of_several_services_is_taken()
    {
        const string Services = """
            <root><URLBase>http://192.168.1.1:49152/</URLBase>
            <service><serviceType>urn:schemas-upnp-org:service:WANPPPConnection:1</serviceType><controlURL>ppp</controlURL></service>
            <service><serviceType>urn:schemas-upnp-org:service:WANIPConnection:2</serviceType><controlURL>ip2</controlURL></service>
            <service><serviceType>urn:schemas-upnp-org:service:WANIPConnection:1</serviceType><controlURL>ip1</controlURL></service></root>
            """;

        Assert.True(UpnpDescription.TryFindService(Encoding.UTF8.GetBytes(Services), Location, RouterScene.Router, out var service));
        Assert.Equal(new UpnpService("urn:schemas-upnp-org:service:WANIPConnection:2", new("http://192.168.1.1:49152/ip2"), true), service);
    }

    [Fact]
    public void A_document_type_deep_or_long_xml_is_refused()
    {
        const string Bomb = "<!DOCTYPE r [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]><r>&b;</r>";
        var deep = string.Concat(Enumerable.Repeat("<a>", 40)) + string.Concat(Enumerable.Repeat("</a>", 40));
        var wide = "<r>" + string.Concat(Enumerable.Repeat("<a/>", 3000)) + "</r>";
        var padded = "<r>" + new string(' ', 65_536) + "</r>";

        foreach (var text in (string[])[Bomb, deep, wide, padded, "<r>", "", "{}"]) Assert.False(UpnpXml.TryRead(Encoding.UTF8.GetBytes(text), out _));
    }

    [Fact]
    public void Elements_come_when_they_end_without_their_prefixes()
    {
        Assert.True(UpnpXml.TryRead("\uFEFF<a:x xmlns:a='u'><b> 1 </b><c/>2<![CDATA[3]]></a:x>\0"u8, out var elements));
        Assert.Equal([new("b", "1"), new("c", ""), new("x", "23")], elements);
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nST: urn:schemas-upnp-org:device:InternetGatewayDevice:2\r\nLOCATION: http://192.168.1.1/\r\n\r\n", SsdpDefect.None)]
    [InlineData("HTTP/1.1 200 OK\nlocation:http://192.168.1.1/\nst:urn:schemas-upnp-org:device:InternetGatewayDevice:1", SsdpDefect.None)]
    [InlineData("HTTP/1.1 404 No\r\nST: a\r\nLOCATION: b\r\n\r\n", SsdpDefect.NotAResponse)]
    [InlineData("NOTIFY * HTTP/1.1\r\nST: a\r\nLOCATION: b\r\n\r\n", SsdpDefect.NotAResponse)]
    [InlineData("HTTP/1.1 200 OK\r\nLOCATION: http://192.168.1.1/\r\n\r\n", SsdpDefect.Incomplete)]
    [InlineData("HTTP/1.1 200 OK\r\nST: a\r\n\r\nLOCATION: http://192.168.1.1/\r\n", SsdpDefect.Incomplete)]
    [InlineData("HTTP/1.1 200 OK\r\nST: a\r\nLOCATION: http://é/\r\n\r\n", SsdpDefect.NotAscii)]
    public void An_answer_to_the_search_is_read_line_by_line(string text, SsdpDefect expected)
    {
        Assert.Equal(expected is SsdpDefect.None, SsdpResponse.TryRead(Encoding.UTF8.GetBytes(text), out var response, out var defect));
        Assert.Equal(expected, defect);
        if (expected is SsdpDefect.None) Assert.Equal(("http://192.168.1.1/", true), (Encoding.ASCII.GetString(response.Location), response.IsGateway));
    }
}
