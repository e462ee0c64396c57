using SipNat.Archive.Storage;

namespace SipNat.Archive.Index;

/// <summary>Makes the catalogue say what the folders say, also while a server records into them.</summary>
public sealed class Reindexer(RecordingStore store, Catalogue catalogue)
{
    /// <summary>How many problems are listed; more are counted.</summary>
    public const int MaxProblems = 1000;

    // Documents are read while no other process can write to the catalogue: few at a time, so that none waits long.
    private const int BatchSize = 64;
    private const int PageSize = 500;
    private const int NewestDays = 2;

    private readonly InterruptedRecovery _recovery = new(store);

    /// <summary>
    /// Reads every folder into the catalogue, recovers what was interrupted, and removes the rows that have no folder.
    /// </summary>
    /// <param name="isRunning">Whether a recording is written at this moment, by its id.</param>
    /// <param name="progress">Told how many folders were read.</param>
    public ReindexResult Rebuild(Func<string, bool> isRunning, IProgress<int>? progress = null, CancellationToken cancellationToken = default)
    {
        var result = Index(store.Folders(), isRunning, progress, cancellationToken);
        return result with { Removed = RemoveOrphans(cancellationToken) };
    }

    /// <summary>
    /// What a server does before its first session: recordings that a killed process left running become interrupted,
    /// and those of its last seconds, which the catalogue may not know, are added.
    /// </summary>
    public ReindexResult RecoverInterrupted(Func<string, bool> isRunning, CancellationToken cancellationToken = default)
    {
        // A session is in the catalogue seconds after it began, so what is missing is no older than the newest row.
        var newest = catalogue.NewestStart();
        var recent = store.Folders(newest is { } start ? DateOnly.FromDateTime(start.UtcDateTime).AddDays(-1) : null)
            .Where(folder => catalogue.Find(RecordingStore.NameOf(folder)) is null);
        var running = catalogue.Running().Where(entry => !isRunning(entry.Id)).Select(entry => entry.Folder);
        return Index(running.Concat(recent).ToList(), isRunning, null, cancellationToken);
    }

    /// <summary>
    /// The same without the catalogue, where that cannot be used: of the newest days, as those before were looked after
    /// when their server was started again. The rows are for <see cref="Rebuild"/> to write.
    /// </summary>
    public ReindexResult RecoverNewest(CancellationToken cancellationToken = default)
    {
        var tally = new Tally();
        var newest = store.Folders().Select(folder => folder[..RecordingStore.DayLength]).Distinct(StringComparer.Ordinal).TakeLast(NewestDays);
        foreach (var folder in newest.ToList() is [var first, ..] ? store.Folders(RecordingStore.DayOf(first)) : [])
        {
            cancellationToken.ThrowIfCancellationRequested();
            tally.Count(ReadOrRecover(folder, static _ => false, tally));
        }

        return tally.ToResult() with { Indexed = 0 };
    }

    private ReindexResult Index(IEnumerable<string> folders, Func<string, bool> isRunning, IProgress<int>? progress, CancellationToken cancellationToken)
    {
        var tally = new Tally();
        foreach (var batch in folders.Chunk(BatchSize))
        {
            cancellationToken.ThrowIfCancellationRequested();
            catalogue.Upsert(batch.Select(folder => tally.Count(ReadOrRecover(folder, isRunning, tally))));
            progress?.Report(tally.Seen);
        }

        return tally.ToResult();
    }

    private StoredRecording ReadOrRecover(string folder, Func<string, bool> isRunning, Tally tally)
    {
        var stored = store.Read(folder);
        var recovered = stored switch
        {
            { Document: { IsRunning: true } document } when !isRunning(document.Id) => _recovery.Recover(folder, document),
            { Problem.Kind: RecordingProblemKind.DocumentMissing } when !isRunning(RecordingStore.NameOf(folder)) => _recovery.RecoverWithoutDocument(folder),
            _ => null,
        };
        if (recovered is null) return stored;

        if (recovered.Problem is null) tally.CountRecovered(folder);
        return recovered;
    }

    private int RemoveOrphans(CancellationToken cancellationToken)
    {
        var removed = 0;
        var page = catalogue.Page("", PageSize);
        while (page.Count > 0)
        {
            cancellationToken.ThrowIfCancellationRequested();
            removed += page.Count(entry => !store.Exists(entry.Folder) && catalogue.Delete(entry.Id));
            page = catalogue.Page(page[^1].Id, PageSize);
        }

        return removed;
    }

    private sealed class Tally
    {
        public int Seen { get; private set; }

        public int Indexed { get; private set; }

        public int Recovered { get; private set; }

        public List<string> RecoveredFolders { get; } = [];

        public int ProblemCount { get; private set; }

        public List<RecordingProblem> Problems { get; } = [];

        public void CountRecovered(string folder)
        {
            Recovered++;
            if (RecoveredFolders.Count < MaxProblems) RecoveredFolders.Add(folder);
        }

        public StoredRecording Count(StoredRecording stored)
        {
            Seen++;
            if (stored.Document is not null) Indexed++;
            if (stored.Problem is not { } problem) return stored;

            ProblemCount++;
            if (Problems.Count < MaxProblems) Problems.Add(problem);
            return stored;
        }

        public ReindexResult ToResult() => new(Indexed, Recovered, 0, ProblemCount, Problems) { RecoveredFolders = RecoveredFolders };
    }
}

/// <summary>What <see cref="Reindexer"/> did.</summary>
/// <param name="Indexed">Recordings written to the catalogue.</param>
/// <param name="Recovered">Those of them that had been left running.</param>
/// <param name="Removed">Rows without a folder that were removed.</param>
/// <param name="ProblemCount">All folders that could not be read or recovered.</param>
/// <param name="Problems">The first <see cref="Reindexer.MaxProblems"/> of them.</param>
public sealed record ReindexResult(int Indexed, int Recovered, int Removed, int ProblemCount, IReadOnlyList<RecordingProblem> Problems)
{
    /// <summary>The folders of the first <see cref="Reindexer.MaxProblems"/> recovered recordings.</summary>
    public IReadOnlyList<string> RecoveredFolders { get; init; } = [];

    /// <summary>Where a damaged catalogue was moved to; null where there was none.</summary>
    public string? MovedAside { get; init; }

    /// <summary>False where the catalogue could not be used: its rows are missing until the folders are indexed again.</summary>
    public bool HasRows { get; init; } = true;
}
