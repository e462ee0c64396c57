using System.Diagnostics;
using System.Globalization;
using SipNat.NatLab.Processes;

namespace SipNat.NatLab.Calls;

/// <summary>Sees when audio packets come to a host and leave it, at its interface, whatever the programs there say.</summary>
public sealed class MediaWatch : IAsyncDisposable
{
    public const string Program = "python3";

    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(10);

    private readonly LabProcess _process;

    private MediaWatch(LabProcess process) => _process = process;

    /// <summary>The moment on the clock of the watch.</summary>
    public static TimeSpan Now => Stopwatch.GetElapsedTime(0);

    /// <summary>What was seen so far, in order.</summary>
    public IReadOnlyList<MediaSighting> Sightings => [.. _process.Output.Split('\n').Select(MediaSighting.Read).OfType<MediaSighting>()];

    public static async Task<MediaWatch> StartAsync(LabHost host, CancellationToken stop)
    {
        var process = host.Start(Program, Path.Combine(AppContext.BaseDirectory, "Calls", "Peers", "media_watch.py"), "eth0");
        await process.WaitForTextAsync("watching", StartLimit, stop);
        return new(process);
    }

    /// <summary>When audio first came in or left since a moment; null where none did.</summary>
    public TimeSpan? First(MediaWay way, TimeSpan since) => Sightings.FirstOrDefault(seen => seen is { IsPause: false } && seen.Way == way && seen.At >= since)?.At;

    /// <summary>From the first audio packet that the host sent to the first that it got, since a moment: below zero where the other side's came first.</summary>
    public TimeSpan? UntilHeard(TimeSpan since) => First(MediaWay.In, since) - First(MediaWay.Out, since);

    /// <summary>The longest time between two moments without audio one way, whatever its source; pauses of less than three tenths of a second are none.</summary>
    public TimeSpan LongestSilence(MediaWay way, TimeSpan since, TimeSpan until)
    {
        var active = new Dictionary<(string, string, uint), TimeSpan>();
        var heard = new List<(TimeSpan From, TimeSpan To)>();
        foreach (var seen in Sightings.Where(seen => seen.Way == way))
        {
            var source = (seen.From, seen.To, seen.Ssrc);
            if (!seen.IsPause) active[source] = seen.At;
            else if (active.Remove(source, out var began)) heard.Add((began, seen.At));
        }

        heard.AddRange(active.Values.Select(began => (began, until)));
        var (longest, reached) = (TimeSpan.Zero, since);
        foreach (var (from, to) in heard.Where(stretch => stretch.To > since && stretch.From < until).OrderBy(stretch => stretch.From))
        {
            if (from - reached > longest) longest = from - reached;
            if (to > reached) reached = to;
        }

        return until - reached > longest ? until - reached : longest;
    }

    public ValueTask DisposeAsync() => _process.DisposeAsync();
}

/// <summary>Which way packets go at a host.</summary>
public enum MediaWay
{
    In,
    Out,
}

/// <summary>Audio of one source began or went on, or has paused.</summary>
/// <param name="IsPause">Nothing came for three tenths of a second.</param>
/// <param name="At">The first packet, or the last before the pause.</param>
/// <param name="Packets">Of a pause: how many there were before it.</param>
public sealed record MediaSighting(bool IsPause, MediaWay Way, string From, string To, int PayloadType, uint Ssrc, TimeSpan At, int Packets)
{
    internal static MediaSighting? Read(string line) => line.Split(' ') is ["began" or "paused", .. { Length: 7 }] words
        ? new(
            words[0] == "paused", words[1] == "in" ? MediaWay.In : MediaWay.Out, words[2], words[3], int.Parse(words[4], CultureInfo.InvariantCulture),
            uint.Parse(words[5], CultureInfo.InvariantCulture), TimeSpan.FromSeconds(double.Parse(words[6], CultureInfo.InvariantCulture)),
            int.Parse(words[7], CultureInfo.InvariantCulture))
        : null;
}
