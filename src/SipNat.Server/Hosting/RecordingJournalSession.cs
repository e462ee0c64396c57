using SipNat.Archive.Audio;
using SipNat.Archive.Documents;
using SipNat.Archive.Storage;
using SipNat.Endpoint.Siprec;
using EndpointState = SipNat.Endpoint.Siprec.RecordingState;

namespace SipNat.Server.Hosting;

/// <summary>What the journal knows of one session, and what of it is on the disk.</summary>
internal sealed class RecordingJournalSession
{
    /// <summary>Faults that are kept; a disk that comes and goes all day makes no document endless.</summary>
    public const int MaxFaults = 100;

    private readonly List<string?> _metadataFiles = [];
    private readonly List<AudioFault> _faults = [];
    private readonly RecordingJournalLeads _leads = new();
    private readonly HashSet<(string Code, string Text)> _told = [];
    private RecordingSnapshot? _snapshot;
    private RecordingDocument? _staged;
    private int _metadataSaved;
    private bool _isSaved;

    public DateTimeOffset WallStart { get; private set; }

    /// <summary>Whether the disk does not have what has happened.</summary>
    public bool IsDirty { get; private set; }

    /// <summary>Whether counts have grown since the disk was told of them, and nothing else has changed.</summary>
    public bool HasGrown { get; private set; }

    public bool IsOver => _snapshot?.State is EndpointState.Complete;

    /// <summary>True for what must be on disk soon: a session that has begun or ended.</summary>
    public bool Apply(RecordingJournal.Entry entry)
    {
        if (entry.Fault is { } fault)
        {
            IsDirty = true;
            if (_faults.Count < MaxFaults) _faults.Add(fault);
            return false;
        }

        var isFirst = _snapshot is null;
        IsDirty |= isFirst || !SaysTheSame(_snapshot!, entry.Snapshot!);
        HasGrown = !IsDirty;
        (_snapshot, WallStart) = (entry.Snapshot!, entry.WallStart);
        _leads.Apply(_snapshot, entry.At - WallStart);
        return isFirst || IsOver;
    }

    /// <summary>Where its document is.</summary>
    public string Folder => RecordingStore.FolderOf(_snapshot!.Id.Value, WallStart);

    /// <summary>Puts metadata and document into a batch; where that is refused, now or later, both are tried again with the next call.</summary>
    /// <exception cref="IOException">The disk refuses.</exception>
    /// <exception cref="UnauthorizedAccessException">The disk refuses.</exception>
    public void Stage(RecordingBatch batch)
    {
        var snapshot = _snapshot!;
        if (!_isSaved) batch.AddFolder(Folder);
        _metadataFiles.RemoveRange(_metadataSaved, _metadataFiles.Count - _metadataSaved);
        while (_metadataFiles.Count < snapshot.Metadata.Count)
        {
            var number = _metadataFiles.Count + 1;
            _metadataFiles.Add(batch.AddMetadata(Folder, number, snapshot.Metadata[number - 1].Xml.Span));
        }

        // A beginning and an end are forced to the medium; between them a power cut brings back an older state.
        _staged = RecordingDocuments.From(snapshot, WallStart, _metadataFiles, _faults, _leads.ToDictionary());
        batch.Add(Folder, _staged, durable: !_isSaved || IsOver);
    }

    /// <summary>The batch is on the disk.</summary>
    public StoredRecording Confirm()
    {
        _isSaved = true;
        _metadataSaved = _metadataFiles.Count;
        (IsDirty, HasGrown) = (false, false);
        return new(Folder, _staged!, null);
    }

    /// <summary>It is the turn of the counts.</summary>
    public void Publish() => IsDirty |= HasGrown;

    // But for counts: everything else is only ever added to, or has another length when it is replaced.
    private static bool SaysTheSame(RecordingSnapshot left, RecordingSnapshot right)
    {
        if (left.State != right.State || left.EndReason != right.EndReason || left.Remote != right.Remote || Lengths(left) != Lengths(right)) return false;

        for (var i = 0; i < left.Streams.Count; i++)
        {
            if (Lengths(left.Streams[i]) != Lengths(right.Streams[i])) return false;
        }

        return true;
    }

    private static (int, int, int, int, int, int, int, int) Lengths(RecordingSnapshot snapshot) => (
        snapshot.Findings.Count, snapshot.Timeline.Count, snapshot.Metadata.Count, snapshot.CommunicationSessions.Count, snapshot.Participants.Count,
        snapshot.Links.Count, snapshot.Related.Count, snapshot.Streams.Count);

    private static (int, int, int) Lengths(StreamSnapshot stream) =>
        (stream.Report?.Stream.Files.Count ?? 0, stream.Report?.Stream.Ssrcs.Count ?? 0, stream.Participants.Count);

    /// <summary>The findings of a document that were not in one before.</summary>
    public IReadOnlyList<RecordingFinding> TakeUntold(RecordingDocument document) =>
        [.. document.Findings.Where(finding => _told.Add((finding.Code, finding.Text)))];
}
