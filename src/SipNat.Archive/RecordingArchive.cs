using SipNat.Archive.Documents;
using SipNat.Archive.Export;
using SipNat.Archive.Index;
using SipNat.Archive.Storage;

namespace SipNat.Archive;

/// <summary>
/// The recordings of one directory and their catalogue, kept in step: the document is written before the row that
/// repeats it, and removed before it. The server and the commands use it at the same time from their own processes.
/// </summary>
/// <remarks>Members throw <see cref="ArchiveException"/> with a message for the user, and nothing else of the disk.</remarks>
public sealed class RecordingArchive : IDisposable
{
    private readonly Reindexer _reindexer;
    private readonly RecordingVerifier _verifier;
    private DirectoryClaim? _claim;

    private RecordingArchive(RecordingStore store, Catalogue catalogue)
    {
        (Store, Catalogue) = (store, catalogue);
        (_reindexer, _verifier) = (new Reindexer(store, catalogue), new RecordingVerifier(store, catalogue));
    }

    public RecordingStore Store { get; }

    public Catalogue Catalogue { get; }

    /// <summary>Opens both. The catalogue is not touched before its first use: sessions are recorded without it too.</summary>
    /// <param name="directory">The value of <c>Recording:Directory</c>; made by the first session where it is not there.</param>
    /// <param name="database">The value of <c>Recording:Database</c>.</param>
    public static RecordingArchive Open(string directory, string database) => new(new RecordingStore(directory), new Catalogue(database, openNow: false));

    /// <summary>Takes the directory for this process, until it is disposed of or the process ends.</summary>
    /// <returns>False when another process records into it.</returns>
    public bool TryClaim() => Guard(() => (_claim ??= DirectoryClaim.TryTake(Store.Directory)) is not null);

    /// <summary>Whether a process, this one included, records into the directory.</summary>
    public bool IsServed() => _claim is not null || Guard(() => DirectoryClaim.IsHeld(Store.Directory));

    /// <summary>Writes documents and then their rows, all rows in one transaction.</summary>
    /// <param name="durable">See <see cref="RecordingStore.Write"/>.</param>
    public void Save(IReadOnlyCollection<RecordingDocument> documents, bool durable) =>
        Catalogue.Upsert(Guard(() => documents.Select(document => Store.Write(document, durable)).ToList()));

    /// <summary>The recordings that match, newest first, without metadata and timeline.</summary>
    public IReadOnlyList<RecordingDocument> List(RecordingFilter filter) => Catalogue.List(filter);

    /// <summary>The same, page by page (<see cref="Catalogue.Pages"/>).</summary>
    public IEnumerable<IReadOnlyList<RecordingDocument>> Pages(RecordingFilter filter) => Catalogue.Pages(filter);

    /// <summary>The whole document of one recording; null when the catalogue does not know the id.</summary>
    public RecordingDocument? Find(string id)
    {
        if (FolderOf(id) is not { } folder) return null;

        var stored = Store.Read(folder);
        return stored.Document ?? throw new ArchiveException(stored.Problem?.Text ?? $"{folder} cannot be read.");
    }

    /// <summary>Removes a recording with all its files; false when there is none of that id.</summary>
    /// <exception cref="ArchiveException">It is being recorded.</exception>
    public bool Delete(string id)
    {
        if (FolderOf(id) is not { } folder) return false;

        if (Store.Read(folder).Document is { IsRunning: true } && IsServed())
        {
            throw new ArchiveException($"{id} is being recorded: it can be deleted when it has ended.");
        }

        Guard(() =>
        {
            Store.Delete(folder);
            return true;
        });
        return Catalogue.Delete(id);
    }

    /// <summary>Writes the audio of a recording as 16-bit PCM, see <see cref="RecordingExporter"/>.</summary>
    public ExportResult Export(string id, string output, ExportOptions options, CancellationToken cancellationToken = default) =>
        new RecordingExporter(Store).Export(
            Find(id) ?? throw new ArchiveException($"There is no recording '{id}': 'recordings list' shows the ids."), output, options, cancellationToken);

    /// <summary>
    /// Builds the catalogue from the folders; one that is damaged is moved aside first. What runs in a server that is
    /// alive is left as it is.
    /// </summary>
    public ReindexResult Reindex(IProgress<int>? progress = null, CancellationToken cancellationToken = default)
    {
        var served = IsServed();
        var aside = Catalogue.Inspect() is CatalogueState.Damaged ? Catalogue.MoveAside(TimeProvider.System.GetUtcNow()) : null;
        return Guard(() => _reindexer.Rebuild(_ => served, progress, cancellationToken)) with { MovedAside = aside };
    }

    /// <summary>Whether an error of this archive says that the catalogue is damaged: <see cref="Reindex"/> mends it.</summary>
    public static bool IsDamage(ArchiveException exception) => Catalogue.IsDamage(exception);

    /// <summary>
    /// For the server that has the claim, before its first session: nothing can be running yet. A damaged catalogue is
    /// moved aside and built anew from the folders; one that cannot be used is done without.
    /// </summary>
    public ReindexResult RecoverInterrupted(CancellationToken cancellationToken = default) => Guard(() =>
    {
        switch (Catalogue.Inspect())
        {
            case CatalogueState.Usable:
                return TryRecover(cancellationToken) ?? _reindexer.RecoverNewest(cancellationToken) with { HasRows = false };
            case CatalogueState.Damaged:
                var aside = Catalogue.MoveAside(TimeProvider.System.GetUtcNow());
                return _reindexer.Rebuild(static _ => false, null, cancellationToken) with { MovedAside = aside };
            default:
                return _reindexer.RecoverNewest(cancellationToken) with { HasRows = false };
        }
    });

    /// <summary>Everything that is wrong with the recordings and the catalogue, as it is found.</summary>
    public IEnumerable<RecordingProblem> Verify(IProgress<int>? progress = null)
    {
        var served = IsServed();
        return _verifier.Verify(_ => served, progress);
    }

    public void Dispose() => _claim?.Dispose();

    // A catalogue may be locked by somebody between two uses.
    private ReindexResult? TryRecover(CancellationToken cancellationToken)
    {
        try
        {
            return _reindexer.RecoverInterrupted(static _ => false, cancellationToken);
        }
        catch (ArchiveException exception) when (exception.InnerException is Microsoft.Data.Sqlite.SqliteException)
        {
            return null;
        }
    }

    private string? FolderOf(string id) => RecordingId.IsValid(id) ? Catalogue.Find(id)?.Folder : null;

    private T Guard<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new ArchiveException($"The recordings' directory {Store.Directory} cannot be used: {exception.Message}", exception);
        }
    }
}
