using SipNat.Endpoint.Dns;
using SipNat.Sip.Messages;
using SipNat.Wire;

namespace SipNat.Tests.Endpoint.Dns;

public sealed class SipServerLookupTests
{
    private readonly Dictionary<string, byte[][]> _zone = new(StringComparer.Ordinal);
    private readonly Dictionary<string, DnsOutcome> _outcomes = new(StringComparer.Ordinal);
    private readonly List<string> _asked = [];
    private Instant? _expiresAt;

    [Fact]
    public void The_example_of_RFC_3263_is_resolved_as_it_says() // §4.1, §4.2
    {
        _zone["example.com Naptr"] =
        [
            DnsVectors.Naptr("example.com", 50, 50, "s", "SIPS+D2T", "_sips._tcp.example.com"),
            DnsVectors.Naptr("example.com", 90, 50, "s", "SIP+D2T", "_sip._tcp.example.com"),
            DnsVectors.Naptr("example.com", 100, 50, "s", "SIP+D2U", "_sip._udp.example.com"),
        ];
        _zone["_sip._tcp.example.com Srv"] =
        [
            DnsVectors.Srv("_sip._tcp.example.com", 0, 1, 5060, "server1.example.com"),
            DnsVectors.Srv("_sip._tcp.example.com", 0, 2, 5060, "server2.example.com"),
        ];
        _zone["_sips._tcp.example.com Srv"] = [DnsVectors.Srv("_sips._tcp.example.com", 0, 0, 5061, "server3.example.com")];
        AddHost("server1.example.com", "192.0.2.1");
        AddHost("server2.example.com", "192.0.2.2");
        AddHost("server3.example.com", "192.0.2.3");
        SipLookupOptions withoutTls = new() { Transports = [TransportProtocol.Udp, TransportProtocol.Tcp], HasIPv6 = false };

        Assert.Equal(["Tcp 192.0.2.1:5060", "Tcp 192.0.2.2:5060"], Find("sip:example.com", withoutTls).Order(StringComparer.Ordinal));
        Assert.Equal(
            ["example.com Naptr", "_sip._tcp.example.com Srv", "server1.example.com A", "server2.example.com A"],
            _asked.OrderBy(Stage).ThenBy(static question => question, StringComparer.Ordinal));
        Assert.Equal(["Tls 192.0.2.3:5061 as example.com"], Find("sip:example.com"));
        Assert.Equal(["Tls 192.0.2.3:5061 as example.com"], Find("sips:alice@Example.com"));
        Assert.Empty(Find("sips:example.com", withoutTls));

        static int Stage(string question) => question.EndsWith("Naptr", StringComparison.Ordinal) ? 0 : question.EndsWith("Srv", StringComparison.Ordinal) ? 1 : 2;
    }

    [Theory] // RFC 3263 §4.1: what the URI says itself is not asked for
    [InlineData("sip:192.0.2.1", "Udp 192.0.2.1:5060")]
    [InlineData("sip:192.0.2.1:5080;transport=TCP", "Tcp 192.0.2.1:5080")]
    [InlineData("sip:[2001:db8::1]", "Udp [2001:db8::1]:5060")]
    [InlineData("sips:192.0.2.1", "Tls 192.0.2.1:5061 as 192.0.2.1")]
    [InlineData("sip:192.0.2.1;transport=tls", "Tls 192.0.2.1:5061 as 192.0.2.1")]
    [InlineData("sips:example.com;maddr=192.0.2.9;transport=tcp", "Tls 192.0.2.9:5061 as example.com")]
    [InlineData("sip:192.0.2.1;transport=ws", "Ws 192.0.2.1:80")]
    [InlineData("sip:192.0.2.1;transport=sctp", null)]
    [InlineData("sips:192.0.2.1;transport=udp", null)]
    [InlineData("sip:0.0.0.0", null)]
    [InlineData("sip:224.0.1.75", null)]
    [InlineData("sip:a..b", null)]
    [InlineData("sip:%41.example", null)]
    [InlineData("tel:+12125550123", null)]
    [InlineData("urn:service:sos", null)]
    public void Nothing_is_asked_where_the_uri_says_it_all_or_cannot_be_reached(string uri, string? expected)
    {
        Assert.Equal(expected is null ? [] : [expected], Find(uri));
        Assert.Empty(_asked);
        Assert.Null(_expiresAt);
    }

    [Theory]
    [InlineData("sip:example.com:5080", "Udp 192.0.2.7:5080")]
    [InlineData("sip:example.com:5080;transport=tcp", "Tcp 192.0.2.7:5080")]
    [InlineData("sips:example.com:5080", "Tls 192.0.2.7:5080 as example.com")]
    public void With_a_port_only_addresses_are_asked_for(string uri, string expected)
    {
        AddHost("example.com", "192.0.2.7");

        Assert.Equal([expected], Find(uri));
        Assert.Equal(["example.com Aaaa", "example.com A"], _asked);
    }

    [Theory]
    [InlineData("sip:example.com;transport=udp", "_sip._udp.example.com", "Udp 192.0.2.1:6060")]
    [InlineData("sip:example.com;transport=tcp", "_sip._tcp.example.com", "Tcp 192.0.2.1:6060")]
    [InlineData("sip:example.com;transport=tls", "_sips._tcp.example.com", "Tls 192.0.2.1:6060 as example.com")]
    [InlineData("sips:example.com;transport=tcp", "_sips._tcp.example.com", "Tls 192.0.2.1:6060 as example.com")]
    public void With_a_transport_its_service_is_asked_for_and_no_other(string uri, string service, string expected)
    {
        _zone[$"{service} Srv"] = [DnsVectors.Srv(service, 0, 0, 6060, "host.example")];
        AddHost("host.example", "192.0.2.1");

        Assert.Equal([expected], Find(uri));
        Assert.Equal([$"{service} Srv", "host.example Aaaa", "host.example A"], _asked);
    }

    [Fact]
    public void Without_pointers_every_service_is_asked_for_and_tried_in_our_order()
    {
        _zone["_sip._udp.example.com Srv"] = [DnsVectors.Srv("_sip._udp.example.com", 0, 0, 5060, "u.example.com")];
        _zone["_sip._tcp.example.com Srv"] = [DnsVectors.Srv("_sip._tcp.example.com", 0, 0, 5060, "t.example.com")];
        AddHost("u.example.com", "192.0.2.1");
        AddHost("t.example.com", "192.0.2.2");

        Assert.Equal(["Udp 192.0.2.1:5060", "Tcp 192.0.2.2:5060"], Find("sip:example.com"));
        Assert.Equal(
            ["Tcp 192.0.2.2:5060", "Udp 192.0.2.1:5060"],
            Find("sip:example.com", new() { Transports = [TransportProtocol.Tcp, TransportProtocol.Udp] }));
        Assert.Equal(["example.com Naptr", "_sip._tcp.example.com Srv", "_sip._udp.example.com Srv"], _asked.Take(3));
    }

    [Theory] // RFC 3263 §4.2, last paragraph; a provider's host that is named as the registrar
    [InlineData("sip:atlanta.voip.example", "Udp 192.0.2.4:5060")]
    [InlineData("sip:atlanta.voip.example;transport=tls", "Tls 192.0.2.4:5061 as atlanta.voip.example")]
    [InlineData("sips:atlanta.voip.example", "Tls 192.0.2.4:5061 as atlanta.voip.example")]
    [InlineData("sip:Atlanta.voip.example.;transport=tcp", "Tcp 192.0.2.4:5060")]
    public void A_domain_without_records_is_a_host(string uri, string expected)
    {
        AddHost("atlanta.voip.example", "192.0.2.4");

        Assert.Equal([expected], Find(uri));
    }

    [Fact]
    public void A_WebSocket_is_found_by_pointer_or_at_the_host()
    {
        SipLookupOptions options = new() { Transports = [TransportProtocol.Ws, TransportProtocol.Wss], HasIPv6 = false };
        AddHost("example.com", "192.0.2.1");
        Assert.Equal(["Ws 192.0.2.1:80"], Find("sip:example.com;transport=ws", options));
        Assert.Equal(["Wss 192.0.2.1:443 as example.com"], Find("sips:example.com", options));

        _zone["example.com Naptr"] = [DnsVectors.Naptr("example.com", 1, 1, "s", "sips+d2w", "_any._name.example.com")];
        _zone["_any._name.example.com Srv"] = [DnsVectors.Srv("_any._name.example.com", 0, 0, 8443, "example.com")];
        Assert.Equal(["Wss 192.0.2.1:8443 as example.com"], Find("sip:example.com", options));
    }

    [Fact]
    public void A_service_that_is_decidedly_not_there_makes_no_host_of_the_domain() // RFC 2782, target "."
    {
        _zone["_sip._udp.example.com Srv"] = [DnsVectors.Srv("_sip._udp.example.com", 0, 0, 0, "")];
        AddHost("example.com", "192.0.2.1");

        Assert.Empty(Find("sip:example.com"));
    }

    [Fact]
    public void The_option_of_the_account_stands_above_the_uri()
    {
        AddHost("example.com", "192.0.2.1");

        Assert.Equal(["Tcp 192.0.2.1:5060"], Find("sip:example.com;transport=udp", new() { Transport = TransportProtocol.Tcp }));
        Assert.Equal("_sip._tcp.example.com Srv", _asked[0]);
        Assert.Equal(["Tls 192.0.2.1:5061 as example.com"], Find("sip:example.com", new() { Transport = TransportProtocol.Tls }));
        Assert.Empty(Find("sips:example.com", new() { Transport = TransportProtocol.Udp }));
    }

    [Fact]
    public void Both_families_of_a_host_take_turns_before_the_next_host() // RFC 7984 §4.1
    {
        _zone["_sip._udp.example.com Srv"] =
        [
            DnsVectors.Srv("_sip._udp.example.com", 0, 0, 5060, "a.example.com"),
            DnsVectors.Srv("_sip._udp.example.com", 1, 0, 5060, "b.example.com"),
        ];
        AddHost("a.example.com", "192.0.2.1", "192.0.2.2", "192.0.2.3", "2001:db8::1", "2001:db8::2");
        AddHost("b.example.com", "192.0.2.1", "192.0.2.4");
        const string Uri = "sip:example.com;transport=udp";

        Assert.Equal("::1 .1 ::2 .2 .3 .4", Ends());
        Assert.Equal(".1 .2 .3 .4", Ends(new() { HasIPv6 = false }));
        Assert.DoesNotContain("a.example.com Aaaa", _asked);
        Assert.Equal("::1 ::2", Ends(new() { HasIPv4 = false }));
        Assert.Equal("", Ends(new() { HasIPv4 = false, HasIPv6 = false }));

        string Ends(SipLookupOptions? options = null) => string.Join(' ', Find(Uri, options).Select(static server => server
            .Replace("Udp 192.0.2", "", StringComparison.Ordinal).Replace("Udp [2001:db8", "", StringComparison.Ordinal)
            .Replace("]", "", StringComparison.Ordinal).Replace(":5060", "", StringComparison.Ordinal)));
    }

    [Fact]
    public void The_servers_hold_as_long_as_the_answer_that_ends_first()
    {
        _zone["_sip._udp.example.com Srv"] = [DnsVectors.Srv("_sip._udp.example.com", 0, 0, 5060, "a.example.com", ttl: 60)];
        _zone["a.example.com A"] = [DnsVectors.A("a.example.com", "192.0.2.1", ttl: 90)];
        Find("sip:example.com;transport=udp", new() { HasIPv6 = false });
        Assert.Equal(new Instant(0) + TimeSpan.FromSeconds(60), _expiresAt);

        _zone["a.example.com A"] = [DnsVectors.A("a.example.com", "192.0.2.1", ttl: 20)];
        Find("sip:example.com;transport=udp", new() { HasIPv6 = false });
        Assert.Equal(new Instant(0) + TimeSpan.FromSeconds(20), _expiresAt);
    }

    [Fact]
    public void What_could_not_be_asked_is_taken_for_absent_and_holds_for_no_time()
    {
        _outcomes["example.com Naptr"] = DnsOutcome.TimedOut;
        _outcomes["_sip._udp.example.com Srv"] = DnsOutcome.Failed;
        AddHost("example.com", "192.0.2.1");

        Assert.Equal(["Udp 192.0.2.1:5060"], Find("sip:example.com"));
        Assert.Equal(new Instant(0), _expiresAt);
    }

    [Fact]
    public void A_domain_that_names_hosts_and_addresses_without_end_is_cut()
    {
        _zone["_sip._udp.example.com Srv"] = [.. Enumerable.Range(0, 100).Select(static i => DnsVectors.Srv("_sip._udp.example.com", i, 0, 5060, $"h{i}.example.com"))];
        for (var i = 0; i < 100; i++) AddHost($"h{i}.example.com", [.. Enumerable.Range(1, 10).Select(j => $"10.0.{i}.{j}")]);

        var servers = Find("sip:example.com");

        Assert.Equal(ServerLookup.MaxServers, servers.Length);
        Assert.Equal(4 + (2 * ServerLookup.MaxTargets), _asked.Count);
    }

    private void AddHost(string name, params string[] addresses)
    {
        _zone[$"{name} A"] = [.. addresses.Where(static text => !text.Contains(':', StringComparison.Ordinal)).Select(text => DnsVectors.A(name, text))];
        _zone[$"{name} Aaaa"] = [.. addresses.Where(static text => text.Contains(':', StringComparison.Ordinal)).Select(text => DnsVectors.Aaaa(name, text))];
    }

    private string[] Find(string uri, SipLookupOptions? options = null)
    {
        _asked.Clear();
        var lookup = ServerLookup.ForSip(SipUri.Parse(uri), options ?? new(), new Random(1));
        while (!lookup.IsDone)
        {
            Assert.True(lookup.TryTakeQuestion(out var question));
            _asked.Add($"{question.Name} {question.Type}");
            lookup.Handle(question, Answer(question));
        }

        _expiresAt = lookup.ExpiresAt;
        return [.. lookup.Servers.Select(static server => $"{server.Transport} {server.Address}{(server.TlsName is { } name ? $" as {name}" : "")}")];
    }

    // Through the reader, so that what stands in a message is what is looked at. Absence holds for a minute.
    private DnsResult Answer(DnsQuestion question)
    {
        var outcome = _outcomes.GetValueOrDefault($"{question.Name} {question.Type}");
        if (outcome is not DnsOutcome.Answered) return new(0, question, outcome, [], new(0));

        var query = new byte[DnsMessage.MaxQueryLength];
        var length = DnsMessage.WriteQuery(query, 1, question);
        var answer = DnsVectors.Answer(query.AsSpan(0, length), 0, false, _zone.GetValueOrDefault($"{question.Name} {question.Type}") ?? []);
        Assert.True(DnsMessage.TryRead(answer, out var message, out var defect), $"{defect}");
        var lifetime = message.Answers.Count > 0 ? message.Answers.Min(static record => record.Ttl) : TimeSpan.FromMinutes(1);
        return new(0, question, message.Answers.Count > 0 ? DnsOutcome.Answered : DnsOutcome.NoData, message.Answers, new Instant(0) + lifetime);
    }
}
