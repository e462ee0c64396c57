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
        Assert.InRange(scene.Registrar.Requests.Count(r => r.Method == "OPTIONS"), 20, 40);
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

        scene.Network.RunFor(TimeSpan.FromSeconds(20));

        Assert.InRange(scene.Registrar.RegisteredAt.Count, 2, 3);
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

    private static NatOptions NatOf(string kind) => kind switch
    {
        "full-cone" => NatOptions.FullCone,
        "address-restricted" => NatOptions.AddressRestricted,
        "symmetric" => NatOptions.Symmetric,
        _ => NatOptions.PortRestricted with { PortAssignment = PortAssignment.Random },
    };
}
