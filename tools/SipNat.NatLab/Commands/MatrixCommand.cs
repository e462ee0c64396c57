using System.CommandLine;
using System.Globalization;
using SipNat.NatLab.Matrix;
using SipNat.NatLab.Servers;

namespace SipNat.NatLab.Commands;

/// <summary><c>matrix</c>: audio between every pair of NATs, in every mode, against the prediction.</summary>
internal static class MatrixCommand
{
    private const int MaxJobs = 32;

    private static readonly Option<int> Jobs = new("--jobs") { Description = "laboratories at the same time", DefaultValueFactory = _ => 2 };
    private static readonly Option<string[]> Only = new("--only") { Description = "only pairs with this kind of NAT on the left; repeatable" };
    private static readonly Option<FileInfo> Write = new("--write") { Description = "write the page to this file too" };

    public static Command Create()
    {
        var command = new Command("matrix", "Real audio between two media sessions behind every pair of NATs. Exit code 1: a cell differs from the prediction.") { Jobs, Only, Write };
        Jobs.Validators.Add(result =>
        {
            if (result.GetValue(Jobs) is < 1 or > MaxJobs) result.AddError($"--jobs {result.GetValue(Jobs)}: wanted 1 to {MaxJobs}.");
        });
        Only.Validators.Add(result =>
        {
            foreach (var token in result.Tokens.Where(t => !Topology.NatBehaviours.TryParse(t.Value, out _))) result.AddError($"--only {token.Value}: wanted one of {Topology.NatBehaviours.AllNames}.");
        });
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken stop)
    {
        var missing = await LabRequirements.CheckAsync(CoturnServer.Program);
        if (missing.Count > 0)
        {
            await Console.Error.WriteLineAsync("A laboratory needs: " + string.Join("; ", missing));
            return 3;
        }

        var only = (parsed.GetValue(Only) ?? []).Select(name => Topology.NatBehaviours.TryParse(name, out var kind) ? kind : default).ToHashSet();
        List<MatrixPair> pairs = [.. MatrixPair.All.Where(pair => only.Count == 0 || only.Contains(pair.Left))];
        var cells = await MatrixRunner.RunAsync(pairs, parsed.GetValue(Jobs), Tell, stop);
        var page = MatrixText.Page(cells, string.Create(CultureInfo.InvariantCulture, $"on {Environment.ProcessorCount} shared cores, {parsed.GetValue(Jobs)} laboratories at a time"));
        Console.Out.Write(page);
        if (parsed.GetValue(Write) is { } file) await File.WriteAllTextAsync(file.FullName, page, stop);
        return cells.All(cell => cell.IsAsPredicted) ? 0 : 1;
    }

    private static void Tell(MatrixPair pair, IReadOnlyList<MatrixCell> cells)
    {
        Console.Error.WriteLine($"{pair.Name}: {string.Join("; ", cells.Select(cell => $"{cell.Mode} {MatrixText.Cell(cell)}"))}");
        foreach (var cell in cells.Where(cell => !cell.IsAsPredicted)) Console.Error.WriteLine($"  {cell.Mode}\n    left  {cell.Left}\n    right {cell.Right}");
    }
}
