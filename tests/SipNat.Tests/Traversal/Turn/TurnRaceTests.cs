using SipNat.Simulation;
using SipNat.Simulation.Turn;
using SipNat.Traversal.Turn;
using SipNat.Wire;

namespace SipNat.Tests.Traversal.Turn;

public sealed class TurnRaceTests
{
    private readonly SimulatedNetwork _network = new(seed: 3);
    private readonly SimulatedTurnServer[] _servers;
    private readonly RaceCore _core;

    public TurnRaceTests()
    {
        var addresses = new[] { "198.51.100.1:3478", "198.51.100.2:3478", "198.51.100.3:3478" };
        _servers = [.. addresses.Select(address => SimulatedTurnServer.AddTo(_network, address))];
        _core = new([.. addresses.Select(static address => TurnScene.Options with { Server = TransportAddress.Parse(address) })]);
    }

    [Fact]
    public void The_first_server_that_relays_wins_and_the_others_are_given_back()
    {
        _servers[0].IsSilent = true;
        Start();

        _network.RunFor(TimeSpan.FromSeconds(2));

        Assert.Equal([0, 1, 0], _servers.Select(static server => server.AllocationCount));
        Assert.Equal(_core.Addresses[1], _core.Race.Winner!.Server);
        _network.AssertNothingRented();
    }

    [Fact]
    public void When_the_winner_falls_silent_another_one_wins_within_seconds()
    {
        Start();
        _network.RunFor(TimeSpan.FromSeconds(2));
        var first = Array.IndexOf(_core.Addresses, _core.Race.Winner!.Server);

        _host.Run(now => Assert.True(_core.Race.Winner!.Permit(now, TurnScene.Peer)));
        _servers[first].IsSilent = true;
        _network.RunFor(TimeSpan.FromSeconds(10));

        Assert.NotEqual(_core.Addresses[first], _core.Race.Winner!.Server);
        Assert.Equal(TurnAllocationState.Allocated, _core.Race.Winner.State);
        Assert.Equal(1, _servers.Where((_, i) => i != first).Sum(static server => server.AllocationCount));
        _network.AssertNothingRented();
    }

    [Fact]
    public void A_winner_in_doubt_is_replaced_long_before_it_is_given_up()
    {
        Start();
        _network.RunFor(TimeSpan.FromSeconds(2));
        var first = Array.IndexOf(_core.Addresses, _core.Race.Winner!.Server);
        _host.Run(now => Assert.True(_core.Race.Winner!.Permit(now, TurnScene.Peer)));

        // Asked at once, as it was silent since it lent its address, and then after twice the patience.
        _network.RunFor(TimeSpan.FromMilliseconds(100));
        _servers[first].IsSilent = true;
        _network.RunFor(TimeSpan.FromSeconds(4));

        Assert.NotEqual(_core.Addresses[first], _core.Race.Winner!.Server);
        Assert.Equal(TurnAllocationState.Allocated, _core.Race.Winner.State);
        _network.AssertNothingRented();
    }

    [Fact]
    public void A_winner_that_is_missed_is_asked_at_once_and_replaced_within_a_second()
    {
        Start();
        _network.RunFor(TimeSpan.FromSeconds(2));
        var first = Array.IndexOf(_core.Addresses, _core.Race.Winner!.Server);
        _host.Run(now => Assert.True(_core.Race.Winner!.Permit(now, TurnScene.Peer)));
        _network.RunFor(TimeSpan.FromMilliseconds(100));

        _servers[first].IsSilent = true;
        _host.Run(_core.Race.Ask);
        _network.RunFor(TimeSpan.FromSeconds(1));

        Assert.NotEqual(_core.Addresses[first], _core.Race.Winner!.Server);
        Assert.Equal(TurnAllocationState.Allocated, _core.Race.Winner.State);
        _network.AssertNothingRented();
    }

    [Fact]
    public void A_winner_that_answers_after_all_stays_and_the_others_are_given_back()
    {
        Start();
        _network.RunFor(TimeSpan.FromSeconds(2));
        var winner = _core.Race.Winner!;
        var first = Array.IndexOf(_core.Addresses, winner.Server);
        _host.Run(now => Assert.True(winner.Permit(now, TurnScene.Peer)));

        foreach (var server in _servers) server.IsSilent = true;
        _network.RunFor(TimeSpan.FromSeconds(2.5));
        Assert.True(winner.IsDoubted);
        _servers[first].IsSilent = false;
        _network.RunFor(TimeSpan.FromSeconds(3));
        foreach (var server in _servers) server.IsSilent = false;
        _network.RunFor(TimeSpan.FromSeconds(10));

        Assert.Same(winner, _core.Race.Winner);
        Assert.Equal([first], Enumerable.Range(0, _servers.Length).Where(i => _servers[i].AllocationCount > 0));
        _network.AssertNothingRented();
    }

    [Fact]
    public void Without_any_server_that_relays_there_is_no_winner_and_all_are_asked_again()
    {
        foreach (var server in _servers) server.Error = static _ => 486;
        Start();
        _network.RunFor(TimeSpan.FromSeconds(50));
        Assert.Null(_core.Race.Winner);

        _servers[2].Error = static _ => 0;
        _network.RunFor(TimeSpan.FromSeconds(20));

        Assert.Equal(_core.Addresses[2], _core.Race.Winner!.Server);
    }

    [Fact]
    public void A_race_that_is_over_leaves_nothing_behind()
    {
        Start();
        _network.RunFor(TimeSpan.FromSeconds(2));

        _host.Run(_core.Release);
        _network.RunFor(TimeSpan.FromSeconds(2));

        Assert.All(_servers, static server => Assert.Equal(0, server.AllocationCount));
        Assert.Equal((null, null), (_core.Race.Winner, _core.Deadline));
    }

    private SimulatedHost _host = null!;

    private void Start()
    {
        var nat = _network.AddNat("203.0.113.1", NatOptions.Symmetric);
        _host = _network.AddHost("192.168.1.10:4000", _core, nat);
    }

    private sealed class RaceCore(TurnServerOptions[] servers) : IProtocolCore
    {
        public TurnRace Race { get; private set; } = new([]);

        public TransportAddress[] Addresses { get; } = [.. servers.Select(static server => server.Server)];

        public Outbox Outbox => Race.Outbox;

        public Instant? Deadline => Race.Deadline;

        public void HandleFlow(Instant now, FlowId flow, FlowChange change)
        {
            Race = new([.. servers.Select((server, i) => new TurnAllocation(flow, server, new Random(i)))]);
            Race.Start(now);
        }

        public void Release(Instant now) => Race.Release(now);

        public void HandleDatagram(Instant now, FlowId flow, TransportAddress from, ReadOnlySpan<byte> datagram) =>
            Race.TryHandle(now, flow, from, datagram, out _);

        public void HandleTimeout(Instant now) => Race.HandleTimeout(now);

        public bool TryTakeRequest(out FlowRequest request)
        {
            request = default;
            return false;
        }
    }
}
