using SipNat.Endpoint.Media;
using SipNat.Traversal.Ice;
using SipNat.Wire;

namespace SipNat.Tests.Endpoint.Ice;

/// <summary>When the peer has to hear again where a pair of sockets is.</summary>
public sealed class PathFinderTests
{
    private static readonly Instant Now = new(TimeSpan.TicksPerHour);
    private static readonly FlowId Rtp = new(1);
    private static readonly FlowId Rtcp = new(2);
    private static readonly TransportAddress Local = TransportAddress.Parse("192.168.1.100:10000");
    private static readonly TransportAddress Server = TransportAddress.Parse("203.0.113.1:3478");

    private readonly PathFinder _paths = new(Now, new(2, IceRole.Controlling, IsLocalPeer: false), new(), relays: null, new Random(1));

    public PathFinderTests()
    {
        _paths.AddSockets(Now, new(Rtp, Local, Rtcp, Local.WithPort(10_001)), Candidate.MaxLocalPreference);
        Map(Rtp, "203.0.113.10:10000");
        Map(Rtcp, "203.0.113.10:10001");
    }

    [Fact]
    public void A_first_mapping_that_is_learned_before_the_answer_is_no_reason_to_tell_again() => Assert.Equal(1, _paths.Version);

    [Fact]
    public void A_router_that_is_renumbered_is_told_whole_though_each_socket_hears_of_it_apart()
    {
        Answer();

        Map(Rtcp, "203.0.113.11:10001");
        var first = (_paths.Version, Told());
        Map(Rtp, "203.0.113.11:10000");

        Assert.Equal((2, "203.0.113.10:10000 203.0.113.11:10001"), first);
        Assert.Equal((3, "203.0.113.11:10000 203.0.113.11:10001"), (_paths.Version, Told()));
    }

    [Fact]
    public void A_mapping_that_changes_before_the_answer_is_told_again()
    {
        Map(Rtp, "203.0.113.11:10000");

        Assert.Equal((2, "203.0.113.11:10000 203.0.113.10:10001"), (_paths.Version, Told()));
    }

    private void Map(FlowId flow, string mapped) => _paths.SetMapping(Now, flow, TransportAddress.Parse(mapped), Server);

    private void Answer()
    {
        var peer = new IceAgent(new() { Components = 2 }, IceRole.Controlled, new Random(2));
        peer.AddHost(Now, Rtp, 1, TransportAddress.Parse("203.0.113.20:30088"), Candidate.MaxLocalPreference);
        peer.AddHost(Now, Rtcp, 2, TransportAddress.Parse("203.0.113.20:30089"), Candidate.MaxLocalPreference);
        _paths.SetRemote(Now, peer.Describe(), acknowledged: true);
    }

    private string Told() => string.Join(' ', _paths.Description!.Candidates
        .Where(candidate => candidate.Type is CandidateType.ServerReflexive).OrderBy(candidate => candidate.Component).Select(candidate => candidate.Address));
}
