using SipNat.Endpoint;
using SipNat.Endpoint.Diagnosis;
using SipNat.Endpoint.Media;
using SipNat.Endpoint.Siprec;
using SipNat.Media.Streams;

namespace SipNat.Simulation.Recorder;

/// <summary>What a <see cref="SimulatedRecorder"/> has of one session: its state as last told, and its files.</summary>
public sealed class RecordedSession(RecordingSnapshot snapshot)
{
    private readonly SortedDictionary<(int Stream, int File), RecordedFile> _files = [];

    public SessionId Id { get; } = snapshot.Id;

    /// <summary>The last state that was told.</summary>
    public RecordingSnapshot Snapshot { get; internal set; } = snapshot;

    /// <summary>By stream, then in the order in which they began.</summary>
    public IReadOnlyCollection<RecordedFile> Files => [.. _files.Values.Where(file => file.Index != OtherPackets.FileIndex)];

    /// <summary>What came beside the own source of a stream, by stream.</summary>
    public IReadOnlyCollection<RecordedFile> Others => [.. _files.Values.Where(file => file.Index == OtherPackets.FileIndex)];

    public bool IsComplete => Snapshot.State is RecordingState.Complete;

    /// <summary>Codes of the findings as docs/troubleshooting.md writes them, sorted, each once.</summary>
    public IReadOnlyList<string> Findings => [.. Snapshot.Findings.Select(f => f.Code.Text).Distinct().Order(StringComparer.Ordinal)];

    /// <summary>Every finding as <c>code: text</c>, in the order in which they were found.</summary>
    public IReadOnlyList<string> FindingTexts => [.. Snapshot.Findings.Select(f => $"{f.Code.Text}: {f.Text}")];

    /// <summary>The audio of a stream that has one file.</summary>
    public RecordedFile FileOf(int stream) => Files.Single(f => f.Stream == stream);

    internal RecordedFile FileFor(int stream, RecordingFile begun)
    {
        if (!_files.TryGetValue((stream, begun.Index), out var file)) _files.Add((stream, begun.Index), file = new(stream, begun));
        return file;
    }
}
