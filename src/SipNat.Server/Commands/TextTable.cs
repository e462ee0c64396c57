using SipNat.Server.Hosting;
using Spectre.Console;

namespace SipNat.Server.Commands;

/// <summary>Tables for people. What stands in a cell is text: neither markup nor terminal control.</summary>
internal static class TextTable
{
    // Into a file or a pipe there is no edge to wrap at.
    private const int WidthWithoutTerminal = 240;

    public static IAnsiConsole Console(TextWriter output)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output) });
        if (!ReferenceEquals(output, System.Console.Out) || System.Console.IsOutputRedirected) console.Profile.Width = WidthWithoutTerminal;
        return console;
    }

    public static Table Create(params ReadOnlySpan<string> columns)
    {
        var table = new Table { Border = TableBorder.Simple };
        foreach (var column in columns) table.AddColumn(column);
        return table;
    }

    public static void AddRow(Table table, params ReadOnlySpan<string> cells) => table.AddRow([.. cells.ToArray().Select(Cell)]);

    public static Text Cell(string text) => new(SafeText.EscapeLines(text));
}
