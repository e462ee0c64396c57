using System.Diagnostics;
using System.Text.Json;
using SipNat.Bench.Audio;

namespace SipNat.Bench.Load;

/// <summary>Asks the recorder what it has recorded of a run, and looks for every frame in the files.</summary>
internal sealed class RecordingsCheck(Uri api, string? recordings)
{
    // What the API lists at most.
    public const int ListLimit = 10_000;

    // A frame that is not at its place is looked for this far around it.
    private const int SearchRadius = 2 * 8000;
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    /// <summary>Whether the files are in reach.</summary>
    public bool ReadsFiles => recordings is not null;

    /// <summary>Waits until every session of the run is complete in the catalogue, then compares.</summary>
    public async Task<RecordedLoad> RunAsync(IReadOnlyList<LoadSession> sessions, CancellationToken stop)
    {
        using var http = new HttpClient { BaseAddress = api };
        var callIds = sessions.ToDictionary(session => session.CallId, StringComparer.Ordinal);
        var clock = Stopwatch.StartNew();
        while (true)
        {
            using var list = JsonDocument.Parse(await http.GetStringAsync($"/api/recordings?limit={ListLimit}", stop));
            var found = list.RootElement.EnumerateArray().Where(item => callIds.ContainsKey(Text(item, "callId"))).ToList();
            var complete = found.Count == sessions.Count && found.TrueForAll(item => Text(item, "state") == "complete" && IsWritten(item));
            if (complete || clock.Elapsed > Limit) return Compare(found, callIds);

            await Task.Delay(Poll, stop);
        }
    }

    /// <summary>What is left of sessions whose recorder was killed.</summary>
    /// <param name="sent">Frames of each stream, by its number, that had been sent by then.</param>
    public async Task<KilledReport> FindInterruptedAsync(IReadOnlyList<LoadSession> sessions, IReadOnlyDictionary<int, int> sent, CancellationToken stop)
    {
        using var http = new HttpClient { BaseAddress = api };
        var callIds = sessions.ToDictionary(session => session.CallId, StringComparer.Ordinal);
        using var list = JsonDocument.Parse(await http.GetStringAsync($"/api/recordings?limit={ListLimit}", stop));
        var found = list.RootElement.EnumerateArray().Where(item => callIds.ContainsKey(Text(item, "callId")) && Text(item, "state") == "interrupted").ToList();
        var (frames, wrong, missing) = (0L, 0L, 0);
        foreach (var item in found)
        {
            var session = callIds[Text(item, "callId")];
            foreach (var stream in item.GetProperty("streams").EnumerateArray())
            {
                if (session.Streams.FirstOrDefault(one => one.Label == Text(stream, "label")) is not { } known) continue;

                var (inPlace, others) = CountFrames(stream, known);
                (frames, wrong, missing) = (frames + inPlace, wrong + others, Math.Max(missing, sent[known.Number] - inPlace));
            }
        }

        return new(found.Count, frames, wrong, Math.Round(missing * 0.02, 2));
    }

    // What a disk did not take in time is written when it does, which may be after the end of its session.
    private static bool IsWritten(JsonElement item)
    {
        var findings = item.GetProperty("findings").EnumerateArray().ToList();
        return findings.Count(finding => Text(finding, "code") == "audio-written-again") >= findings.Count(finding => Text(finding, "text").Contains("has not been written since", StringComparison.Ordinal));
    }

    private (int InPlace, int Others) CountFrames(JsonElement stream, LoadStream sent)
    {
        var files = stream.GetProperty("files").EnumerateArray().Select(file => Text(file, "file")).ToList();
        if (files.Count == 0) return default;

        var data = WavFile.Read(Path.Combine(recordings!, files[0])).Data.Span;
        var (inPlace, others) = (0, 0);
        Span<byte> frame = stackalloc byte[FrameContent.Length];
        for (var i = 0; (i + 1) * FrameContent.Length <= data.Length; i++)
        {
            FrameContent.Fill(frame, sent.Number, i);
            if (data.Slice(i * FrameContent.Length, FrameContent.Length).SequenceEqual(frame)) inPlace++;
            else others++;
        }

        return (inPlace, others);
    }

    private RecordedLoad Compare(List<JsonElement> found, Dictionary<string, LoadSession> sessions)
    {
        var result = new RecordedLoad { Sessions = found.Count(item => Text(item, "state") == "complete") };
        foreach (var item in found)
        {
            result = Compare(result, item, sessions[Text(item, "callId")]);
        }

        return result;
    }

    /// <summary>Adds one recording, as the API tells of it, to what is known.</summary>
    public RecordedLoad Compare(RecordedLoad result, JsonElement item, LoadSession session)
    {
        foreach (var stream in item.GetProperty("streams").EnumerateArray())
        {
            var sent = session.Streams.FirstOrDefault(one => one.Label == Text(stream, "label"));
            if (sent is null) continue;

            result = result with { Packets = result.Packets + stream.GetProperty("packets").GetInt64() };
            if (recordings is null) continue;

            result = result.With(CompareFile(stream, sent));
            if (FirstFile(stream) is { } file) result = result with { Silence = result.Silence.With(CompareSilence(item, file, sent)) };
        }

        foreach (var finding in item.GetProperty("findings").EnumerateArray()) result.Findings.Add(Text(finding, "code"));
        return result;
    }

    private FrameCount CompareFile(JsonElement stream, LoadStream sent)
    {
        var files = stream.GetProperty("files").EnumerateArray().Select(file => Text(file, "file")).ToList();
        if (files.Count == 0) return new(0, 0, sent.FramesSent);

        var data = WavFile.Read(Path.Combine(recordings!, files[0])).Data.Span;
        var (inPlace, elsewhere) = (0, 0);
        Span<byte> frame = stackalloc byte[FrameContent.Length];
        for (var i = 0; i < sent.FramesSent; i++)
        {
            FrameContent.Fill(frame, sent.Number, i);
            var at = i * FrameContent.Length;
            if (at + frame.Length <= data.Length && data.Slice(at, frame.Length).SequenceEqual(frame)) inPlace++;
            else if (StandsNear(data, at, frame)) elsewhere++;
        }

        return new(inPlace, elsewhere, sent.FramesSent - inPlace - elsewhere);
    }

    private SilenceReport CompareSilence(JsonElement item, string file, LoadStream sent)
    {
        var texts = item.GetProperty("findings").EnumerateArray().Select(finding => Text(finding, "text"));
        return SilenceComparison.Compare(texts, Path.GetFileName(file), WavFile.Read(Path.Combine(recordings!, file)).Data.Span, sent.Number, sent.FramesSent);
    }

    private static string? FirstFile(JsonElement stream) => stream.GetProperty("files").EnumerateArray().Select(file => Text(file, "file")).FirstOrDefault();

    private static bool StandsNear(ReadOnlySpan<byte> data, int at, ReadOnlySpan<byte> frame)
    {
        var from = Math.Clamp(at - SearchRadius, 0, data.Length);
        var to = Math.Clamp(at + SearchRadius, from, data.Length);
        return data[from..to].IndexOf(frame) >= 0;
    }

    /// <summary>A text of the API's; empty where it has none of that name.</summary>
    public static string Text(JsonElement item, string name) => item.TryGetProperty(name, out var value) ? value.GetString() ?? "" : "";
}

/// <summary>Frames of a stream as the files have them: where they belong, at another place, or not at all.</summary>
internal readonly record struct FrameCount(long InPlace, long Elsewhere, long Missing);

/// <summary>What the recorder has of a run.</summary>
internal sealed record RecordedLoad
{
    /// <summary>Sessions that are complete in the catalogue.</summary>
    public int Sessions { get; init; }

    /// <summary>Packets that the recorder counted.</summary>
    public long Packets { get; init; }

    public FrameCount Frames { get; init; }

    public SilenceReport Silence { get; init; } = new(0, 0, 0, 0);

    /// <summary>The code of every finding of every session.</summary>
    public List<string> Findings { get; } = [];

    public RecordedLoad With(FrameCount more) => this with
    {
        Frames = new(Frames.InPlace + more.InPlace, Frames.Elsewhere + more.Elsewhere, Frames.Missing + more.Missing),
    };
}
