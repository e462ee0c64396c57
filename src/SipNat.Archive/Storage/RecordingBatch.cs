using Microsoft.Win32.SafeHandles;
using SipNat.Archive.Documents;

namespace SipNat.Archive.Storage;

/// <summary>
/// Documents and metadata of many sessions that are brought to the medium together: one wait for the journal of the file
/// system takes as long as a thousand files need. No file has its name before its bytes are there, whatever ends the
/// program or the power in between.
/// </summary>
/// <remarks>One batch is for one thread, and has each session once at most.</remarks>
public sealed class RecordingBatch(RecordingStore store) : IDisposable
{
    // From so many sessions on it is cheaper to force the whole file system than file by file.
    private const int SessionsForcedAlone = 4;

    private readonly List<Pending> _files = [];
    private readonly HashSet<string> _durable = new(StringComparer.Ordinal);
    private SafeFileHandle? _first;

    /// <summary>Makes the folder of a session, where nobody has yet.</summary>
    /// <exception cref="IOException">The disk refuses.</exception>
    /// <exception cref="UnauthorizedAccessException">The disk refuses.</exception>
    public void AddFolder(string folder) => Directory.CreateDirectory(store.PathOf(folder));

    /// <summary>Writes a session's document beside the one that is there, which <see cref="Commit"/> replaces.</summary>
    /// <param name="durable">Whether the medium has it when <see cref="Commit"/> returns; else the kernel.</param>
    /// <exception cref="IOException">The disk refuses.</exception>
    /// <exception cref="UnauthorizedAccessException">The disk refuses.</exception>
    public void Add(string folder, RecordingDocument document, bool durable)
    {
        Write(folder, RecordingStore.DocumentName, RecordingJson.Write(document));
        if (durable) _durable.Add(folder);
    }

    /// <summary>Keeps one metadata document as it came, always on the medium; the name that its file will have.</summary>
    /// <param name="number">1 for the first of the session.</param>
    /// <exception cref="IOException">The disk refuses.</exception>
    /// <exception cref="UnauthorizedAccessException">The disk refuses.</exception>
    public string AddMetadata(string folder, int number, ReadOnlySpan<byte> xml)
    {
        var name = RecordingStore.MetadataName(number);
        Write(folder, name, xml);
        _durable.Add(folder);
        return name;
    }

    /// <summary>Forces the bytes, gives each file its name, and forces the names.</summary>
    /// <returns>The folders in which something could not be done, with what the disk said: these are to be written again.</returns>
    public IReadOnlyDictionary<string, string> Commit()
    {
        var refused = new Dictionary<string, string>(StringComparer.Ordinal);
        if (_files.Count == 0) return refused;

        ForEach(IsForcedTogether() ? [] : _files.Where(file => _durable.Contains(file.Folder)), file => Force(file.Path + AtomicFile.TemporarySuffix), refused);
        ForEach(_files, static file => File.Move(file.Path + AtomicFile.TemporarySuffix, file.Path, overwrite: true), refused);
        if (!IsForcedTogether()) ForceNames(refused);
        return refused;
    }

    public void Dispose() => _first?.Dispose();

    private void Write(string folder, string name, ReadOnlySpan<byte> bytes)
    {
        var path = store.PathOf(folder, name);
        SafeFileHandle? file = null;
        try
        {
            file = AtomicFile.WriteTemporary(path, bytes);
        }
        catch (DirectoryNotFoundException)
        {
            // Somebody has removed it.
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            file = AtomicFile.WriteTemporary(path, bytes);
        }

        // The file system tells an error of writing to whoever had it open by then.
        if (_first is null) _first = file;
        else file.Dispose();
        _files.Add(new(folder, path));
    }

    private bool IsForcedTogether() => _durable.Count > SessionsForcedAlone && FileSystemNative.TrySyncFileSystem(_first!);

    private static void Force(string path)
    {
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        RandomAccess.FlushToDisk(file);
    }

    // A folder's own name is in the one above it, which many sessions share.
    private void ForceNames(Dictionary<string, string> refused)
    {
        var forced = new HashSet<string>(StringComparer.Ordinal);
        ForEach(
            _files.Where(file => _durable.Contains(file.Folder)),
            file =>
            {
                for (var path = Path.GetDirectoryName(file.Path)!; path.Length >= store.Directory.Length; path = Path.GetDirectoryName(path)!)
                {
                    if (forced.Contains(path)) continue;

                    FileSystemNative.SyncFolder(path);
                    forced.Add(path);
                }
            },
            refused);
    }

    private static void ForEach(IEnumerable<Pending> files, Action<Pending> work, Dictionary<string, string> refused)
    {
        foreach (var file in files)
        {
            if (refused.ContainsKey(file.Folder)) continue;

            try
            {
                work(file);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                refused.Add(file.Folder, exception.Message);
            }
        }
    }

    private readonly record struct Pending(string Folder, string Path);
}
