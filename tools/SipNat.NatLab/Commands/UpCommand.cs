using System.CommandLine;
using System.CommandLine.Parsing;
using SipNat.NatLab.Topology;

namespace SipNat.NatLab.Commands;

/// <summary><c>up</c>: builds a topology and leaves it standing until <c>down</c>.</summary>
internal static class UpCommand
{
    private static readonly Option<string> Name = LabName.Create();
    private static readonly Option<NatBehaviour> Left = Behaviour("--left", "the router in front of hostA");
    private static readonly Option<NatBehaviour> Right = Behaviour("--right", "the router in front of hostB");
    private static readonly Option<bool> Overlap = new("--overlap") { Description = "both private networks are 10.0.0.0/24 and hostA has the address of hostB's neighbour" };
    private static readonly Option<bool> Alg = new("--alg") { Description = "the kernel's SIP ALG works on UDP port 5060 of both routers" };
    private static readonly Option<bool> DropFragments = new("--drop-fragments") { Description = "no router passes IP fragments on" };
    private static readonly Option<PortRange[]> Forward = new("--forward-right") { Description = "ports forwarded 1:1 to hostB, for instance 5060,10000-10099", CustomParser = ParseRanges };
    private static readonly Option<bool> Hairpin = new("--hairpin") { Description = "the public address also works from inside" };
    private static readonly Option<int> Loss = new("--loss") { Description = "packets in a hundred that are lost on their way to a host" };
    private static readonly Option<int?> UdpTimeout = new("--udp-timeout") { Description = "lifetime of UDP mappings in seconds" };

    public static Command Create()
    {
        UdpTimeout.Validators.Add(result =>
        {
            if (result.GetValue(UdpTimeout) is <= 0) result.AddError($"--udp-timeout {result.GetValue(UdpTimeout)}: wanted a number of seconds above 0.");
        });
        Loss.Validators.Add(result =>
        {
            if (result.GetValue(Loss) is < 0 or > 99) result.AddError($"--loss {result.GetValue(Loss)}: wanted 0 to 99.");
        });
        var command = new Command("up", "Builds a topology: hostA – natA – internet with srv – natB – hostB and its neighbour nearB.")
        {
            Name, Left, Right, Overlap, Alg, Forward, Hairpin, DropFragments, Loss, UdpTimeout,
        };
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken stop)
    {
        var missing = await LabRequirements.CheckAsync();
        if (missing.Count > 0)
        {
            await Console.Error.WriteLineAsync("A laboratory needs: " + string.Join("; ", missing));
            return 3;
        }

        var name = parsed.GetValue(Name)!;
        if ((await LabNetwork.ListNamespacesAsync(name)).Count > 0)
        {
            await Console.Error.WriteLineAsync($"A laboratory named {name} is up. Remove it with: down --name {name}");
            return 2;
        }

        await NatLaboratory.CreateAsync(Options(parsed, name), stop);
        return await StatusCommand.PrintAsync(name, json: false);
    }

    private static TopologyOptions Options(ParseResult parsed, string name) => new()
    {
        Name = name,
        Left = parsed.GetValue(Left),
        Right = parsed.GetValue(Right),
        Overlap = parsed.GetValue(Overlap),
        Alg = parsed.GetValue(Alg),
        ForwardRight = parsed.GetValue(Forward) ?? [],
        Hairpin = parsed.GetValue(Hairpin),
        DropFragments = parsed.GetValue(DropFragments),
        LossPercent = parsed.GetValue(Loss),
        UdpTimeout = parsed.GetValue(UdpTimeout) is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
    };

    private static Option<NatBehaviour> Behaviour(string name, string description) => new(name)
    {
        Description = $"{description}: {NatBehaviours.AllNames}",
        DefaultValueFactory = _ => NatBehaviour.PortRestricted,
        CustomParser = result =>
        {
            if (!NatBehaviours.TryParse(result.Tokens[0].Value, out var behaviour)) result.AddError($"{name} '{result.Tokens[0].Value}': wanted one of {NatBehaviours.AllNames}.");
            return behaviour;
        },
    };

    private static PortRange[] ParseRanges(ArgumentResult result)
    {
        var ranges = new List<PortRange>();
        foreach (var text in result.Tokens.SelectMany(token => token.Value.Split(',')))
        {
            if (PortRange.TryParse(text, out var range)) ranges.Add(range);
            else result.AddError($"--forward-right '{text}': wanted a port or FIRST-LAST, several with commas between.");
        }

        return [.. ranges];
    }
}
