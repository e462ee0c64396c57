using System.CommandLine;
using SipNat.Traversal.Discovery;

namespace SipNat.Server.Commands;

/// <summary><c>plan LEFT RIGHT</c>: what will work between two kinds of NAT, and who must call whom.</summary>
internal static class PlanCommand
{
    public static Command Create()
    {
        var (left, right) = (Side("LEFT"), Side("RIGHT"));
        var forwardLeft = Flag("--forward-left", "The left side's router forwards its SIP and media ports");
        var forwardRight = Flag("--forward-right", "The right side's router does");
        var turn = Flag("--turn", "Both sides have a TURN server");
        var turnLeft = Flag("--turn-left", "The left side alone has one");
        var turnRight = Flag("--turn-right", "The right side alone has one");
        var command = new Command("plan", "Says what will work between two kinds of NAT, and who must call whom; exit code 1 where nothing does")
        {
            left, right, forwardLeft, forwardRight, turn, turnLeft, turnRight,
        };
        command.SetRun((context, _) =>
        {
            var arguments = context.Arguments;
            var both = arguments.GetValue(turn);
            var plan = new Plan(
                new(arguments.GetRequiredValue(left)) { HasForward = arguments.GetValue(forwardLeft), HasTurn = both || arguments.GetValue(turnLeft) },
                new(arguments.GetRequiredValue(right)) { HasForward = arguments.GetValue(forwardRight), HasTurn = both || arguments.GetValue(turnRight) });
            if (context.Json) PlanJson.Print(context.Output, plan);
            else PlanText.Print(context.Output, plan);
            return plan.Prediction.Paths.Count > 0 ? ExitCodes.Done : ExitCodes.Negative;
        });
        return command;
    }

    private static Option<bool> Flag(string name, string description) => new(name) { Description = description };

    private static Argument<NatBehaviour> Side(string name) => new(name)
    {
        Description = $"{string.Join(", ", NatBehaviourNames.ClassicNames)}; or MAPPING/FILTERING in the words of RFC 4787: {string.Join(", ", NatBehaviourNames.RfcWords)}",
        CustomParser = result =>
        {
            var text = result.Tokens[0].Value;
            if (NatBehaviourNames.TryParse(text, out var behaviour)) return behaviour;

            result.AddError(
                $"{name} '{text}' is no kind of NAT; there are {string.Join(", ", NatBehaviourNames.ClassicNames)}, " +
                $"or MAPPING/FILTERING, each of them {string.Join(", ", NatBehaviourNames.RfcWords)}.");
            return NatBehaviour.Open;
        },
    };
}

/// <summary>Two sides, and what is predicted for them.</summary>
internal sealed record Plan(PathSide Left, PathSide Right)
{
    public PathPrediction Prediction { get; } = PathPrediction.Of(Left, Right);
}
