using System.Diagnostics;
using System.Net;
using System.Runtime.InteropServices;
using SipNat.Bench.Load;

namespace SipNat.Bench.Compare;

/// <param name="Streams">Even: a session of the recorder has two.</param>
/// <param name="Core">The core that the measured program may run on; null for all. The sender has the others.</param>
/// <param name="IsAllIn">The kernel's work of receiving is done on that core too.</param>
/// <param name="HasOwnNetwork">This process runs in a network namespace of its own.</param>
public sealed record CompareOptions(int Streams, TimeSpan Duration, int Runs, int? Core, bool IsAllIn, bool HasOwnNetwork);

/// <summary>
/// The same load against the recorder and against other programs, one after the other, several times round: what a
/// packet costs each of them on this machine in this hour. Ratios are what counts.
/// </summary>
public sealed class CompareRun(CompareOptions options, TextWriter progress)
{
    private const double MegaByte = 1e6;
    private const string Recorder = "sipnat";
    private const string Limit = "C limit";

    // Sessions set up a second.
    private const double Rate = 200;
    private const int FirstPort = 10_000;
    private static readonly IPAddress Address = IPAddress.Loopback;

    // What is begun in the first seconds, compiled and allocated, is not what a packet costs.
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(8);

    private readonly Dictionary<string, List<Measured>> _measured = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _notes = new(StringComparer.Ordinal);
    private readonly CoreMeter? _core = options.Core is { } core ? new(core) : null;

    private IReadOnlyList<IPEndPoint> Ports => [.. Enumerable.Range(FirstPort, options.Streams).Select(port => new IPEndPoint(Address, port))];

    public async Task<CompareReport> RunAsync(CancellationToken stop)
    {
        var folder = Directory.CreateTempSubdirectory("sipnat-compare-");
        try
        {
            var limit = await CompileLimitAsync(folder.FullName, stop);
            (string Name, Func<string, CancellationToken, Task<Measured>> RunAsync)[] programs =
            [
                (Recorder, (_, s) => MeasureRecorderAsync(s)),
                (Limit, (files, s) => MeasureAsync(ReportingPeer.StartAsync(options.Core, [limit, $"{Address}", $"{FirstPort}", $"{options.Streams}", files], Ports, s), s)),
                ("tcpdump -w", (files, s) => MeasureAsync(TcpdumpPeer.StartAsync(options.Core, files, Ports, s), s)),
                ("rtpengine, pcap", (files, s) => MeasureAsync(RtpenginePeer.StartAsync(options.Core, files, Address, options.Streams, s), s)),
                ("ReceiveFromAsync", (files, s) => MeasureAsync(ReportingPeer.StartAsync(options.Core, Receiver(PlainReceiving.Async, files), Ports, s), s)),
                ("BeginReceiveFrom", (files, s) => MeasureAsync(ReportingPeer.StartAsync(options.Core, Receiver(PlainReceiving.Begin, files), Ports, s), s)),
            ];
            _notes["tcpdump -w"] = TcpdumpPeer.Note(options.IsAllIn);
            _notes["rtpengine, pcap"] = RtpenginePeer.Note(options.Streams);
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
            var dropped = KernelBacklog.Dropped;
            var measured = await runAsync(files.FullName, stop);
            dropped = KernelBacklog.Dropped - dropped;
            if (dropped > 0) AddNote(name, $"run {run}: {dropped} packets dropped by the kernel before any socket");
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
        if (report.Server is not { CpuMicrosecondsPerPacket: { } time, CpuPercentOfCore: { } share } server) throw new InvalidDataException("The recorder was not measured.");
        if (report.Frames is { } frames && frames.InPlace != frames.Sent) AddNote(Recorder, $"{frames.Sent - frames.InPlace} of {frames.Sent} frames do not stand at their place");
        return new(
            time, share, server.CoreMicrosecondsPerPacket, server.CorePercent,
            (double)report.Packets.Received / report.Packets.Sent, server.ResidentMegabytes);
    }

    private async Task<Measured> MeasureAsync(Task<IPeer> starting, CancellationToken stop)
    {
        await using var peer = await starting;
        using var sender = new PacedSender(Address);
        var streams = Start(sender, peer.Targets);
        var meter = new ProcessMeter(peer.Id);
        await Task.Delay(WarmUp, stop);
        var (cpu, idle, packets, began) = (meter.CpuTime, _core?.IdleTime, sender.Packets, Stopwatch.GetTimestamp());
        await Task.Delay(options.Duration - TimeSpan.FromSeconds(1), stop);
        var (used, sent, lasted) = (meter.CpuTime - cpu, Math.Max(sender.Packets - packets, 1), Stopwatch.GetElapsedTime(began));
        var busy = lasted - (_core?.IdleTime - idle);
        var resident = meter.Resident / MegaByte;
        await Task.WhenAll(streams.Select(stream => stream.Sent)).WaitAsync(stop);
        await Task.Delay(TimeSpan.FromSeconds(1), stop);

        var received = await peer.FinishAsync();
        return new(
            used.TotalMicroseconds / sent, 100 * used / lasted, busy?.TotalMicroseconds / sent, 100 * busy / lasted,
            (double)received / streams.Sum(stream => (long)stream.FramesSent), resident);
    }

    private List<LoadStream> Start(PacedSender sender, IReadOnlyList<IPEndPoint> targets)
    {
        var random = new Random(1);
        var frames = (int)((options.Duration + WarmUp).TotalMilliseconds / 20);
        var streams = new List<LoadStream>();
        foreach (var target in targets)
        {
            var group = sender.Reserve();
            var stream = new LoadStream(streams.Count, "1", group.Port, frames, random) { Destination = target.Serialize() };
            streams.Add(stream);
            sender.Start(group, stream);
        }

        return streams;
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
        var limit = Median(Limit, Counted);
        return new()
        {
            Streams = options.Streams,
            Seconds = options.Duration.TotalSeconds,
            Runs = options.Runs,
            IsAllIn = options.IsAllIn,
            Network = options.HasOwnNetwork ? "a network namespace of its own" : "the loopback of this machine, with whatever else is on it",
            Programs =
            [
                .. names.Select(name => new ComparedProgram(
                    name,
                    Median(name, measured => measured.MicrosecondsPerPacket),
                    Median(name, measured => measured.PercentOfCore),
                    Median(name, measured => measured.CoreMicrosecondsPerPacket),
                    Median(name, measured => measured.CorePercent),
                    Round(Median(name, Counted) / limit),
                    _measured.TryGetValue(name, out var all) ? Math.Round(all.Min(measured => measured.Received), 5) : null,
                    Median(name, measured => measured.ResidentMegabytes),
                    _notes.GetValueOrDefault(name, ""))),
            ],
            Machine = new(Environment.ProcessorCount, RuntimeInformation.OSDescription, RuntimeInformation.FrameworkDescription),
        };
    }

    private void AddNote(string name, string note) => _notes[name] = _notes.TryGetValue(name, out var before) ? $"{before}; {note}" : note;

    private double? Counted(Measured measured) => options.IsAllIn ? measured.CoreMicrosecondsPerPacket : measured.MicrosecondsPerPacket;

    private double? Median(string name, Func<Measured, double?> figure)
    {
        if (!_measured.TryGetValue(name, out var all)) return null;

        double[] sorted = [.. all.Select(figure).OfType<double>().Order()];
        return sorted.Length == 0 ? null : Round((sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2);
    }

    private static double? Round(double? figure) => figure is { } known ? Math.Round(known, 2) : null;

    private sealed record Measured(
        double MicrosecondsPerPacket, double PercentOfCore, double? CoreMicrosecondsPerPacket, double? CorePercent, double Received, double ResidentMegabytes);
}
