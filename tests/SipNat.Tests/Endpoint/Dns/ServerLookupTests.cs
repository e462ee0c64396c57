using SipNat.Endpoint.Dns;
using SipNat.Traversal.Turn;

namespace SipNat.Tests.Endpoint.Dns;

public sealed class ServerLookupTests
{
    private readonly Dictionary<string, byte[][]> _zone = new(StringComparer.Ordinal);
    private readonly List<string> _asked = [];

    [Fact]
    public void The_example_of_RFC_5928_is_resolved_in_its_order()
    {
        // RFC 5928 appendix A: NAPTR to SRV to addresses.
        _zone["example.net Naptr"] =
        [
            DnsVectors.Naptr("example.net", 100, 10, "", "RELAY:turn.udp", "datagram.example.net"),
        ];
        _zone["datagram.example.net Naptr"] =
        [
            DnsVectors.Naptr("datagram.example.net", 100, 10, "S", "RELAY:turn.udp", "_turn._udp.example.net"),
        ];
        _zone["_turn._udp.example.net Srv"] =
        [
            DnsVectors.Srv("_turn._udp.example.net", 0, 0, 3478, "a.example.net"),
        ];
        _zone["a.example.net A"] = [DnsVectors.A("a.example.net", "192.0.2.1")];
        _zone["a.example.net Aaaa"] = [DnsVectors.Aaaa("a.example.net", "2001:db8:8:4::2")];

        Assert.Equal(["Udp 192.0.2.1:3478", "Udp [2001:db8:8:4::2]:3478"], Turn("turn:example.net"));
        Assert.Equal(
            ["example.net Naptr", "datagram.example.net Naptr", "_turn._udp.example.net Srv", "a.example.net A", "a.example.net Aaaa"],
            _asked);
    }

    [Fact]
    public void Pointers_are_taken_by_order_and_preference_and_for_what_the_uri_allows()
    {
        _zone["example Naptr"] =
        [
            DnsVectors.Naptr("example", 100, 20, "a", "RELAY:turn.tcp", "tcp.example"),
            DnsVectors.Naptr("example", 50, 1, "s", "SIP+D2U", "_sip._udp.example"),
            DnsVectors.Naptr("example", 100, 10, "a", "relay:turn.udp:turn.tls", "both.example"),
            DnsVectors.Naptr("example", 200, 1, "a", "RELAY:turn.udp", "later.example"),
        ];
        foreach (var (host, address) in ((string, string)[])[("tcp.example", "192.0.2.1"), ("both.example", "192.0.2.2"), ("later.example", "192.0.2.3")])
        {
            _zone[$"{host} A"] = [DnsVectors.A(host, address)];
        }

        Assert.Equal(["Udp 192.0.2.2:3478", "Tcp 192.0.2.1:3478"], Turn("turn:example"));
        Assert.Equal(["Tls 192.0.2.2:5349"], Turn("turns:example"));
    }

    [Theory]
    [InlineData("turn:example", "_turn._udp.example", "Udp")]
    [InlineData("turn:example", "_turn._tcp.example", "Tcp")]
    [InlineData("turn:example?transport=udp", "_turn._udp.example", "Udp")]
    [InlineData("turn:example?transport=tcp", "_turn._tcp.example", "Tcp")]
    [InlineData("turns:example", "_turns._tcp.example", "Tls")]
    [InlineData("turns:example?transport=tcp", "_turns._tcp.example", "Tls")]
    public void Without_pointers_the_services_are_asked_for(string uri, string service, string transport)
    {
        _zone[$"{service} Srv"] = [DnsVectors.Srv(service, 0, 0, 4000, "host.example")];
        _zone["host.example A"] = [DnsVectors.A("host.example", "192.0.2.1")];

        Assert.Equal([$"{transport} 192.0.2.1:4000"], Turn(uri));
        Assert.Equal(uri.Contains('?', StringComparison.Ordinal), !_asked.Contains("example Naptr"));
    }

    [Fact]
    public void Stun_is_a_service_over_udp() // RFC 8489 §8
    {
        _zone["_stun._udp.example Srv"] =
        [
            DnsVectors.Srv("_stun._udp.example", 20, 0, 3479, "b.example"),
            DnsVectors.Srv("_stun._udp.example", 10, 0, 3478, "a.example"),
            DnsVectors.Srv("_stun._udp.example", 5, 0, 3478, ""),
        ];
        _zone["a.example A"] = [DnsVectors.A("a.example", "192.0.2.1"), DnsVectors.A("a.example", "0.0.0.0")];
        _zone["b.example A"] = [DnsVectors.A("b.example", "192.0.2.2")];

        Assert.Equal(["Udp 192.0.2.1:3478", "Udp 192.0.2.2:3479"], Run(ServerLookup.ForStun("Example.", new Random(1))));
    }

    [Fact]
    public void A_domain_without_records_names_nobody()
    {
        Assert.Empty(Turn("turn:example"));
        Assert.Equal(["example Naptr", "_turn._udp.example Srv", "_turn._tcp.example Srv"], _asked);
        Assert.Empty(Run(ServerLookup.ForStun("example", new Random(1))));
    }

    [Fact]
    public void Pointers_without_end_and_servers_without_number_are_bounded()
    {
        _zone["example Naptr"] = [DnsVectors.Naptr("example", 1, 1, "", "RELAY:turn.udp", "example")];
        _zone["_turn._udp.example Srv"] = [.. Enumerable.Range(0, 100).Select(static i => DnsVectors.Srv("_turn._udp.example", i, 0, 3478, $"h{i}.example"))];
        for (var i = 0; i < 100; i++) _zone[$"h{i}.example A"] = [DnsVectors.A($"h{i}.example", $"192.0.2.{i + 1}")];

        Assert.Equal(8, Turn("turn:example?transport=udp").Length);
        Turn("turn:example");
        Assert.Equal(3, _asked.Count(static question => question == "example Naptr"));
    }

    private string[] Turn(string text)
    {
        _asked.Clear();
        Assert.True(TurnUri.TryParse(text, out var uri, out _));
        return Run(ServerLookup.ForTurn(uri, new Random(1)));
    }

    private string[] Run(ServerLookup lookup)
    {
        while (!lookup.IsDone)
        {
            Assert.True(lookup.TryTakeQuestion(out var question));
            _asked.Add($"{question.Name} {question.Type}");
            lookup.Handle(question, new(0, question, DnsOutcome.Answered, Records(question), new(1)));
        }

        return [.. lookup.Servers.Select(static server => $"{server.Transport} {server.Address}")];
    }

    // Through the reader, so that what stands in a message is what is looked at.
    private IReadOnlyList<DnsRecord> Records(DnsQuestion question)
    {
        var query = new byte[DnsMessage.MaxQueryLength];
        var length = DnsMessage.WriteQuery(query, 1, question);
        var answer = DnsVectors.Answer(query.AsSpan(0, length), 0, false, _zone.GetValueOrDefault($"{question.Name} {question.Type}") ?? []);
        Assert.True(DnsMessage.TryRead(answer, out var message, out var defect), $"{defect}");
        return message.Answers;
    }
}
