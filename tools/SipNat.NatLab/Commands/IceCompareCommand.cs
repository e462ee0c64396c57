using System.CommandLine;
using System.Globalization;
using SipNat.NatLab.Ice;
using SipNat.NatLab.Servers;
using SipNat.NatLab.Topology;

namespace SipNat.NatLab.Commands;

/// <summary><c>ice-compare</c>: how soon agents of each make connect with their like, through the same routers.</summary>
internal static class IceCompareCommand
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(40);

    private static readonly (NatBehaviour Left, NatBehaviour Right, bool UsesTurn)[] Rows =
    [
        (NatBehaviour.Open, NatBehaviour.Open, false),
        (NatBehaviour.Open, NatBehaviour.PortRestricted, false),
        (NatBehaviour.PortRestricted, NatBehaviour.PortRestricted, false),
        (NatBehaviour.Symmetric, NatBehaviour.FullCone, false),
        (NatBehaviour.Symmetric, NatBehaviour.Symmetric, true),
    ];

    private static readonly Option<int> Runs = new("--runs") { Description = "how often each", DefaultValueFactory = _ => 20 };

    public static Command Create()
    {
        var command = new Command("ice-compare", "Measures the time to a path, and to its nomination, of this project's ICE agent, python3-aioice and libnice.") { Runs };
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken stop)
    {
        var makes = Enum.GetValues<IceMake>();
        var missing = await LabRequirements.CheckAsync([CoturnServer.Program, .. makes.SelectMany(IcePeer.RequirementsOf)]);
        if (missing.Count > 0)
        {
            await Console.Error.WriteLineAsync("Missing: " + string.Join("; ", missing));
            return 3;
        }

        Console.Out.WriteLine("| left | right | make | path | nominated | runs |");
        Console.Out.WriteLine("|---|---|---|---|---|---|");
        foreach (var (left, right, usesTurn) in Rows)
        {
            await using var lab = await NatLaboratory.CreateAsync(new() { Left = left, Right = right }, stop);
            await using var coturn = await CoturnServer.StartAsync(lab, stop, IcePeer.TurnArguments);
            foreach (var make in makes) await MeasureAsync(lab, make, usesTurn, parsed.GetValue(Runs), stop);
        }

        return 0;
    }

    private static async Task MeasureAsync(NatLaboratory lab, IceMake make, bool usesTurn, int runs, CancellationToken stop)
    {
        var (paths, nominations) = (new List<double>(), new List<double>());
        for (var run = 0; run < runs; run++)
        {
            var folder = Directory.CreateTempSubdirectory("sipnat-ice-");
            try
            {
                await using var one = await IcePeer.StartAsync(make, lab.Host("hostA"), true, folder.FullName, usesTurn, stop, "--seconds", "0.5");
                await using var other = await IcePeer.StartAsync(make, lab.Host("hostB"), false, folder.FullName, usesTurn, stop, "--seconds", "0.5");
                await Task.WhenAll(one.SummaryAsync(Limit, stop), other.SummaryAsync(Limit, stop));
                nominations.Add(Math.Max(TimeOf(one, "connected"), TimeOf(other, "connected")));
                paths.Add(Math.Max(TimeOf(one, "path"), TimeOf(other, "path")));
            }
            finally
            {
                folder.Delete(recursive: true);
            }
        }

        var text = FormattableString.Invariant($"| {lab.Options.Left.Name} | {lab.Options.Right.Name}{(usesTurn ? ", TURN" : "")} | {make} | {Median(paths):F0} ms | {Median(nominations):F0} ms | {runs} |");
        Console.Out.WriteLine(text);
    }

    // An agent that tells of its path only once it is nominated has it from then on.
    private static double TimeOf(IcePeer peer, string what) =>
        (peer.Find(what) ?? peer.Find("connected"))?.GetProperty("ms").GetDouble() ?? throw new Processes.LabException(string.Create(CultureInfo.InvariantCulture, $"An agent never said '{what}'."));

    private static double Median(List<double> values)
    {
        values.Sort();
        return (values[(values.Count - 1) / 2] + values[values.Count / 2]) / 2;
    }
}
