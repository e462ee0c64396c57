using System.Globalization;
using System.Text;
using SipNat.NatLab.Topology;

namespace SipNat.NatLab.Matrix;

/// <summary>The matrix as a page.</summary>
internal static class MatrixText
{
    /// <param name="machine">Where it was run.</param>
    public static string Page(IReadOnlyList<MatrixCell> cells, string machine)
    {
        var text = new StringBuilder();
        text.Append(
            $"""
            # NAT by NAT

            Two media sessions of this program, each behind a router of real kernel NAT, their descriptions exchanged by the tool. Each
            cell says whether both sides heard a second of the other's audio, and after how many milliseconds from the exchange of
            descriptions the first packet came: left, right (below zero where it came before that side had read the other's
            description). "–" is a pair between which nothing passes.

            Made by `dotnet run -c Release --project tools/SipNat.NatLab -- matrix --write docs/nat-matrix.md`, {machine}. Every cell is held
            against the prediction of `plan`, which knows the two NATs and nothing of this program: {cells.Count(c => c.IsAsPredicted)} of {cells.Count} cells are as
            predicted. The routers keep the ports of all kinds but the symmetric one, which is why own addresses reach as far as
            reflexive ones here; a router that gives other ports does not do that.


            """.ReplaceLineEndings("\n"));
        foreach (var mode in MatrixModes.All) AppendTable(text, mode, [.. cells.Where(c => c.Mode == mode)]);
        AppendOthers(text, cells);
        return text.ToString();
    }

    /// <summary>One cell in few characters.</summary>
    public static string Cell(MatrixCell cell)
    {
        var what = cell switch
        {
            { Works: true } => $"{Milliseconds(cell.Left)}, {Milliseconds(cell.Right)}",
            { IsHalf: true } => $"one way ({(cell.Left.Heard ? "left" : "right")} hears)",
            _ => "–",
        };
        return cell.IsAsPredicted ? what : $"**{what}, predicted {(cell.IsPredicted ? "audio" : "–")}**";
    }

    private static void AppendTable(StringBuilder text, MatrixMode mode, List<MatrixCell> cells)
    {
        List<NatBehaviour> kinds = [.. MatrixPair.AllKinds.Where(kind => cells.Exists(c => c.Pair.Left == kind || c.Pair.Right == kind))];
        text.Append(CultureInfo.InvariantCulture, $"## {mode.Title}\n\n| left \\ right |");
        foreach (var kind in kinds) text.Append(CultureInfo.InvariantCulture, $" {kind.Name} |");
        text.Append("\n|---|").Insert(text.Length, "---|", kinds.Count).Append('\n');
        foreach (var left in kinds)
        {
            text.Append(CultureInfo.InvariantCulture, $"| {left.Name} |");
            foreach (var right in kinds)
            {
                var cell = cells.Find(c => c.Pair == new MatrixPair(left, right));
                text.Append(CultureInfo.InvariantCulture, $" {(cell is null ? "" : Cell(cell))} |");
            }

            text.Append('\n');
        }

        text.Append('\n');
    }

    private static void AppendOthers(StringBuilder text, IReadOnlyList<MatrixCell> cells)
    {
        foreach (var pair in cells.Where(c => c.Pair.SameAddress).GroupBy(c => c.Pair))
        {
            text.Append(CultureInfo.InvariantCulture, $"## {pair.Key.Name}\n\n| mode | audio |\n|---|---|\n");
            foreach (var cell in pair) text.Append(CultureInfo.InvariantCulture, $"| {cell.Mode.Title} | {Cell(cell)} |\n");
        }
    }

    private static string Milliseconds(MediaSideResult side) => side.FirstMilliseconds is { } first ? first.ToString("F0", CultureInfo.InvariantCulture) : "?";
}
