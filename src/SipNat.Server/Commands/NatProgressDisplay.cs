using System.Diagnostics;
using System.Globalization;
using SipNat.Server.Hosting;
using Spectre.Console;

namespace SipNat.Server.Commands;

/// <summary>
/// Shows on standard error how far a measurement is: bars at a terminal, else a line when a stage begins and one when it
/// is over. With <c>--json</c> only a terminal gets anything.
/// </summary>
internal static class NatProgressDisplay
{
    public static Task<T> RunAsync<T>(CommandContext context, Func<NatProgress, Task<T>> measure) =>
        !Console.IsErrorRedirected ? BarsAsync(context.Error, measure)
        : context.Json ? measure(static (_, _) => { })
        : LinesAsync(context.Error, measure);

    private static async Task<T> BarsAsync<T>(TextWriter error, Func<NatProgress, Task<T>> measure)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(error) });
        return await console.Progress().AutoClear(true).StartAsync(async display =>
        {
            var tasks = new Dictionary<string, ProgressTask>(StringComparer.Ordinal);
            return await measure((stage, part) =>
            {
                lock (tasks)
                {
                    if (!tasks.TryGetValue(stage, out var task)) tasks[stage] = task = display.AddTask(stage, maxValue: 1);
                    task.Value = part;
                }
            });
        });
    }

    private static async Task<T> LinesAsync<T>(TextWriter error, Func<NatProgress, Task<T>> measure)
    {
        var begun = new Dictionary<string, long>(StringComparer.Ordinal);
        var done = new HashSet<string>(StringComparer.Ordinal);
        return await measure((stage, part) =>
        {
            lock (begun)
            {
                if (begun.TryAdd(stage, Stopwatch.GetTimestamp())) error.WriteLine($"{stage}: measuring");
                if (part < 1 || !done.Add(stage)) return;

                error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{stage}: done in {Stopwatch.GetElapsedTime(begun[stage]).TotalSeconds:F1} s"));
            }
        });
    }
}
