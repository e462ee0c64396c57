using System.Globalization;
using SipNat.Traversal.Stun;
using SipNat.Wire;

namespace SipNat.Tests.Traversal.Stun;

public sealed class StunBindingClientTests
{
    private const string Mapped = "203.0.113.7:61000";
    private static readonly TransportAddress A = BindingScene.ServerA;
    private static readonly TransportAddress B = BindingScene.ServerB;

    [Fact]
    public void The_first_answer_is_the_mapping_and_a_second_server_confirms_it()
    {
        var scene = new BindingScene { Mapping = static (_, _) => Mapped };

        scene.RunUntil(1000);

        Assert.Equal([$"0 {A}", $"20 {B}"], scene.Sent);
        Assert.Equal([$"20 STUN server {A} sees {BindingScene.Local} as {Mapped}."], scene.Events);
        Assert.Equal(TransportAddress.Parse(Mapped), scene.Client.Mapped);
        Assert.Equal(A, scene.Client.Server);
        Assert.False(scene.Client.VariesByDestination);
        Assert.Equal(0, scene.Rented);
    }

    [Fact]
    public void The_request_is_a_bare_header_with_a_fresh_id()
    {
        var scene = new BindingScene();

        scene.RunUntil(60);

        Assert.All(scene.Requests, static request => Assert.Equal("000100002112A442", Convert.ToHexString(request)[..16]));
        Assert.All(scene.Requests, static request => Assert.Equal(20, request.Length));
        Assert.Equal(2, scene.Requests.Select(static request => Convert.ToHexString(request)).Distinct(StringComparer.Ordinal).Count());
    }

    [Fact]
    public void A_silent_first_server_does_not_delay_the_answer_of_the_second()
    {
        var scene = new BindingScene { Mapping = static (server, _) => server == B ? Mapped : null };

        scene.RunUntil(20_000);

        Assert.Equal(
            [$"0 {A}", $"50 {B}", $"500 {A}", $"1500 {A}", $"3500 {A}", $"7500 {A}", $"15500 {A}"],
            scene.Sent);
        Assert.Equal([$"70 STUN server {B} sees {BindingScene.Local} as {Mapped}."], scene.Events);
        Assert.Null(scene.Client.VariesByDestination);
    }

    [Fact]
    public void Servers_after_the_first_answer_are_not_asked()
    {
        var third = TransportAddress.Parse("198.51.100.3:3478");
        var scene = new BindingScene(new() { Servers = [A, B, third] }) { Mapping = static (_, _) => Mapped };

        scene.RunUntil(10_000);

        Assert.Equal([$"0 {A}", $"20 {B}"], scene.Sent);
    }

    [Fact]
    public void A_second_address_is_preferred_to_a_second_port_for_the_comparison()
    {
        var secondPort = A.WithPort(3479);
        var scene = new BindingScene(new() { Servers = [A, secondPort, B] }) { Mapping = static (_, _) => Mapped };

        scene.RunUntil(10_000);

        Assert.Equal([$"0 {A}", $"20 {B}"], scene.Sent);
    }

    [Fact]
    public void Two_mappings_of_one_socket_are_a_mapping_that_depends_on_the_destination() // RFC 4787 §4.1
    {
        var scene = new BindingScene { Mapping = static (server, _) => server == A ? Mapped : "203.0.113.7:61001" };

        scene.RunUntil(120_000);

        Assert.True(scene.Client.VariesByDestination);
        Assert.Equal(
            [
                $"20 STUN server {A} sees {BindingScene.Local} as {Mapped}.",
                $"40 The NAT maps per destination: STUN server {A} sees {Mapped}, {B} sees 203.0.113.7:61001.",
            ],
            scene.Events);
    }

    [Fact]
    public void Silent_servers_are_reported_after_39_5_seconds_and_asked_again()
    {
        var scene = new BindingScene();

        scene.RunUntil(39_600);

        Assert.Equal(14, scene.Sent.Count);
        Assert.Equal([$"39550 No STUN server gave an address; asked {A}, {B}."], scene.Events);
        Assert.Null(scene.Client.Mapped);

        scene.Mapping = static (_, _) => Mapped;
        scene.RunUntil(39_550 + 25_100);

        Assert.Equal(TransportAddress.Parse(Mapped), scene.Client.Mapped);
        Assert.Equal(2, scene.Events.Count);
    }

    [Fact]
    public void The_mapping_is_refreshed_every_80_to_100_percent_of_the_bound()
    {
        var scene = new BindingScene(new() { Servers = [A] }) { Mapping = static (_, _) => Mapped };

        scene.RunUntil(24 * 3600 * 1000);

        var times = scene.Sent.Select(static line => double.Parse(line.Split(' ')[0], CultureInfo.InvariantCulture)).ToList();
        var gaps = times.Skip(1).Zip(times.Skip(2), static (left, right) => right - left).ToList();
        Assert.InRange(gaps.Count, 3600, 4320);
        Assert.InRange(gaps.Min(), 19_999, 20_010);
        Assert.InRange(gaps.Max(), 24_990, 25_001);
        Assert.Single(scene.Events);
    }

    [Fact]
    public void A_lost_keepalive_is_repeated_after_half_one_and_two_seconds()
    {
        var lost = 0;
        var scene = new BindingScene(new() { Servers = [A], KeepaliveBound = TimeSpan.FromSeconds(25) });
        scene.Mapping = (_, now) => now > 1000 && lost++ < 3 ? null : Mapped;

        scene.RunUntil(30_000);

        var times = scene.Sent.Select(static line => double.Parse(line.Split(' ')[0], CultureInfo.InvariantCulture)).ToList();
        Assert.Equal(5, times.Count);
        Assert.Equal([500, 1000, 2000], times.Skip(1).Zip(times.Skip(2), static (left, right) => right - left));
        Assert.Single(scene.Events);
        Assert.Equal(TransportAddress.Parse(Mapped), scene.Client.Mapped);
    }

    [Fact]
    public void Silence_of_the_chosen_server_moves_the_client_to_the_next_one()
    {
        var scene = new BindingScene { Mapping = static (server, now) => server == A && now > 1000 ? null : Mapped };

        scene.RunUntil(40_000);

        var lost = scene.Events[1].Split(' ')[0];
        Assert.Equal(
            [
                $"20 STUN server {A} sees {BindingScene.Local} as {Mapped}.",
                $"{lost} STUN server {A}, which saw {Mapped}, does not answer.",
                $"{int.Parse(lost, CultureInfo.InvariantCulture) + 20} STUN server {B} sees {BindingScene.Local} as {Mapped}.",
            ],
            scene.Events);
        Assert.Equal(B, scene.Client.Server);
    }

    [Fact]
    public void The_last_mapping_is_remembered_while_none_is_known()
    {
        var scene = new BindingScene { Mapping = static (_, now) => now > 1000 ? null : Mapped };

        scene.RunUntil(40_000);

        Assert.Null(scene.Client.Mapped);
        Assert.Equal(TransportAddress.Parse(Mapped), scene.Client.LastMapped);
    }

    [Fact]
    public void A_changed_mapping_is_reported_and_compared_anew()
    {
        var scene = new BindingScene { Mapping = static (_, now) => now > 1000 ? "203.0.113.9:5000" : Mapped };

        scene.RunUntil(30_000);

        Assert.Equal(2, scene.Events.Count);
        Assert.EndsWith(
            $" STUN server {A} sees {BindingScene.Local} as 203.0.113.9:5000, before as {Mapped}.", scene.Events[1], StringComparison.Ordinal);
        Assert.Equal(TransportAddress.Parse("203.0.113.9:5000"), scene.Client.Mapped);
        Assert.Equal([A, B, A, B], scene.Sent.Select(static line => TransportAddress.Parse(line.Split(' ')[1])));
        Assert.False(scene.Client.VariesByDestination);
    }

    [Theory]
    [InlineData("192.168.1.10:4000", new[] { "198.51.100.1:3478" })]
    [InlineData("[2001:db8::10]:4000", new[] { "[2001:db8::1]:3478" })]
    public void A_socket_asks_only_servers_of_its_family(string local, string[] asked)
    {
        var servers = new[] { A, TransportAddress.Parse("[2001:db8::1]:3478") };
        var scene = new BindingScene(new() { Servers = servers }, local: TransportAddress.Parse(local));

        scene.RunUntil(100);

        Assert.Equal(asked.Select(static server => $"0 {server}"), scene.Sent);
    }

    [Fact]
    public void Without_servers_nothing_happens()
    {
        var scene = new BindingScene(new());

        scene.RunUntil(100_000);

        Assert.False(scene.Client.HasServers);
        Assert.Null(scene.Client.Deadline);
        Assert.Empty(scene.Sent);
        Assert.Empty(scene.Events);
    }

    [Fact]
    public void The_number_of_servers_is_limited()
    {
        var servers = Enumerable.Range(1, 20).Select(static i => TransportAddress.Parse($"198.51.100.{i}:3478")).ToList();
        var scene = new BindingScene(new() { Servers = servers });

        scene.RunUntil(490);

        Assert.Equal(StunBindingOptions.MaxServers, scene.Sent.Count);
    }

    [Fact]
    public void A_suspended_machine_sends_one_keepalive_on_resume()
    {
        var scene = new BindingScene(new() { Servers = [A] }) { Mapping = static (_, _) => Mapped };
        scene.RunUntil(1000);

        scene.Suspend(TimeSpan.FromHours(8));

        Assert.Equal(2, scene.Sent.Count);
        Assert.InRange((scene.Client.Deadline!.Value - new Instant(0)).TotalHours, 8, 8.1);
    }

    [Fact]
    public void A_short_bound_does_not_hide_a_silent_server()
    {
        var options = new StunBindingOptions { Servers = [A], KeepaliveBound = TimeSpan.FromSeconds(2) };
        var scene = new BindingScene(options) { Mapping = static (_, now) => now > 1000 ? null : Mapped };

        scene.RunUntil(12_000);

        Assert.Null(scene.Client.Mapped);
        Assert.Contains(scene.Events, static line => line.EndsWith("does not answer.", StringComparison.Ordinal));
    }

    // A NAT that forgets a silent socket after some time, and gives it another port then.
    [Theory]
    [InlineData(10, 1)]
    [InlineData(6, 2)]
    [InlineData(20, 1)]
    public void A_mapping_that_ended_between_two_keepalives_is_not_lost_again(double lifetime, int losses)
    {
        var scene = new BindingScene(new() { Servers = [A] });
        var (port, sent) = (61_000, 0.0);
        scene.Mapping = (_, now) =>
        {
            if (now - sent > lifetime * 1000) port++;
            sent = now;
            return $"203.0.113.7:{port}";
        };

        scene.RunUntil(24 * 3600 * 1000);

        Assert.InRange(port - 61_000, 1, losses);
        Assert.Equal(1 + (2 * (port - 61_000)), scene.Events.Count);
        Assert.Matches(
            @"^\d+ The NAT gave 192\.168\.1\.10:4000 another port within 2[0-5] s: a silent mapping does not live so long there, and is kept alive every [56]\.\d–[78]\.\d s from here on\.$",
            scene.Events[2]);
        Assert.InRange(scene.Client.KeepaliveBound.TotalSeconds, 5, 8.75);
        Assert.InRange(Gaps(scene).Skip(losses * 2).Max(), 3_999, scene.Client.KeepaliveBound.TotalMilliseconds + 1);
    }

    [Fact]
    public void Another_address_says_nothing_of_lifetimes_and_ends_what_was_learned_of_the_one_before()
    {
        var scene = new BindingScene(new() { Servers = [A] });
        scene.Mapping = static (_, now) => now < 10_000 ? Mapped : now < 30_000 ? "203.0.113.7:61001" : "203.0.113.8:61001";

        scene.RunUntil(29_000);
        Assert.InRange(scene.Client.KeepaliveBound.TotalSeconds, 7, 8.75);

        scene.RunUntil(60_000);
        Assert.Equal(25, scene.Client.KeepaliveBound.TotalSeconds);
        Assert.Equal(4, scene.Events.Count);
    }

    // A NAT that restarts: the silence was too short for any mapping to end in it.
    [Fact]
    public void Another_port_after_a_short_silence_changes_no_interval()
    {
        var scene = new BindingScene(new() { Servers = [A], KeepaliveBound = TimeSpan.FromSeconds(4) }) { Mapping = static (_, now) => now < 10_000 ? Mapped : "203.0.113.7:61001" };

        scene.RunUntil(60_000);

        Assert.Equal(2, scene.Events.Count);
        Assert.Equal(4, scene.Client.KeepaliveBound.TotalSeconds);
    }

    [Fact]
    public void A_bound_that_was_measured_counts_at_once()
    {
        var scene = new BindingScene(new() { Servers = [A] }) { Mapping = static (_, _) => Mapped };
        scene.RunUntil(1000);
        scene.Client.LimitKeepalive(scene.Time, TimeSpan.FromSeconds(7));
        scene.RunUntil(3600 * 1000);

        var gaps = Gaps(scene);
        Assert.InRange(gaps[0], 1000, 8000);
        Assert.InRange(gaps.Skip(1).Min(), 5_599, 5_700);
        Assert.InRange(gaps.Skip(1).Max(), 6_900, 7_001);

        scene.Client.LimitKeepalive(scene.Time, TimeSpan.FromSeconds(21));
        scene.RunUntil(2 * 3600 * 1000);

        Assert.InRange(Gaps(scene)[^1], 16_799, 21_001);
    }

    [Fact]
    public void A_stopped_client_is_silent()
    {
        var scene = new BindingScene { Mapping = static (_, _) => Mapped };
        scene.RunUntil(1000);

        scene.Client.Stop();
        scene.RunUntil(100_000);

        Assert.Null(scene.Client.Deadline);
        Assert.Equal(2, scene.Sent.Count);
        Assert.False(scene.Receive(A, BindingScene.Success(scene.Requests[0], TransportAddress.Parse(Mapped))));
    }

    // Milliseconds between requests.
    private static List<double> Gaps(BindingScene scene)
    {
        var times = scene.Sent.Select(static line => double.Parse(line.Split(' ')[0], CultureInfo.InvariantCulture)).ToList();
        return [.. times.Zip(times.Skip(1), static (left, right) => right - left)];
    }

    [Fact]
    public void Forty_minutes_of_random_loss_end_with_the_right_mapping_and_the_same_bytes_for_the_same_seed()
    {
        var first = RunWithLoss();
        var second = RunWithLoss();

        Assert.Equal(TransportAddress.Parse(Mapped), first.Client.Mapped);
        Assert.False(first.Client.VariesByDestination);
        Assert.Equal(first.Sent, second.Sent);
        Assert.Equal(first.Requests, second.Requests);

        static BindingScene RunWithLoss()
        {
            var loss = new Random(42);
            var scene = new BindingScene(seed: 42) { Mapping = (_, _) => loss.NextDouble() < 0.3 ? null : Mapped };
            scene.RunUntil(40 * 60 * 1000);
            return scene;
        }
    }
}
