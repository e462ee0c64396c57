using SipNat.Endpoint.Dns;
using SipNat.Wire;

namespace SipNat.Tests.Endpoint.Dns;

public sealed class DnsResolverTests
{
    private const string Address = "192.0.2.1";

    [Fact]
    public void A_name_is_resolved_and_kept_for_as_long_as_its_server_says()
    {
        var scene = new ResolverScene();
        scene.Serve(("www.example A", [DnsVectors.A("www.example", Address, 300)]));

        var result = scene.Resolve("WWW.Example");
        Assert.Equal(DnsOutcome.Answered, result.Outcome);
        Assert.Equal([$"{Address}:0"], Addresses(result));
        Assert.Equal(TimeSpan.FromSeconds(300), result.ExpiresAt - scene.Now);

        scene.Wait(299);
        Assert.Equal([$"{Address}:0"], Addresses(scene.Resolve("www.example")));
        Assert.Equal(["0 Udp 192.0.2.53:53 www.example A"], scene.Asked);

        scene.Wait(1);
        scene.Resolve("www.example");
        Assert.Equal(2, scene.Asked.Count);
        Assert.Equal((0, 0), (scene.OpenFlows, scene.Resolver.Outbox.Rented));
    }

    [Fact]
    public void Every_query_has_an_id_and_a_flow_of_its_own() // RFC 5452 §9.2
    {
        var scene = new ResolverScene();
        scene.Serve();

        for (var i = 0; i < 100; i++) scene.Resolve($"host{i}.example");

        Assert.Equal((100, 100), (scene.Flows, scene.Ids.Distinct().Count()));
    }

    [Fact]
    public void Silent_servers_are_asked_in_turn_twice_and_given_up()
    {
        var scene = new ResolverScene();

        var result = scene.Resolve("www.example");

        Assert.Equal(
            ["0 Udp 192.0.2.53:53 www.example A", "2 Udp [2001:db8::53]:53 www.example A", "4 Udp 192.0.2.53:53 www.example A", "6 Udp [2001:db8::53]:53 www.example A"],
            scene.Asked);
        Assert.Equal((DnsOutcome.TimedOut, 8.0), (result.Outcome, TimeSpan.FromTicks(scene.Now.Ticks).TotalSeconds));
        Assert.Equal((0, null), (scene.OpenFlows, scene.Resolver.Deadline));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(5)]
    public void A_server_in_trouble_is_left_for_the_next_at_once(int code)
    {
        var scene = new ResolverScene();
        scene.Server = (server, _, _, query) => server == ResolverScene.First
            ? DnsVectors.Answer(query, code, false, [])
            : DnsVectors.Answer(query, 0, false, [DnsVectors.A("www.example", Address)]);

        Assert.Equal([$"{Address}:0"], Addresses(scene.Resolve("www.example")));
        Assert.Equal(0, scene.Now.Ticks);
    }

    [Fact]
    public void A_server_that_no_route_leads_to_is_left_for_the_next_at_once()
    {
        var scene = new ResolverScene();
        scene.Serve(("www.example A", [DnsVectors.A("www.example", Address)]));
        scene.Unreachable.Add(ResolverScene.First);

        Assert.Equal([$"{Address}:0"], Addresses(scene.Resolve("www.example")));

        scene.Unreachable.Add(ResolverScene.Second);
        Assert.Equal((DnsOutcome.Failed, 0L), (scene.Resolve("www2.example").Outcome, scene.Now.Ticks));
    }

    [Fact]
    public void What_was_cut_off_is_fetched_over_tcp() // RFC 7766 §5
    {
        var scene = new ResolverScene
        {
            Server = static (_, transport, _, query) => DnsVectors.Answer(
                query, 0, transport is TransportProtocol.Udp, [.. Enumerable.Range(1, 60).Select(static i => DnsVectors.A("www.example", $"192.0.2.{i}"))]),
        };

        var result = scene.Resolve("www.example");

        Assert.Equal(60, result.Records.Count);
        Assert.Equal(["0 Udp 192.0.2.53:53 www.example A", "0 Tcp 192.0.2.53:53 www.example A"], scene.Asked);
        Assert.Equal(0, scene.OpenFlows);
    }

    [Fact]
    public void Nothing_is_believed_but_the_answer_of_the_server_to_the_question_by_its_flow()
    {
        var scene = new ResolverScene();
        byte[] asked = [];
        scene.Server = (_, _, _, query) =>
        {
            asked = query;
            return null;
        };
        scene.Resolver.Resolve(scene.Now, "www.example", DnsType.A);
        scene.Pump();
        var (now, flow, right) = (scene.Now, new FlowId(1), DnsVectors.Answer(asked, 0, false, [DnsVectors.A("www.example", "203.0.113.66")]));
        byte[] otherId = [(byte)(right[0] ^ 1), .. right[1..]];
        var otherName = right.ToArray();
        otherName[13] ^= 2;
        var otherType = right.ToArray();
        otherType[26] = 28;

        foreach (var forged in (byte[][])[otherId, otherName, otherType, asked, [], right[..20]]) scene.Resolver.HandleDatagram(now, flow, ResolverScene.First, forged);
        scene.Resolver.HandleDatagram(now, flow, ResolverScene.Second, right);
        scene.Resolver.HandleDatagram(now, flow, ResolverScene.First.WithPort(54), right);
        scene.Resolver.HandleDatagram(now, new(99), ResolverScene.First, right);

        Assert.Equal((9, false), (scene.Resolver.Discarded, scene.Resolver.TryTakeResult(out _)));
        scene.Resolver.HandleDatagram(now, flow, ResolverScene.First, right);
        Assert.True(scene.Resolver.TryTakeResult(out var result));
        Assert.Equal(DnsOutcome.Answered, result.Outcome);
    }

    [Fact]
    public void Aliases_are_followed_in_the_answer_and_by_further_questions()
    {
        var scene = new ResolverScene();
        scene.Serve(
            ("a.example A", [DnsVectors.Cname("a.example", "b.example", 50), DnsVectors.Cname("b.example", "c.example")]),
            ("c.example A", [DnsVectors.Cname("c.example", "d.example"), DnsVectors.A("d.example", Address), DnsVectors.A("evil.example", "203.0.113.66")]));

        var result = scene.Resolve("a.example");

        Assert.Equal([$"{Address}:0"], Addresses(result));
        Assert.Equal(TimeSpan.FromSeconds(50), result.ExpiresAt - scene.Now);
        Assert.Equal(2, scene.Asked.Count);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Aliases_without_end_are_given_up(bool isInOneAnswer)
    {
        var scene = new ResolverScene();
        scene.Server = (_, _, question, query) =>
        {
            var name = question.Split(' ')[0];
            var next = name == "a.example" ? "b.example" : "a.example";
            return DnsVectors.Answer(query, 0, false, isInOneAnswer ? [DnsVectors.Cname(name, next), DnsVectors.Cname(next, name)] : [DnsVectors.Cname(name, next)]);
        };

        Assert.Equal(DnsOutcome.Failed, scene.Resolve("a.example").Outcome);
        Assert.InRange(scene.Asked.Count, 1, 9);
    }

    [Fact]
    public void That_a_name_is_none_is_kept_for_as_long_as_the_zone_says() // RFC 2308 §5
    {
        var scene = new ResolverScene();
        scene.Serve(("www.example A", []));
        Assert.Equal((DnsOutcome.NoSuchName, DnsOutcome.NoData), (scene.Resolve("none.example").Outcome, scene.Resolve("www.example").Outcome));

        scene.Wait(29);
        scene.Resolve("none.example");
        Assert.Equal(2, scene.Asked.Count);

        scene.Wait(1);
        scene.Resolve("none.example");
        Assert.Equal(3, scene.Asked.Count);

        // The answer without an SOA was kept for no time at all.
        scene.Resolve("www.example");
        Assert.Equal(4, scene.Asked.Count);
    }

    [Theory]
    [InlineData("host", "host.corp.example A", "host.example A")]
    [InlineData("host.example", "host.example A")]
    [InlineData("www.host", "www.host A", "www.host.corp.example A", "www.host.example A")]
    [InlineData("host.", "host A")]
    public void Search_domains_stand_behind_names_with_few_dots(string name, params string[] asked)
    {
        var scene = new ResolverScene("corp.example", "example");
        scene.Serve(("host.example A", [DnsVectors.A("host.example", Address)]), ("www.host.example A", [DnsVectors.A("www.host.example", Address)]));

        var result = scene.Resolve(name);

        Assert.Equal(asked, scene.Asked.Select(static line => string.Join(' ', line.Split(' ')[3..])));
        Assert.Equal(name == "host." ? DnsOutcome.NoSuchName : DnsOutcome.Answered, result.Outcome);
    }

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("a..example")]
    [InlineData("a b.example")]
    [InlineData("ex\u00E4mple")]
    public void What_is_no_name_is_not_asked_for(string name)
    {
        var scene = new ResolverScene();

        Assert.Equal(DnsOutcome.BadName, scene.Resolve(name).Outcome);
        Assert.Empty(scene.Asked);
    }

    [Fact]
    public void Questions_beyond_the_cap_and_without_a_server_are_refused()
    {
        var scene = new ResolverScene();
        for (var i = 0; i < DnsResolver.MaxQueries; i++) scene.Resolver.Resolve(scene.Now, "www.example", DnsType.A);
        scene.Resolver.Resolve(scene.Now, "www.example", DnsType.A);

        Assert.True(scene.Resolver.TryTakeResult(out var refused));
        Assert.Equal(DnsOutcome.Refused, refused.Outcome);
        Assert.Equal(DnsOutcome.Refused, new ResolverScene(new DnsResolverOptions()).Resolve("www.example").Outcome);
    }

    [Fact]
    public void Servers_that_are_changed_under_way_do_no_harm()
    {
        var scene = new ResolverScene();
        scene.Resolver.Resolve(scene.Now, "www.example", DnsType.A);
        scene.Pump();

        scene.Resolver.Configure(new());
        scene.Resolver.HandleTimeout(scene.Resolver.Deadline!.Value);

        Assert.True(scene.Resolver.TryTakeResult(out var result));
        Assert.Equal(DnsOutcome.TimedOut, result.Outcome);
    }

    [Fact]
    public void A_resolv_conf_is_read_as_the_manual_says()
    {
        var options = DnsResolverOptions.Read(
            """
            # comment
            domain old.example
            nameserver 192.0.2.53
            nameserver fe80::1%eth0
            nameserver 2001:db8::53
            search Corp.Example example. bad..name
            options ndots:2 timeout:99 attempts:3 rotate edns0
            nameserver 192.0.2.54
            nameserver 192.0.2.55
            """);

        Assert.Equal(["192.0.2.53:53", "[2001:db8::53]:53", "192.0.2.54:53"], options.Servers.Select(static server => server.ToString()));
        Assert.Equal(["corp.example", "example"], options.SearchDomains);
        Assert.Equal((2, TimeSpan.FromSeconds(30), 3), (options.Dots, options.Timeout, options.Attempts));
    }

    private static string[] Addresses(DnsResult result) => [.. result.Records.Cast<DnsRecord.Host>().Select(static host => host.Address.ToString())];
}
