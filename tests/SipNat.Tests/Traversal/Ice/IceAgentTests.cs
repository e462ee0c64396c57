using SipNat.Traversal.Ice;
using SipNat.Traversal.Stun;
using SipNat.Wire;

namespace SipNat.Tests.Traversal.Ice;

/// <summary>One agent, before a peer that a test plays with messages of its own.</summary>
public sealed class IceAgentTests
{
    private const string PeerFragment = "peer";
    private const string PeerPassword = "asd88fgpdd777uzjYhagZg";
    private static readonly FlowId Flow = new(1);
    private static readonly TransportAddress Local = TransportAddress.Parse("192.0.2.1:4000");
    private static readonly TransportAddress Peer = TransportAddress.Parse("198.51.100.7:5000");
    private static readonly TransportAddress Stranger = TransportAddress.Parse("203.0.113.66:666");
    private static readonly StunTransactionId Id = new(7, 8);
    private static readonly Instant Start = new(1_000_000);

    [Fact]
    public void A_check_is_answered_with_its_source_and_signed_with_our_password()
    {
        var agent = Create();

        Assert.True(agent.TryHandle(Start, Flow, Stranger, Check(agent)));

        Assert.True(agent.Outbox.TryTake(out var answer));
        Assert.True(StunMessage.TryRead(answer.Payload, out var message, out _));
        Assert.Equal((StunClass.Success, Id, Stranger), (message.Class, message.TransactionId, answer.Destination));
        Assert.True(message.TryGetAddress(StunAttributeType.XorMappedAddress, out var mapped));
        Assert.Equal(Stranger, mapped);
        Assert.True(StunIntegrity.IsValid(message, StunIntegrity.ShortTermKey(agent.Describe().Credentials.Password)));
        Assert.True(StunFingerprint.IsValid(message));
        agent.Outbox.Release(answer);
    }

    [Fact]
    public void A_check_that_is_not_for_us_or_not_signed_for_us_gets_no_answer()
    {
        var agent = Create();
        var good = Check(agent);

        agent.TryHandle(Start, Flow, Peer, Check(agent, fragment: "somebody"));
        agent.TryHandle(Start, Flow, Peer, Check(agent, password: "another.password.of.22.c"));
        // FINGERPRINT, the last eight octets, is optional: only what the integrity covers is held.
        for (var i = StunMessage.HeaderLength + 4; i < good.Length - 8; i++)
        {
            var changed = good.ToArray();
            changed[i] ^= 0x01;
            agent.TryHandle(Start, Flow, Peer, changed);
        }

        Assert.Equal(0, agent.Outbox.Count);
        Assert.True(agent.Counters.ForeignChecks > 0 && agent.Counters.BadIntegrity > 0);
    }

    [Fact]
    public void Media_may_overtake_the_description_of_a_peer_whose_check_was_signed_for_us()
    {
        var agent = Create();

        agent.TryHandle(Start, Flow, Peer, Check(agent));
        agent.TryHandle(Start, Flow, Stranger, Check(agent, password: "another.password.of.22.c"));

        Assert.True(agent.Accepts(Flow, Peer));
        Assert.False(agent.Accepts(Flow, Stranger));
        while (agent.Outbox.TryTake(out var answer)) agent.Outbox.Release(answer);
    }

    [Fact]
    public void A_check_with_an_attribute_that_must_be_understood_and_is_not_gets_420()
    {
        var agent = Create();
        agent.TryHandle(Start, Flow, Peer, Check(agent, extra: (StunAttributeType)0x7777));

        Assert.True(agent.Outbox.TryTake(out var answer));
        Assert.True(StunMessage.TryRead(answer.Payload, out var message, out _));
        Assert.True(message.TryGetErrorCode(out var code, out _));
        Assert.Equal(420, code);
        Assert.True(message.TryGet(StunAttributeType.UnknownAttributes, out var types));
        Assert.Equal([0x77, 0x77], types.ToArray());
        agent.Outbox.Release(answer);
    }

    [Fact]
    public void Answering_a_check_of_a_known_pair_allocates_nothing()
    {
        var agent = Connect(out var now);
        var check = Check(agent);

        Assert.Equal(0, Allocation.Of(() =>
        {
            agent.TryHandle(now, Flow, Peer, check);
            while (agent.Outbox.TryTake(out var answer)) agent.Outbox.Release(answer);
        }));
    }

    [Fact]
    public void A_consent_check_allocates_nothing()
    {
        var agent = Connect(out var now);

        Assert.Equal(0, Allocation.Of(() =>
        {
            now = agent.Deadline!.Value;
            agent.HandleTimeout(now);
            while (agent.Outbox.TryTake(out var sent))
            {
                agent.Outbox.Release(sent);
            }
        }));
    }

    [Fact]
    public void A_check_is_repeated_at_most_four_seconds_apart_and_the_agent_fails_when_the_peer_may_have_failed() // RFC 8863 §4
    {
        var agent = Create();
        SetRemote(agent, Peer);

        var sent = Play(agent, Start, until: Start + TimeSpan.FromMinutes(5), _ => { });

        Assert.Equal([0, 500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500, 35500], sent.Select(one => one.At));
        Assert.True(agent.TryTake(out var happened));
        Assert.Equal(new IceEvent.Failed(1, Start + TimeSpan.FromSeconds(39.5)), happened);
    }

    [Theory]
    [InlineData("id")]
    [InlineData("source")]
    [InlineData("password")]
    public void A_forged_answer_changes_nothing(string forged)
    {
        var agent = Create();
        SetRemote(agent, Peer);
        agent.HandleTimeout(Start);
        var id = TakeId(agent);

        agent.TryHandle(
            Start + TimeSpan.FromMilliseconds(1),
            Flow,
            forged == "source" ? Stranger : Peer,
            Answer(forged == "id" ? Id : id, forged == "password" ? "another.password.of.22.c" : PeerPassword));

        Assert.Null(agent.PathOf(1));
        agent.TryHandle(Start + TimeSpan.FromMilliseconds(2), Flow, Peer, Answer(id, PeerPassword));
        Assert.Equal(Peer, agent.PathOf(1)?.Remote);
    }

    [Fact]
    public void Replayed_checks_from_elsewhere_do_not_move_the_path()
    {
        var agent = Connect(out var now);
        var replayed = Check(agent, isNominating: true);
        for (var i = 0; i < 5000; i++) agent.TryHandle(now, Flow, Stranger.WithPort(1 + i), replayed);
        while (agent.Outbox.TryTake(out var answer)) agent.Outbox.Release(answer);

        Assert.Equal((IceState.Connected, Peer), (agent.State, agent.PathOf(1)!.Remote));
        Assert.InRange(agent.Counters.RefusedCandidates, 4900, 5000);
    }

    [Fact]
    public void A_list_of_thousands_sends_a_stranger_ten_checks_a_second_at_most()
    {
        var agent = Create();
        SetRemote(agent, [.. Enumerable.Range(1, 5000).Select(port => Stranger.WithPort(port))]);

        var sent = Play(agent, Start, until: Start + TimeSpan.FromSeconds(60), _ => { });

        var first = sent.DistinctBy(one => one.To).ToList();
        Assert.True(first.Count <= IceAgent.MaxRemoteCandidates);
        Assert.All(first.GroupBy(one => (int)(one.At / 1000)), second => Assert.InRange(second.Count(), 1, 10));
        Assert.Equal(4900, agent.Counters.RefusedCandidates);
    }

    [Theory]
    [InlineData("127.0.0.1:5000")]
    [InlineData("0.0.0.0:5000")]
    [InlineData("224.0.0.1:5000")]
    [InlineData("255.255.255.255:5000")]
    [InlineData("198.51.100.7:0")]
    [InlineData("[2001:db8::1]:5000")]
    [InlineData("10.0.0.1:5000")]
    public void Nothing_is_sent_where_no_peer_can_be(string address)
    {
        var agent = new IceAgent(new() { ChecksPrivateAddresses = false }, IceRole.Controlling, new Random(1));
        agent.AddHost(Start, Flow, 1, Local);
        SetRemote(agent, TransportAddress.Parse(address));

        Assert.Empty(Play(agent, Start, until: Start + TimeSpan.FromMinutes(1), _ => { }));
    }

    [Fact]
    public void A_check_that_came_before_the_description_is_checked_in_return()
    {
        var agent = Create(IceRole.Controlled);
        agent.TryHandle(Start, Flow, Stranger, Check(agent));
        while (agent.Outbox.TryTake(out var answer)) agent.Outbox.Release(answer);

        SetRemote(agent, []);

        Assert.Equal([(0.0, Stranger)], Play(agent, Start, until: Start + TimeSpan.FromMilliseconds(100), _ => { }).Select(one => (one.At, one.To)));
    }

    [Fact]
    public void A_lite_agent_answers_checks_sends_none_and_follows_the_nomination()
    {
        var agent = new IceAgent(new() { IsLite = true }, IceRole.Controlling, new Random(1));
        agent.AddHost(Start, Flow, 1, Local);
        SetRemote(agent, Peer);
        Assert.Null(agent.PathOf(1));
        agent.TryHandle(Start, Flow, Peer, Check(agent));
        Assert.Null(agent.PathOf(1));

        agent.TryHandle(Start, Flow, Peer, Check(agent, isNominating: true));

        Assert.Equal((IceState.Connected, Peer), (agent.State, agent.PathOf(1)!.Remote));
        Assert.Equal(2, agent.Outbox.Count);
    }

    [Fact]
    public void Of_an_aggressive_peers_nominations_the_best_pair_wins()
    {
        var agent = Create(IceRole.Controlled);
        SetRemote(agent, [Peer, Stranger]);
        var now = Start;
        foreach (var from in (TransportAddress[])[Stranger, Peer, Stranger])
        {
            agent.TryHandle(now, Flow, from, Check(agent, isNominating: true, priority: 1));
            Play(agent, now, now += TimeSpan.FromMilliseconds(200), one => agent.TryHandle(one.When, Flow, one.To, Answer(one.Id, PeerPassword)));
        }

        Assert.Equal(Peer, agent.PathOf(1)!.Remote);
    }

    private static IceAgent Create(IceRole role = IceRole.Controlling)
    {
        var agent = new IceAgent(new(), role, new Random(1));
        agent.AddHost(Start, Flow, 1, Local);
        return agent;
    }

    private static IceAgent Connect(out Instant now)
    {
        var agent = Create();
        SetRemote(agent, Peer);
        now = Start + TimeSpan.FromSeconds(1);
        Play(agent, Start, now, one => agent.TryHandle(one.When, Flow, one.To, Answer(one.Id, PeerPassword)));
        Assert.Equal(IceState.Connected, agent.State);
        return agent;
    }

    // The first address is the best one.
    private static void SetRemote(IceAgent agent, params TransportAddress[] peers) => agent.SetRemote(Start, new()
    {
        Credentials = new(PeerFragment, PeerPassword),
        Candidates = [.. peers.Select((peer, i) => new Candidate("1", 1, 2130706431u - (uint)(256 * i), peer, CandidateType.Host))],
    });

    private static byte[] Check(
        IceAgent agent, string? fragment = null, string? password = null, bool isNominating = false, uint priority = 1862270975, StunAttributeType? extra = null)
    {
        var credentials = agent.Describe().Credentials;
        var buffer = new byte[256];
        var writer = new StunWriter(buffer, StunClass.Request, StunMethod.Binding, Id);
        writer.AddText(StunAttributeType.Username, $"{fragment ?? credentials.UserFragment}:{PeerFragment}");
        writer.AddUInt32(StunAttributeType.Priority, priority);
        writer.Add(agent.Role is IceRole.Controlling ? StunAttributeType.IceControlled : StunAttributeType.IceControlling, [0, 0, 0, 0, 0, 0, 0, 1]);
        if (isNominating) writer.Add(StunAttributeType.UseCandidate, []);
        if (extra is { } type) writer.Add(type, [1, 2]);
        writer.AddIntegrity(StunIntegrity.ShortTermKey(password ?? credentials.Password));
        writer.AddFingerprint();
        return writer.Written.ToArray();
    }

    private static byte[] Answer(StunTransactionId id, string password)
    {
        var buffer = new byte[128];
        var writer = new StunWriter(buffer, StunClass.Success, StunMethod.Binding, id);
        writer.AddAddress(StunAttributeType.XorMappedAddress, Local);
        writer.AddIntegrity(StunIntegrity.ShortTermKey(password));
        writer.AddFingerprint();
        return writer.Written.ToArray();
    }

    private static StunTransactionId TakeId(IceAgent agent)
    {
        Assert.True(agent.Outbox.TryTake(out var sent));
        Assert.True(StunMessage.TryRead(sent.Payload, out var message, out _));
        agent.Outbox.Release(sent);
        return message.TransactionId;
    }

    // Runs the agent alone; every request that it sends is told at its moment, in milliseconds since the start.
    private static List<(double At, Instant When, TransportAddress To, StunTransactionId Id)> Play(
        IceAgent agent, Instant now, Instant until, Action<(double At, Instant When, TransportAddress To, StunTransactionId Id)> told)
    {
        var all = new List<(double At, Instant When, TransportAddress To, StunTransactionId Id)>();
        while (agent.Deadline is { } due && due <= until)
        {
            now = due > now ? due : now;
            agent.HandleTimeout(now);
            while (agent.Outbox.TryTake(out var sent))
            {
                var isRequest = StunMessage.TryRead(sent.Payload, out var message, out _) && message.Class is StunClass.Request;
                var one = ((now - Start).TotalMilliseconds, now, sent.Destination, isRequest ? message.TransactionId : default);
                agent.Outbox.Release(sent);
                if (!isRequest) continue;

                all.Add(one);
                told(one);
            }
        }

        return all;
    }
}
