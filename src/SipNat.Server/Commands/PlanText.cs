using System.Diagnostics;
using SipNat.Traversal.Discovery;

namespace SipNat.Server.Commands;

/// <summary>A plan for people: both sides in both vocabularies, the paths as a table, and one paragraph.</summary>
internal static class PlanText
{
    public static void Print(TextWriter output, Plan plan)
    {
        output.WriteLine($"Left:  {Describe(plan.Left)}");
        output.WriteLine($"Right: {Describe(plan.Right)}");
        if (plan.Prediction.Paths.Count > 0)
        {
            var table = TextTable.Create("Path", "Left sends to", "Right sends to", "First packet");
            foreach (var path in plan.Prediction.Paths)
            {
                TextTable.AddRow(table, Name(path.Kind), AddressText(path.ToRight, "the right side"), AddressText(path.ToLeft, "the left side"), First(path.First));
            }

            TextTable.Console(output).Write(table);
        }

        output.WriteLine($"{Calls(plan)} {Media(plan)}");
    }

    /// <summary>Both vocabularies, as <c>symmetric (mapping …, filtering …), ports forwarded</c>.</summary>
    public static string Describe(PathSide side)
    {
        var words = $"mapping {side.Nat.Mapping.Word}, filtering {side.Nat.Filtering.Word}";
        var nat = side.Nat switch
        {
            { IsUdpBlocked: true } => "udp-blocked",
            { ClassicName: { } name } => $"{name} ({words})",
            _ => words,
        };
        return nat + (side.HasForward ? ", ports forwarded" : "") + (side.HasTurn ? ", TURN" : "");
    }

    /// <summary>Who can place calls without a SIP server between.</summary>
    public static string Calls(Plan plan) => (plan.Prediction.LeftMayCall, plan.Prediction.RightMayCall) switch
    {
        (true, true) => "Either side can call the other.",
        (true, false) => "The left side must call the right: nobody can call the left side uninvited. Where calls are to go both ways, the left side keeps a registration, and the flow it went over, alive.",
        (false, true) => "The right side must call the left: nobody can call the right side uninvited. Where calls are to go both ways, the right side keeps a registration, and the flow it went over, alive.",
        (false, false) => "Neither side can be called uninvited: both keep a registration, and the flow it went over, alive with a SIP server that both reach.",
    };

    /// <summary>How audio gets through, by the simplest path.</summary>
    public static string Media(Plan plan) => plan.Prediction.Paths is [var best, ..] ? Media(best, plan) : Nothing(plan);

    private static string Media(PredictedPath path, Plan plan) => path.Kind switch
    {
        PathKind.Direct => $"Audio goes straight between the hosts' own addresses.{Opening(path)}",
        PathKind.Forward => $"Audio goes to the forwarded ports; the router's address, and the ports as they are outside, must stand in the SDP.{Opening(path)}",
        PathKind.Reflexive => $"Audio goes to the addresses that STUN shows on the media sockets themselves, kept alive from then on.{Opening(path)}",
        PathKind.Latching => $"The {Side(path.First)} side's NAT maps anew for each destination, so that what STUN shows is wrong for the peer: "
            + $"the {Other(path.First)} side has to answer where packets come from (Media:Latch).{Opening(path)}",
        PathKind.HolePunching => "Audio needs both sides to send at once to the other's reflexive address, which ICE does; SDP without ICE works only where both begin to send of their own accord.",
        PathKind.Relay => $"Audio goes by way of TURN: {WhyRelay(plan)}.",
        _ => throw new UnreachableException(),
    };

    private static string Nothing(Plan plan) => plan.Left.HasTurn || plan.Right.HasTurn
        ? "Audio has no way: a side that sends no UDP needs a TURN server of its own, over TCP or TLS."
        : plan is { Left.Nat.IsUdpBlocked: false, Right.Nat.IsUdpBlocked: false }
            ? "Audio has no way, because neither side learns an address of the other that lets it in: give one side a TURN server, or forward its ports."
            : "Audio has no way, because UDP is blocked: that side needs a TURN server, over TCP or TLS.";

    private static string WhyRelay(Plan plan) => plan is { Left.Nat.IsUdpBlocked: false, Right.Nat.IsUdpBlocked: false }
        ? "neither side learns an address of the other that lets it in"
        : "UDP is blocked";

    private static string Opening(PredictedPath path) => path.First is FirstSender.Either
        ? ""
        : $" The {Side(path.First)} side must send first, and go on sending, also where it only listens.";

    private static string Side(FirstSender first) => first is FirstSender.Left ? "left" : "right";

    private static string Other(FirstSender first) => first is FirstSender.Left ? "right" : "left";

    private static string Name(PathKind kind) => kind switch
    {
        PathKind.Direct => "direct",
        PathKind.Forward => "forward",
        PathKind.Reflexive => "reflexive address",
        PathKind.Latching => "latching",
        PathKind.HolePunching => "hole punching",
        PathKind.Relay => "relay",
        _ => throw new UnreachableException(),
    };

    private static string AddressText(PathAddress address, string side) => address switch
    {
        PathAddress.Own => $"{side}'s own address",
        PathAddress.Forwarded => $"{side}'s forwarded port",
        PathAddress.Reflexive => $"{side}'s reflexive address",
        PathAddress.Learned => $"where {side}'s packets come from",
        PathAddress.Relayed => "a relayed address",
        _ => throw new UnreachableException(),
    };

    private static string First(FirstSender first) => first switch
    {
        FirstSender.Either => "either",
        FirstSender.Left => "left",
        FirstSender.Right => "right",
        FirstSender.Both => "both at once",
        _ => throw new UnreachableException(),
    };
}
