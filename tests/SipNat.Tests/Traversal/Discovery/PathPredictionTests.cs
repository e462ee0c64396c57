using SipNat.Traversal.Discovery;

namespace SipNat.Tests.Traversal.Discovery;

public sealed class PathPredictionTests
{
    // Which ways there are between two kinds of NAT, without forwards and TURN, by hand: RFC 4787 §4.1 and §5 say who is
    // let in, RFC 4961 what latching needs, RFC 8445 §5.1.2 and RFC 5128 §3.4 what hole punching needs. A double NAT of
    // two port-restricted ones is a port-restricted one to its peers.
    private const string Table =
        """
        open               open               | direct
        open               full-cone          | reflexive
        open               address-restricted | reflexive latching
        open               port-restricted    | reflexive latching
        open               symmetric          | latching
        open               double             | reflexive latching
        open               udp-blocked        |
        full-cone          full-cone          | reflexive
        full-cone          address-restricted | reflexive latching
        full-cone          port-restricted    | reflexive latching
        full-cone          symmetric          | latching
        full-cone          double             | reflexive latching
        full-cone          udp-blocked        |
        address-restricted address-restricted | punching
        address-restricted port-restricted    | punching
        address-restricted symmetric          | punching
        address-restricted double             | punching
        address-restricted udp-blocked        |
        port-restricted    port-restricted    | punching
        port-restricted    symmetric          |
        port-restricted    double             | punching
        port-restricted    udp-blocked        |
        symmetric          symmetric          |
        symmetric          double             |
        symmetric          udp-blocked        |
        double             double             | punching
        double             udp-blocked        |
        udp-blocked        udp-blocked        |
        """;

    public static TheoryData<string, string, string> Pairs()
    {
        var pairs = new TheoryData<string, string, string>();
        foreach (var line in Table.Split('\n'))
        {
            var words = line.Split([' ', '|'], StringSplitOptions.RemoveEmptyEntries);
            pairs.Add(words[0], words[1], string.Join(' ', words[2..]));
        }

        return pairs;
    }

    [Fact]
    public void Every_pair_of_kinds_is_in_the_table() => Assert.Equal(28, Pairs().Count);

    [Theory]
    [MemberData(nameof(Pairs))]
    public void Two_nats_let_through_what_the_rfcs_say(string left, string right, string ways)
    {
        Assert.Equal(ways, Ways(Side(left), Side(right)));
        Assert.Equal(ways, Ways(Side(right), Side(left)));
    }

    // With TURN at one side there is always a relay, unless the other one sends no UDP and has no TURN.
    [Theory]
    [MemberData(nameof(Pairs))]
    public void A_relay_serves_whoever_can_send_to_it(string left, string right, string ways)
    {
        var all = $"{ways} relay".Trim();

        Assert.Equal(right == "udp-blocked" ? ways : all, Ways(Side(left) with { HasTurn = true }, Side(right)));
        Assert.Equal(left == "udp-blocked" ? ways : all, Ways(Side(left), Side(right) with { HasTurn = true }));
        Assert.Equal(all, Ways(Side(left) with { HasTurn = true }, Side(right) with { HasTurn = true }));
    }

    // Combinations of RFC 4787 that have no classic name.
    [Theory]
    [InlineData("none/address-and-port-dependent", "open", "direct")]
    [InlineData("none/address-and-port-dependent", "none/address-dependent", "punching")]
    [InlineData("none/address-and-port-dependent", "symmetric", "")]
    [InlineData("none/address-dependent", "symmetric", "punching")]
    [InlineData("address-dependent/address-dependent", "address-restricted", "punching")]
    [InlineData("address-dependent/address-dependent", "port-restricted", "")]
    [InlineData("address-dependent/address-dependent", "address-dependent/address-dependent", "")]
    [InlineData("address-and-port-dependent/endpoint-independent", "address-and-port-dependent/address-dependent", "punching")]
    [InlineData("address-and-port-dependent/endpoint-independent", "symmetric", "")]
    [InlineData("address-and-port-dependent/endpoint-independent", "port-restricted", "")]
    [InlineData("address-and-port-dependent/endpoint-independent", "open", "latching")]
    public void Mapping_and_filtering_count_each_for_themselves(string left, string right, string ways)
    {
        Assert.Equal(ways, Ways(Side(left), Side(right)));
        Assert.Equal(ways, Ways(Side(right), Side(left)));
    }

    [Theory]
    [InlineData("symmetric", "port-restricted", "forward latching")]
    [InlineData("symmetric", "full-cone", "forward")]
    [InlineData("symmetric", "symmetric", "latching")]
    [InlineData("port-restricted", "open", "forward")]
    [InlineData("port-restricted", "symmetric", "latching")]
    [InlineData("open", "open", "direct")]
    [InlineData("double", "port-restricted", "punching")]
    [InlineData("udp-blocked", "open", "")]
    public void A_forwarded_side_is_reached_by_its_forward_unless_another_nat_is_in_front(string forwarded, string other, string ways)
    {
        Assert.Equal(ways, Ways(Side(forwarded) with { HasForward = true }, Side(other)));
        Assert.Equal(ways, Ways(Side(other), Side(forwarded) with { HasForward = true }));
    }

    [Theory]
    [InlineData("open", "open", true, true)]
    [InlineData("open", "symmetric", false, true)]
    [InlineData("full-cone", "port-restricted", false, true)]
    [InlineData("port-restricted", "address-restricted", false, false)]
    [InlineData("double", "open", true, false)]
    [InlineData("udp-blocked", "udp-blocked", false, false)]
    public void Only_a_side_that_admits_everybody_can_be_called(string left, string right, bool leftMayCall, bool rightMayCall)
    {
        var prediction = PathPrediction.Of(Side(left), Side(right));

        Assert.Equal((leftMayCall, rightMayCall), (prediction.LeftMayCall, prediction.RightMayCall));
    }

    [Fact]
    public void A_forward_can_be_called()
    {
        var prediction = PathPrediction.Of(Side("symmetric"), Side("symmetric") with { HasForward = true });

        Assert.Equal((true, false), (prediction.LeftMayCall, prediction.RightMayCall));
        Assert.Equal([new(PathKind.Latching, PathAddress.Learned, PathAddress.Forwarded, FirstSender.Left)], prediction.Paths);
    }

    [Fact]
    public void A_path_says_which_addresses_it_takes_and_who_sends_first()
    {
        Assert.Equal(
            [
                new(PathKind.Reflexive, PathAddress.Own, PathAddress.Reflexive, FirstSender.Right),
                new(PathKind.Latching, PathAddress.Own, PathAddress.Learned, FirstSender.Right),
                new(PathKind.Relay, PathAddress.Relayed, PathAddress.Relayed, FirstSender.Either),
            ],
            PathPrediction.Of(Side("open"), Side("port-restricted") with { HasTurn = true }).Paths);
        Assert.Equal(
            [new(PathKind.HolePunching, PathAddress.Reflexive, PathAddress.Learned, FirstSender.Both)],
            PathPrediction.Of(Side("address-restricted"), Side("symmetric")).Paths);
        Assert.Equal(
            [new(PathKind.Reflexive, PathAddress.Reflexive, PathAddress.Reflexive, FirstSender.Either)],
            PathPrediction.Of(Side("full-cone"), Side("full-cone")).Paths);
    }

    [Theory]
    [InlineData("open", "open", "none", "none")]
    [InlineData("none", "open", "none", "none")]
    [InlineData("endpoint-independent", "full-cone", "endpoint-independent", "endpoint-independent")]
    [InlineData("endpoint-independent/address-dependent", "address-restricted", "endpoint-independent", "address-dependent")]
    [InlineData("port-restricted", "port-restricted", "endpoint-independent", "address-and-port-dependent")]
    [InlineData("address-and-port-dependent", "symmetric", "address-and-port-dependent", "address-and-port-dependent")]
    [InlineData("address-dependent/address-dependent", null, "address-dependent", "address-dependent")]
    public void Both_vocabularies_name_the_same(string text, string? classic, string mapping, string filtering)
    {
        Assert.True(NatBehaviourNames.TryParse(text, out var behaviour));
        Assert.Equal((classic, mapping, filtering), (behaviour.ClassicName, behaviour.Mapping.Word, behaviour.Filtering.Word));
    }

    [Theory]
    [InlineData("")]
    [InlineData("cone")]
    [InlineData("open/open")]
    [InlineData("none/none/none")]
    [InlineData("Symmetric")]
    public void What_is_neither_is_refused(string text) => Assert.False(NatBehaviourNames.TryParse(text, out _));

    private static PathSide Side(string name) =>
        new(NatBehaviourNames.TryParse(name, out var behaviour) ? behaviour : throw new ArgumentException(name, nameof(name)));

    private static string Ways(PathSide left, PathSide right) =>
        string.Join(' ', PathPrediction.Of(left, right).Paths.Select(path => path.Kind switch
        {
            PathKind.Direct => "direct",
            PathKind.Forward => "forward",
            PathKind.Reflexive => "reflexive",
            PathKind.Latching => "latching",
            PathKind.HolePunching => "punching",
            _ => "relay",
        }));
}
