using SipNat.Endpoint.Accounts;
using SipNat.Simulation;
using SipNat.Simulation.Accounts;
using SipNat.Wire;

namespace SipNat.Tests.Endpoint.Accounts;

/// <summary>Whether calls arrive, whatever the network does.</summary>
public sealed class ReachabilityTests
{
    // What a provider sees of the NATs that people have.
    public static TheoryData<string> Nats => ["full-cone", "address-restricted", "port-restricted", "symmetric"];

    [Theory]
    [MemberData(nameof(Nats))]
    public void Calls_arrive_after_ten_minutes_of_silence_through_a_nat_that_forgets_after_thirty_seconds(string kind)
    {
        var scene = new AccountScene(NatOf(kind) with { FreshLifetime = TimeSpan.FromSeconds(30), EstablishedLifetime = TimeSpan.FromSeconds(30) }).Start();
        Assert.True(scene.RunUntil(AccountState.Registered));

        scene.Network.RunFor(TimeSpan.FromMinutes(10));

        Assert.True(scene.IsReachable());
        // A question for the bindings every 20 to 25 s; its nonce is good for an hour.
        Assert.InRange(scene.Registrar.Requests.Count(r => r.Method == "REGISTER" && r.Header("Contact") is null), 24, 31);
    }

    // RFC 6223 §4.3: the value of keep in the answer's Via, and over UDP the technique of RFC 5626 §4.4.2.
    [Fact]
    public void Keepalives_are_as_frequent_as_the_registrar_wishes_and_of_the_kind_that_it_takes()
    {
        var scene = new AccountScene(isBehindNat: false);
        scene.Registrar.EditVia = via => via.Replace(";keep", ";keep=12", StringComparison.Ordinal);
        scene.Start();
        Assert.True(scene.RunUntil(AccountState.Registered));

        scene.Network.RunFor(TimeSpan.FromMinutes(10));

        Assert.Equal(TimeSpan.FromSeconds(12), scene.Phone.Account.Keepalive);
        var gaps = scene.Registrar.StunRequests.Zip(scene.Registrar.StunRequests.Skip(1), (a, b) => (b - a).TotalSeconds).ToList();
        Assert.InRange(gaps.Count, 48, 63);
        Assert.All(gaps, gap => Assert.InRange(gap, 12 * 0.8, 12.1));
        Assert.Equal(0, scene.Registrar.Keepalives);
        Assert.All(scene.Registrar.Requests, request => Assert.EndsWith(";keep", request.Header("Via"), StringComparison.Ordinal));
    }

    [Fact]
    public void A_router_that_was_rebooted_is_noticed_and_calls_arrive_again_within_35_seconds()
    {
        var scene = new AccountScene().Start();
        Assert.True(scene.RunUntil(AccountState.Registered));
        scene.Network.RunFor(TimeSpan.FromMinutes(2));

        scene.Nat!.Reboot();
        scene.Network.RunFor(TimeSpan.FromSeconds(33));

        Assert.True(scene.IsReachable());
    }

    [Fact]
    public void A_new_public_address_is_noticed_and_calls_arrive_again_within_35_seconds()
    {
        var scene = new AccountScene().Start();
        Assert.True(scene.RunUntil(AccountState.Registered));
        scene.Network.RunFor(TimeSpan.FromMinutes(2));

        scene.Nat!.Renumber("203.0.113.77");
        scene.Network.RunFor(TimeSpan.FromSeconds(33));

        Assert.True(scene.IsReachable());
        Assert.Equal("203.0.113.77", scene.Phone.Account.Contact.AddressText);
        Assert.Contains(scene.Registrar.Bindings, binding => binding.Contains("203.0.113.77", StringComparison.Ordinal));
    }

    // It tells its own new address nobody, and takes it out of what comes back: only the binding shows it.
    [Fact]
    public void A_new_public_address_behind_a_gateway_that_rewrites_sip_is_noticed_at_the_binding()
    {
        var scene = new AccountScene(new() { SipAlg = SipAlgKind.BothWays, PortAssignment = PortAssignment.Preserve });
        scene.Registrar.IsOutbound = true;
        scene.Start();
        Assert.True(scene.RunUntil(AccountState.Registered));
        scene.Network.RunFor(TimeSpan.FromMinutes(2));

        scene.Nat!.Renumber("203.0.113.77");
        scene.Network.RunFor(TimeSpan.FromSeconds(33));

        Assert.True(scene.IsReachable());
        var before = scene.Registrar.RegisteredAt.Count;
        scene.Network.RunFor(TimeSpan.FromMinutes(10));
        Assert.Equal(before, scene.Registrar.RegisteredAt.Count);
    }

    // Once is a new address perhaps; always is its way of writing.
    [Fact]
    public void A_registrar_that_lists_bindings_otherwise_than_it_took_them_is_registered_with_once_more_and_no_further()
    {
        var scene = new AccountScene(isBehindNat: false);
        scene.Registrar.Override = request => request.Method == "REGISTER" && request.Header("Contact") is null
            ? $"200 OK\r\nContact: <sip:line@192.0.2.200>;expires=3000;+sip.instance=\"<{SimulatedPhone.Options().Instance}>\"\r\n"
            : null;
        scene.Start();
        Assert.True(scene.RunUntil(AccountState.Registered));
        var first = scene.Registrar.RegisteredAt.Count;

        scene.Network.RunFor(TimeSpan.FromMinutes(20));

        Assert.Equal(first + 1, scene.Registrar.RegisteredAt.Count);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void A_registrar_that_has_forgotten_its_bindings_is_noticed_and_calls_arrive_again_within_35_seconds(int accounts)
    {
        var scene = new AccountScene();
        for (var i = 0; i < accounts; i++) scene.Phone.Add(SimulatedPhone.Options($"line{i}"));
        scene.Network.RunFor(TimeSpan.FromMinutes(2));

        scene.Registrar.Restart();
        scene.Network.RunFor(TimeSpan.FromSeconds(33));

        Assert.Equal(accounts, scene.Registrar.Bindings.Count);
        Assert.True(scene.IsReachable());
    }

    [Fact]
    public void A_registrar_that_never_lists_its_bindings_is_asked_for_them_twice_and_then_only_whether_it_is_there()
    {
        var scene = new AccountScene(isBehindNat: false);
        scene.Registrar.Override = request => request.Method == "REGISTER" && request.Header("Contact") is null ? "200 OK\r\n" : null;
        scene.Start();

        scene.Network.RunFor(TimeSpan.FromMinutes(10));

        Assert.Equal(2, scene.Registrar.Requests.Count(IsFetch));
        // A challenge, its answer, and one more when the first list was empty.
        Assert.Equal(3, scene.Registrar.RegisteredAt.Count);
        Assert.InRange(scene.Registrar.Requests.Count(r => r.Method == "OPTIONS"), 21, 28);
    }

    [Fact]
    public void A_registrar_that_refuses_to_list_its_bindings_is_asked_once()
    {
        var scene = new AccountScene(isBehindNat: false);
        scene.Registrar.Override = request => request.Method == "REGISTER" && request.Header("Contact") is null ? "400 Contact missing\r\n" : null;
        scene.Start();

        scene.Network.RunFor(TimeSpan.FromMinutes(10));

        Assert.Single(scene.Registrar.Requests, IsFetch);
        Assert.Equal(2, scene.Registrar.RegisteredAt.Count);
        Assert.Equal(AccountState.Registered, scene.Phone.Account.State);
    }

    [Fact]
    public void A_registrar_that_is_busy_is_left_for_one_that_answers_and_not_for_a_dead_one()
    {
        var scene = new AccountScene();
        var other = SimulatedRegistrar.AddTo(scene.Network, "198.51.100.11:5060", "example.com", "secret");
        other.IsSilent = true;
        scene.Phone.Names["example.com"] = [AccountScene.Udp(AccountScene.RegistrarAddress), AccountScene.Udp("198.51.100.11:5060")];
        scene.Start();
        Assert.True(scene.RunUntil(AccountState.Registered));
        scene.Network.RunFor(TimeSpan.FromMinutes(2));

        scene.Registrar.Override = request => request.Method == "REGISTER" ? "503 Busy\r\nRetry-After: 60\r\n" : null;
        scene.Network.RunFor(TimeSpan.FromMinutes(5));
        Assert.Equal(AccountState.Registered, scene.Phone.Account.State);
        Assert.True(scene.IsReachable());

        other.IsSilent = false;
        scene.Network.RunFor(TimeSpan.FromMinutes(2));
        Assert.Single(other.Bindings);
        Assert.Equal(TransportAddress.Parse("198.51.100.11:5060"), scene.Phone.Account.Registrar);
    }

    [Fact]
    public void A_server_that_the_dns_no_longer_names_is_left_and_one_that_moved_down_the_list_is_not()
    {
        var scene = new AccountScene();
        var other = SimulatedRegistrar.AddTo(scene.Network, "198.51.100.11:5060", "example.com", "secret");
        scene.Phone.DnsLifetime = TimeSpan.FromMinutes(5);
        scene.Start();
        scene.Network.RunFor(TimeSpan.FromMinutes(2));

        scene.Phone.Names["example.com"] = [AccountScene.Udp("198.51.100.11:5060"), AccountScene.Udp(AccountScene.RegistrarAddress)];
        scene.Network.RunFor(TimeSpan.FromHours(1));
        Assert.Empty(other.Bindings);
        // Every five minutes, and up to a tenth later.
        Assert.InRange(scene.Phone.Asked.Count, 11, 14);

        scene.Phone.Names["example.com"] = [AccountScene.Udp("198.51.100.11:5060")];
        scene.Network.RunFor(TimeSpan.FromMinutes(7));
        Assert.Single(other.Bindings);
        Assert.Equal(TransportAddress.Parse("198.51.100.11:5060"), scene.Phone.Account.Registrar);
    }

    [Fact]
    public void Where_the_dns_is_silent_the_servers_that_it_named_before_are_tried()
    {
        var scene = new AccountScene();
        scene.Start();
        Assert.True(scene.RunUntil(AccountState.Registered));
        scene.Network.RunFor(TimeSpan.FromMinutes(2));

        scene.Phone.IsDnsSilent = true;
        scene.Registrar.IsSilent = true;
        scene.Network.RunFor(TimeSpan.FromMinutes(5));
        scene.Registrar.IsSilent = false;
        scene.Network.RunFor(TimeSpan.FromSeconds(33));

        Assert.True(scene.IsReachable());
    }

    [Theory]
    [InlineData(60)]
    [InlineData(3600)]
    [InlineData(6 * 3600)]
    public void After_an_outage_of_any_length_calls_arrive_within_35_seconds(int seconds)
    {
        var scene = new AccountScene().Start();
        Assert.True(scene.RunUntil(AccountState.Registered));

        scene.Phone.Host.IsConnected = false;
        scene.Network.RunFor(TimeSpan.FromSeconds(seconds));
        scene.Phone.Host.IsConnected = true;
        scene.Network.RunFor(TimeSpan.FromSeconds(33));

        Assert.Equal(AccountState.Registered, scene.Phone.Account.State);
        Assert.True(scene.IsReachable());
    }

    [Fact]
    public void In_an_outage_no_more_than_a_packet_a_second_is_sent()
    {
        var scene = new AccountScene().Start();
        Assert.True(scene.RunUntil(AccountState.Registered));
        scene.Registrar.IsSilent = true;
        scene.Network.RunFor(TimeSpan.FromMinutes(2));
        var before = scene.Phone.Host.PacketsSent;

        scene.Network.RunFor(TimeSpan.FromMinutes(60));

        Assert.InRange(scene.Phone.Host.PacketsSent - before, 600, 3600);
    }

    [Fact]
    public void A_question_that_the_dns_never_answered_is_asked_again()
    {
        var scene = new AccountScene();
        scene.Phone.IsDnsSilent = true;
        scene.Start();
        scene.Network.RunFor(TimeSpan.FromSeconds(10));

        scene.Phone.IsDnsSilent = false;

        Assert.True(scene.RunUntil(AccountState.Registered, TimeSpan.FromSeconds(25)));
    }

    [Fact]
    public void Where_the_first_server_is_dead_the_second_one_has_the_registration_within_seconds()
    {
        var scene = new AccountScene();
        var dead = SimulatedRegistrar.AddTo(scene.Network, "198.51.100.11:5060", "example.com", "secret");
        dead.IsSilent = true;
        scene.Phone.Names["example.com"] = [AccountScene.Udp("198.51.100.11:5060"), AccountScene.Udp(AccountScene.RegistrarAddress)];
        scene.Start();

        Assert.True(scene.RunUntil(AccountState.Registered, TimeSpan.FromSeconds(8)));
        scene.Network.RunFor(TimeSpan.FromSeconds(1));
        Assert.True(scene.IsReachable());
    }

    [Fact]
    public void What_one_account_has_found_out_about_a_dead_server_the_next_one_need_not()
    {
        var scene = new AccountScene();
        var dead = SimulatedRegistrar.AddTo(scene.Network, "198.51.100.11:5060", "example.com", "secret");
        dead.IsSilent = true;
        scene.Phone.Names["example.com"] = [AccountScene.Udp("198.51.100.11:5060"), AccountScene.Udp(AccountScene.RegistrarAddress)];
        scene.Start();
        Assert.True(scene.RunUntil(AccountState.Registered, TimeSpan.FromSeconds(8)));

        scene.Phone.Add(SimulatedPhone.Options("second"));

        Assert.True(scene.Network.RunUntil(() => scene.Phone.Core.Accounts.All(static account => account.State is AccountState.Registered), TimeSpan.FromSeconds(1)));
    }

    [Fact]
    public void Where_the_server_dies_later_the_dns_is_asked_again_and_its_successor_has_the_registration_within_45_seconds()
    {
        var scene = new AccountScene().Start();
        Assert.True(scene.RunUntil(AccountState.Registered));
        var successor = SimulatedRegistrar.AddTo(scene.Network, "198.51.100.12:5060", "example.com", "secret");
        scene.Phone.Names["example.com"] = [AccountScene.Udp("198.51.100.12:5060")];

        scene.Registrar.IsSilent = true;
        scene.Network.RunFor(TimeSpan.FromSeconds(45));

        Assert.Single(successor.Bindings);
    }

    [Fact]
    public void Behind_a_nat_that_maps_each_flow_anew_there_is_no_loop_of_registrations()
    {
        // Each answer names another port, as behind a balancer of several registrars.
        var scene = new AccountScene(isBehindNat: false);
        var port = 1024;
        scene.Registrar.Override = request => request.Method == "REGISTER" ? null : "200 OK\r\n";
        scene.Registrar.EditVia = via => via.Replace(";rport", $";rport={port++};received=203.0.113.9", StringComparison.Ordinal);
        scene.Start();
        Assert.True(scene.RunUntil(AccountState.Registered));

        scene.Network.RunFor(TimeSpan.FromMinutes(50));

        // At once, and after 5, 20, 80, 320 and 1280 s more; each with a challenge at worst.
        Assert.InRange(scene.Registrar.RegisteredAt.Count, 6, 12);
        Assert.Contains("calls may not arrive", scene.Phone.Account.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_registrar_on_the_internet_that_sees_a_private_address_shows_a_sip_gateway()
    {
        var scene = new AccountScene();
        scene.Registrar.EditVia = via => via.Replace(";rport", ";rport=5062;received=192.168.1.10", StringComparison.Ordinal);
        scene.Start();

        Assert.True(scene.RunUntil(AccountState.Registered));

        Assert.True(scene.Phone.Account.IsAltered);
        Assert.Equal(2, scene.Registrar.RegisteredAt.Count);
    }

    [Fact]
    public void Over_tcp_the_connection_is_made_anew_when_it_breaks()
    {
        var scene = new AccountScene();
        scene.Phone.Names["example.com"] = [AccountScene.Tcp(AccountScene.RegistrarAddress)];
        scene.Start();
        Assert.True(scene.RunUntil(AccountState.Registered));
        Assert.Equal(TransportProtocol.Tcp, scene.Phone.Account.Transport);

        scene.Nat!.Reboot();
        scene.Network.RunFor(TimeSpan.FromSeconds(60));

        Assert.Equal(AccountState.Registered, scene.Phone.Account.State);
        Assert.True(scene.Registrar.RegisteredAt[^1] > scene.Network.Now - TimeSpan.FromSeconds(60));
    }

    private static bool IsFetch(ScriptedSipMessage request) => request.Method == "REGISTER" && request.Header("Contact") is null;

    private static NatOptions NatOf(string kind) => kind switch
    {
        "full-cone" => NatOptions.FullCone,
        "address-restricted" => NatOptions.AddressRestricted,
        "symmetric" => NatOptions.Symmetric,
        _ => NatOptions.PortRestricted with { PortAssignment = PortAssignment.Random },
    };
}
