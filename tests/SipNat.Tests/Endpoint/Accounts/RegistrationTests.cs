using SipNat.Endpoint.Accounts;
using SipNat.Simulation;
using SipNat.Simulation.Accounts;
using SipNat.Sip.Messages;
using SipNat.Wire;

namespace SipNat.Tests.Endpoint.Accounts;

/// <summary>What an account does with the answers of its registrar (RFC 3261 §10, RFC 7616).</summary>
public sealed class RegistrationTests
{
    [Fact]
    public void An_account_answers_the_challenge_and_is_registered_where_the_registrar_sees_it()
    {
        var scene = new AccountScene().Start();

        Assert.True(scene.RunUntil(AccountState.Registered));
        scene.Network.RunFor(TimeSpan.FromSeconds(2));

        var seen = scene.Phone.Account.Received;
        Assert.Equal("203.0.113.1", seen.AddressText);
        Assert.NotEqual(5060, seen.Port);
        Assert.Equal([$"sip:line@{seen}"], scene.Registrar.Bindings);
        Assert.Equal(["example.com"], scene.Phone.Asked);
        // Challenged once; once with what was known before the answer, once with what the registrar saw.
        Assert.Equal(3, scene.Registrar.RegisteredAt.Count);
        Assert.Equal(seen, scene.Phone.Account.Contact);
    }

    [Fact]
    public void Without_a_nat_one_answered_challenge_is_all()
    {
        var scene = new AccountScene(isBehindNat: false).Start();

        Assert.True(scene.RunUntil(AccountState.Registered));
        scene.Network.RunFor(TimeSpan.FromSeconds(5));

        Assert.Equal(2, scene.Registrar.RegisteredAt.Count);
        Assert.Equal(["sip:line@203.0.113.9:5060"], scene.Registrar.Bindings);
        Assert.True(scene.IsReachable());
    }

    [Fact]
    public void A_wrong_password_is_shown_twice_and_then_never_again()
    {
        var scene = new AccountScene().Start(SimulatedPhone.Options(password: "wrong"));

        Assert.True(scene.RunUntil(AccountState.Refused));
        var tries = scene.Registrar.RegisteredAt.Count;
        scene.Network.RunFor(TimeSpan.FromHours(24));

        Assert.InRange(tries, 2, 3);
        Assert.Equal(tries, scene.Registrar.RegisteredAt.Count);
        Assert.Contains("Username or password are wrong", scene.Phone.Account.Text, StringComparison.Ordinal);
        Assert.Empty(scene.Registrar.Bindings);
    }

    [Fact]
    public void A_lease_is_refreshed_before_it_ends_for_a_day()
    {
        var scene = new AccountScene();
        scene.Registrar.Lease = TimeSpan.FromMinutes(5);
        scene.Start();
        Assert.True(scene.RunUntil(AccountState.Registered));

        for (var minute = 0; minute < 24 * 60; minute++)
        {
            scene.Network.RunFor(TimeSpan.FromMinutes(1));
            Assert.Single(scene.Registrar.Bindings);
        }

        // At 81–90 % of 300 s, and never by a new challenge: the nonce is good for an hour.
        // The first one comes up to half sooner.
        var refreshes = scene.Registrar.RegisteredAt.Skip(4).ToList();
        var gaps = refreshes.Zip(refreshes.Skip(1), (a, b) => (b - a).TotalSeconds).Where(gap => gap > 1).ToList();
        Assert.All(gaps, gap => Assert.InRange(gap, 300 * 0.81, (300 * 0.9) + 0.1));
        Assert.Equal(AccountState.Registered, scene.Phone.Account.State);
    }

    [Fact]
    public void A_nonce_of_five_seconds_costs_a_challenge_for_each_refresh_and_nothing_else()
    {
        var scene = new AccountScene(isBehindNat: false);
        (scene.Registrar.NonceLifetime, scene.Registrar.Lease) = (TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(60));
        scene.Start();
        Assert.True(scene.RunUntil(AccountState.Registered));

        scene.Network.RunFor(TimeSpan.FromMinutes(10));

        Assert.Equal(AccountState.Registered, scene.Phone.Account.State);
        Assert.Single(scene.Registrar.Bindings);
        Assert.DoesNotContain(scene.Phone.Changes, change => change.State is AccountState.Waiting or AccountState.Refused);
    }

    [Fact]
    public void A_wish_that_is_too_brief_is_raised_to_what_the_registrar_takes()
    {
        var scene = new AccountScene(isBehindNat: false);
        scene.Registrar.MinExpires = TimeSpan.FromMinutes(30);
        scene.Start(SimulatedPhone.Options() with { Expires = TimeSpan.FromMinutes(1) });

        Assert.True(scene.RunUntil(AccountState.Registered));

        Assert.Equal(TimeSpan.FromMinutes(30), scene.Phone.Account.Lease);
    }

    [Fact]
    public void What_an_earlier_address_of_ours_has_left_at_the_registrar_is_told()
    {
        var scene = new AccountScene(isBehindNat: false);
        scene.Registrar.MoreHeaders = $"Contact: <sip:line@192.0.2.77:5060>;expires=3000;+sip.instance=\"<{SimulatedPhone.Options().Instance}>\"\r\n";
        scene.Start();

        Assert.True(scene.RunUntil(AccountState.Registered));

        Assert.Equal(
            "registered at 198.51.100.10:5060 for 3600 s; the registrar still sends calls to 192.0.2.77, where we were before",
            scene.Phone.Account.Text);
    }

    [Theory]
    [InlineData(301)]
    [InlineData(302)]
    public void A_redirection_is_followed_to_the_registrar_that_it_names(int status)
    {
        var scene = new AccountScene(isBehindNat: false);
        var other = SimulatedRegistrar.AddTo(scene.Network, "198.51.100.20:5060", "example.com", "secret");
        scene.Phone.Names["198.51.100.20"] = [AccountScene.Udp("198.51.100.20:5060")];
        scene.Registrar.Override = _ => $"{status} Moved\r\nContact: <sip:198.51.100.20>\r\n";
        scene.Start();

        Assert.True(scene.RunUntil(AccountState.Registered));

        Assert.Equal(["sip:line@203.0.113.9:5060"], other.Bindings);
        Assert.Equal(["example.com", "198.51.100.20"], scene.Phone.Asked);
    }

    [Fact]
    public void Redirections_in_a_circle_end_after_five()
    {
        var scene = new AccountScene(isBehindNat: false);
        scene.Registrar.Override = _ => "302 Moved\r\nContact: <sip:example.com>\r\n";
        scene.Start();

        Assert.True(scene.RunUntil(AccountState.Waiting));

        Assert.Equal(6, scene.Registrar.RegisteredAt.Count);
    }

    [Fact]
    public void A_registrar_that_is_busy_is_left_alone_for_as_long_as_it_says()
    {
        var scene = new AccountScene(isBehindNat: false);
        scene.Registrar.Override = request => request.Method == "REGISTER" ? "503 Busy\r\nRetry-After: 120 (an upgrade)\r\n" : null;
        scene.Start();
        Assert.True(scene.RunUntil(AccountState.Waiting));
        var first = scene.Registrar.RegisteredAt.Single();

        scene.Network.RunFor(TimeSpan.FromMinutes(3));

        Assert.Equal(2, scene.Registrar.RegisteredAt.Count);
        Assert.Equal(120, (scene.Registrar.RegisteredAt[1] - first).TotalSeconds, 0.1);
    }

    [Fact]
    public void Failures_in_a_row_are_tried_again_ever_less_often_up_to_half_an_hour()
    {
        var scene = new AccountScene(isBehindNat: false);
        scene.Registrar.Override = request => request.Method == "REGISTER" ? "500 Broken\r\n" : null;
        scene.Start();

        scene.Network.RunFor(TimeSpan.FromHours(4));

        var at = scene.Registrar.RegisteredAt;
        var gaps = at.Zip(at.Skip(1), (a, b) => (b - a).TotalSeconds).ToList();
        double[] bounds = [30, 60, 120, 240, 480, 960, 1800, 1800, 1800, 1800];
        Assert.All(gaps.Zip(bounds), pair => Assert.InRange(pair.First, pair.Second / 2, pair.Second + 0.1));
        Assert.True(gaps.Count >= bounds.Length);
    }

    [Fact]
    public void Going_leaves_no_binding_behind()
    {
        var scene = new AccountScene().Start();
        Assert.True(scene.RunUntil(AccountState.Registered));
        scene.Network.RunFor(TimeSpan.FromSeconds(2));

        scene.Phone.Host.Run(now => scene.Phone.Core.UnregisterAll(now));

        Assert.True(scene.RunUntil(AccountState.Unregistered));
        Assert.Empty(scene.Registrar.Bindings);
        scene.Network.RunFor(TimeSpan.FromHours(1));
        Assert.Empty(scene.Registrar.Bindings);
    }

    [Fact]
    public void A_registrar_that_does_not_answer_the_farewell_is_not_waited_for()
    {
        var scene = new AccountScene().Start();
        Assert.True(scene.RunUntil(AccountState.Registered));
        scene.Registrar.IsSilent = true;

        scene.Phone.Host.Run(now => scene.Phone.Core.UnregisterAll(now));

        Assert.True(scene.RunUntil(AccountState.Unregistered, TimeSpan.FromSeconds(10)));
    }

    // The example of RFC 3608 §6.1, with and without a proxy of ours before it.
    [Theory]
    [InlineData(null, "<sip:P2.HOME.EXAMPLE.COM;lr>,<sip:HSP.HOME.EXAMPLE.COM;lr>")]
    [InlineData("sip:198.51.100.10", "<sip:198.51.100.10;lr>,<sip:P2.HOME.EXAMPLE.COM;lr>,<sip:HSP.HOME.EXAMPLE.COM;lr>")]
    [InlineData("sip:p2.home.example.com", "<sip:P2.HOME.EXAMPLE.COM;lr>,<sip:HSP.HOME.EXAMPLE.COM;lr>")]
    public void Calls_go_by_the_service_route_that_the_registrar_named(string? proxy, string routes)
    {
        var scene = new AccountScene(isBehindNat: false);
        scene.Phone.Names["198.51.100.10"] = scene.Phone.Names["p2.home.example.com"] = scene.Phone.Names["example.com"];
        scene.Registrar.MoreHeaders = "Service-Route: <sip:P2.HOME.EXAMPLE.COM;lr>,\r\n <sip:HSP.HOME.EXAMPLE.COM;lr>\r\n";
        scene.Start(SimulatedPhone.Options() with { OutboundProxy = proxy is null ? null : SipUri.Parse(proxy) });
        Assert.True(scene.RunUntil(AccountState.Registered));

        scene.Phone.Call("sip:200@example.com");
        scene.Network.RunFor(TimeSpan.FromSeconds(1));

        var invite = Assert.Single(scene.Registrar.Requests, request => request.Method == "INVITE");
        Assert.Equal(routes, string.Join(",", invite.Headers("Route")).Replace(", ", ",", StringComparison.Ordinal));
        Assert.Equal("INVITE sip:200@example.com SIP/2.0", invite.StartLine);
        // A REGISTER never goes by it (RFC 3608 §5).
        Assert.All(scene.Registrar.Requests.Where(request => request.Method == "REGISTER"), request => Assert.Equal(proxy is null ? 0 : 1, request.Headers("Route").Count()));
    }

    // The example of RFC 3327 §5.5.1.
    [Fact]
    public void The_way_that_the_registrar_keeps_to_us_is_shown()
    {
        var scene = new AccountScene(isBehindNat: false);
        scene.Registrar.MoreHeaders = "Path: <sip:P3.EXAMPLEHOME.COM;lr>,<sip:P1.EXAMPLEVISITED.COM;lr>\r\n";
        scene.Start();

        Assert.True(scene.RunUntil(AccountState.Registered));

        Assert.Equal(["<sip:P3.EXAMPLEHOME.COM;lr>", "<sip:P1.EXAMPLEVISITED.COM;lr>"], scene.Phone.Account.Path);
        Assert.All(scene.Registrar.Requests, request => Assert.Contains("path", request.Header("Supported"), StringComparison.Ordinal));
    }

    [Fact]
    public void Many_accounts_begin_and_refresh_apart()
    {
        var scene = new AccountScene(isBehindNat: false);
        scene.Registrar.Lease = TimeSpan.FromMinutes(10);
        for (var i = 0; i < 1000; i++) scene.Phone.Add(SimulatedPhone.Options($"line{i}"));

        scene.Network.RunFor(TimeSpan.FromMinutes(30));

        Assert.Equal(1000, scene.Phone.Core.AccountsRegistered);
        Assert.Equal(1000, scene.Registrar.Bindings.Count);
        var busiest = scene.Registrar.RegisteredAt.GroupBy(at => (long)TimeSpan.FromTicks(at.Ticks).TotalSeconds).Max(second => second.Count());
        Assert.InRange(busiest, 1, 110);
    }

    // Each account that is looked at costs some hundred bytes, and there may be ten thousand.
    [Fact]
    public void A_connection_that_comes_and_goes_is_no_matter_of_accounts_that_do_not_use_it()
    {
        var scene = new AccountScene(isBehindNat: false);
        for (var i = 0; i < 200; i++) scene.Phone.Add(SimulatedPhone.Options($"line{i}"));
        Assert.True(scene.Network.RunUntil(() => scene.Phone.Core.AccountsRegistered == 200, TimeSpan.FromSeconds(10)));
        var (core, now, flow) = (scene.Phone.Core, scene.Network.Now, 1_000);
        FlowChange Change(FlowChangeKind kind) => new(kind, TransportProtocol.Tcp, TransportAddress.Parse("203.0.113.9:5060"), TransportAddress.Parse("192.0.2.1:40000"));

        var allocated = Allocation.Of(() =>
        {
            core.HandleFlow(now, new(++flow), Change(FlowChangeKind.Opened));
            core.HandleFlow(now, new(flow), Change(FlowChangeKind.Closed));
        });

        Assert.InRange(allocated, 0, 5_000);
    }

    [Fact]
    public void What_the_registrar_asks_outside_a_call_is_answered_and_strangers_get_nothing_from_that()
    {
        var scene = new AccountScene(isBehindNat: false).Start();
        Assert.True(scene.RunUntil(AccountState.Registered));

        Assert.True(scene.IsReachable());
        Assert.Equal("SIP/2.0 200 OK", scene.Registrar.Responses[^1].StartLine);

        var stranger = new DatagramProbe();
        var host = scene.Network.AddHost("198.51.100.66", stranger);
        var flow = host.OpenUdp(5060);
        host.Run(_ => stranger.Send(flow, TransportAddress.Parse("203.0.113.9:5060"), "OPTIONS sip:line@203.0.113.9 SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.66;rport;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:line@203.0.113.9>\r\nCall-ID: x\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"));
        scene.Network.RunFor(TimeSpan.FromSeconds(1));
        Assert.StartsWith("SIP/2.0 403", Assert.Single(stranger.Received).Text, StringComparison.Ordinal);
    }
}
