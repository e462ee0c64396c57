using System.Diagnostics;
using System.Net;
using System.Runtime.InteropServices;
using System.Text.Json;
using SipNat.Bench.Load;

namespace SipNat.Bench.Compare;

/// <param name="Streams">Even: a session of the recorder has two.</param>
/// <param name="Core">The core that the measured program may run on; null for all. The sender has the others.</param>
public sealed record CompareOptions(int Streams, TimeSpan Duration, int Runs, int? Core);

/// <summary>
/// The same load against the recorder and against other programs, one after the other, several times round: what a
/// packet costs each of them on this machine in this hour. Ratios are what counts.
/// </summary>
public sealed class CompareRun(CompareOptions options, TextWriter progress)
{
    private const double MegaByte = 1e6;

    // Sessions set up a second.
    private const double Rate = 200;
    private const int FirstPort = 10_000;
    private static readonly IPAddress Address = IPAddress.Loopback;

    // What is begun in the first seconds, compiled and allocated, is not what a packet costs.
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(8);

    private readonly Dictionary<string, List<Measured>> _measured = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _notes = new(StringComparer.Ordinal);

    public async Task<CompareReport> RunAsync(CancellationToken stop)
    {
        var folder = Directory.CreateTempSubdirectory("sipnat-compare-");
        try
        {
            var limit = await CompileLimitAsync(folder.FullName, stop);
            (string Name, Func<string, CancellationToken, Task<Measured>> RunAsync)[] programs =
            [
                ("sipnat", (_, s) => MeasureRecorderAsync(s)),
                ("C limit", (files, s) => MeasureAsync([limit, $"{Address}", $"{FirstPort}", $"{options.Streams}", files], s)),
                ("ReceiveFromAsync", (files, s) => MeasureAsync(Receiver(PlainReceiving.Async, files), s)),
                ("BeginReceiveFrom", (files, s) => MeasureAsync(Receiver(PlainReceiving.Begin, files), s)),
            ];
            for (var run = 1; run <= options.Runs; run++)
            {
                foreach (var (name, runAsync) in programs) await RunAsync(name, run, folder, runAsync, stop);
            }

            return Report(programs.Select(program => program.Name));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private async Task RunAsync(string name, int run, DirectoryInfo folder, Func<string, CancellationToken, Task<Measured>> runAsync, CancellationToken stop)
    {
        var files = folder.CreateSubdirectory($"{run}-{name.Replace(' ', '-')}");
        try
        {
            var measured = await runAsync(files.FullName, stop);
            progress.WriteLine($"{name}, run {run}: {measured.MicrosecondsPerPacket:F2} µs for each packet, {measured.PercentOfCore:F0} % of a core");
            if (!_measured.TryGetValue(name, out var all)) _measured.Add(name, all = []);
            all.Add(measured);
        }
        catch (InvalidDataException error)
        {
            progress.WriteLine($"{name}, run {run}: {error.Message}");
            _notes[name] = error.Message;
        }
        finally
        {
            files.Delete(recursive: true);
        }
    }

    private async Task<Measured> MeasureRecorderAsync(CancellationToken stop)
    {
        var load = new LoadRun(
            new()
            {
                Sessions = options.Streams / LoadRun.StreamsPerSession,
                Duration = options.Duration + WarmUp + TimeSpan.FromSeconds(options.Streams / LoadRun.StreamsPerSession / Rate),
                Rate = Rate,
                Core = options.Core,
                WarmUp = WarmUp,
                Api = new("http://127.0.0.1"),
                Flood = new(),
            },
            TextWriter.Null);
        var report = await load.RunAsync(stop);
        if (report.Server is not { } server) throw new InvalidDataException("The recorder was not measured.");
        if (report.Frames is { } frames && frames.InPlace != frames.Sent) _notes["sipnat"] = $"{frames.Sent - frames.InPlace} of {frames.Sent} frames do not stand at their place.";
        return new(server.CpuMicrosecondsPerPacket, server.CpuPercentOfCore, (double)report.Packets.Received / report.Packets.Sent, server.ResidentMegabytes);
    }

    private async Task<Measured> MeasureAsync(IReadOnlyList<string> command, CancellationToken stop)
    {
        string[] pinned = options.Core is { } core ? ["taskset", "-c", $"{core}", .. command] : [.. command];
        await using var peer = await Peer.StartAsync(pinned, [.. Enumerable.Range(FirstPort, options.Streams).Select(port => new IPEndPoint(Address, port))], stop);
        using var sender = new PacedSender(Address);
        var random = new Random(1);
        var frames = (int)((options.Duration + WarmUp).TotalMilliseconds / 20);
        var streams = new List<LoadStream>();
        foreach (var target in peer.Targets)
        {
            var group = sender.Reserve();
            var stream = new LoadStream(streams.Count, "1", group.Port, frames, random) { Destination = target.Serialize() };
            streams.Add(stream);
            sender.Start(group, stream);
        }

        var meter = new ProcessMeter(peer.Id);
        await Task.Delay(WarmUp, stop);
        var (cpu, packets, began) = (meter.CpuTime, sender.Packets, Stopwatch.GetTimestamp());
        await Task.Delay(options.Duration - TimeSpan.FromSeconds(1), stop);
        var (used, sent, lasted) = (meter.CpuTime - cpu, sender.Packets - packets, Stopwatch.GetElapsedTime(began));
        var resident = meter.Resident / MegaByte;
        await Task.WhenAll(streams.Select(stream => stream.Sent)).WaitAsync(stop);
        await Task.Delay(TimeSpan.FromSeconds(1), stop);

        using var said = JsonDocument.Parse(await peer.FinishAsync());
        var received = said.RootElement.GetProperty("received").GetInt64();
        return new(used.TotalMicroseconds / Math.Max(sent, 1), 100 * used / lasted, (double)received / streams.Sum(stream => (long)stream.FramesSent), resident);
    }

    private IReadOnlyList<string> Receiver(PlainReceiving how, string files) =>
        ["dotnet", typeof(CompareRun).Assembly.Location, "plain-receiver", $"{how}", $"{Address}", $"{FirstPort}", $"{options.Streams}", files];

    private static async Task<string> CompileLimitAsync(string folder, CancellationToken stop)
    {
        var program = Path.Combine(folder, "limit");
        using var compiler = Process.Start(new ProcessStartInfo("gcc", ["-O2", "-o", program, SourceTree.PathOf("tools", "limit", "limit.c")]) { UseShellExecute = false })!;
        await compiler.WaitForExitAsync(stop);
        return compiler.ExitCode == 0 ? program : throw new InvalidDataException("tools/limit/limit.c could not be compiled; wanted: gcc.");
    }

    private CompareReport Report(IEnumerable<string> names)
    {
        var limit = Median("C limit", measured => measured.MicrosecondsPerPacket);
        return new()
        {
            Streams = options.Streams,
            Seconds = options.Duration.TotalSeconds,
            Runs = options.Runs,
            Programs =
            [
                .. names.Select(name => new ComparedProgram(
                    name,
                    Median(name, measured => measured.MicrosecondsPerPacket),
                    Median(name, measured => measured.PercentOfCore),
                    Round(Median(name, measured => measured.MicrosecondsPerPacket) / limit),
                    _measured.TryGetValue(name, out var all) ? Math.Round(all.Min(measured => measured.Received), 5) : null,
                    Median(name, measured => measured.ResidentMegabytes),
                    _notes.GetValueOrDefault(name, ""))),
            ],
            Machine = new(Environment.ProcessorCount, RuntimeInformation.OSDescription, RuntimeInformation.FrameworkDescription),
        };
    }

    private double? Median(string name, Func<Measured, double> figure)
    {
        if (!_measured.TryGetValue(name, out var all)) return null;

        double[] sorted = [.. all.Select(figure).Order()];
        return Round((sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2);
    }

    private static double? Round(double? figure) => figure is { } known ? Math.Round(known, 2) : null;

    private sealed record Measured(double MicrosecondsPerPacket, double PercentOfCore, double Received, double ResidentMegabytes);
}
