using System.Runtime.InteropServices;
using SipNat.Bench.Load;

namespace SipNat.Bench.Growth;

/// <param name="Streams">The sizes; even, as a session has two.</param>
/// <param name="Duration">How long each is measured.</param>
/// <param name="Core">The core that the recorder is held to; null for all.</param>
public sealed record GrowthOptions(IReadOnlyList<int> Streams, TimeSpan Duration, int? Core);

/// <summary>The same load at several sizes, each with a recorder of its own: does a packet or a set-up cost more where there are many?</summary>
public sealed class GrowthRun(GrowthOptions options, TextWriter progress)
{
    /// <summary>Sizes above it offer rtcp-mux.</summary>
    public const int MostWithoutMux = 6_000;

    // Sessions set up a second.
    private const double Rate = 200;
    private const int Primers = 100;

    // Two for each stream, from the first one of the settings' default; above are those that senders draw.
    private const int FirstPort = 10_000;
    private const int LastPort = 32_767;
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(8);

    /// <exception cref="InvalidDataException">A recorder could not be started or understood.</exception>
    public async Task<GrowthReport> RunAsync(CancellationToken stop)
    {
        var rows = new List<GrowthRow>();
        foreach (var streams in options.Streams)
        {
            progress.WriteLine($"{streams} streams");
            rows.Add(await RunAsync(streams, stop));
        }

        return new()
        {
            Seconds = options.Duration.TotalSeconds,
            Rows = rows,
            Machine = new(Environment.ProcessorCount, RuntimeInformation.OSDescription, RuntimeInformation.FrameworkDescription),
        };
    }

    private async Task<GrowthRow> RunAsync(int streams, CancellationToken stop)
    {
        var isMuxed = streams > MostWithoutMux;
        if (Refusal(streams) is { } refusal) return new(streams, isMuxed, null, refusal);

        var sessions = streams / LoadRun.StreamsPerSession;
        var load = new LoadRun(
            new()
            {
                Sessions = sessions,
                Duration = options.Duration + WarmUp + TimeSpan.FromSeconds(sessions / Rate),
                Rate = Rate,
                RtcpMux = isMuxed,
                Primers = Primers,
                Core = options.Core,
                WarmUp = WarmUp,
                Settings = [$"Sip:MaxSessions={Math.Max(sessions, Primers)}", $"Media:FirstPort={FirstPort}", $"Media:LastPort={LastPort}"],
            },
            progress);
        return new(streams, isMuxed, await load.RunAsync(stop), "");
    }

    private static string? Refusal(int streams) => DescriptorRoom.Refusal(streams)
        ?? ((LastPort - FirstPort + 1) / 2 < streams ? $"not measured: ports {FirstPort} to {LastPort} are for {(LastPort - FirstPort + 1) / 2} streams" : null);
}
