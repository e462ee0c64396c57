using System.Globalization;
using SipNat.Archive.Audio;
using SipNat.Archive.Documents;

namespace SipNat.Archive.Storage;

/// <summary>
/// The folder of recordings: <c>yyyy/MM/dd/ID</c> with <c>session.json</c>, the raw metadata and the audio of each.
/// It is the truth that the catalogue can be built from. Nothing that came from the network is part of a path.
/// </summary>
/// <remarks>
/// Every path that goes in or out is relative to <see cref="Directory"/> and has forward slashes. Members throw
/// <see cref="IOException"/> or <see cref="UnauthorizedAccessException"/> when the disk refuses. Safe for any number
/// of threads, as long as each session is written by one at a time.
/// </remarks>
public sealed class RecordingStore
{
    public const string DocumentName = "session.json";

    /// <summary>A larger session.json is not read: a session of a day with all its history stays far below.</summary>
    public const int MaxDocumentBytes = 64 * 1024 * 1024;

    /// <summary>Characters of a folder's name that are its day.</summary>
    internal const int DayLength = 10;

    private const string DayFormat = "yyyy/MM/dd";

    public RecordingStore(string directory) => Directory = Path.TrimEndingDirectorySeparator(Path.GetFullPath(directory));

    /// <summary>The absolute path of the folder that holds all recordings.</summary>
    public string Directory { get; }

    /// <summary>Where a recording's files are: <c>yyyy/MM/dd/ID</c> by the UTC day on which it began.</summary>
    /// <exception cref="ArgumentException">The id is none, see <see cref="RecordingId"/>.</exception>
    public static string FolderOf(string id, DateTimeOffset startedAt) =>
        RecordingId.IsValid(id)
            ? $"{startedAt.UtcDateTime.ToString(DayFormat, CultureInfo.InvariantCulture)}/{id}"
            : throw new ArgumentException($"'{id}' is not the id of a recording.", nameof(id));

    /// <summary>The name of an audio file: <c>stream-1.wav</c>, then <c>stream-1-2.wav</c> after a change of codec.</summary>
    /// <param name="stream">The stream's number in the session, from 1.</param>
    /// <param name="file">The file's number in its stream, from 1.</param>
    public static string AudioName(int stream, int file) => NameOf(stream, file, ".wav");

    /// <summary>The name of a file that keeps packets: <c>stream-1.rtpdump</c>, counted with the audio files of its stream.</summary>
    /// <param name="stream">The stream's number in the session, from 1.</param>
    /// <param name="file">The file's number in its stream, from 1.</param>
    public static string PacketsName(int stream, int file) => NameOf(stream, file, PacketFile.Extension);

    /// <summary>The name of the file of what came beside a stream's own source: <c>stream-1-other.rtpdump</c>.</summary>
    /// <param name="stream">The stream's number in the session, from 1.</param>
    public static string OtherName(int stream)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(stream, 1);
        return $"stream-{stream}-other{PacketFile.Extension}";
    }

    /// <summary>The name of a raw metadata document: <c>metadata-001.xml</c> and so on.</summary>
    public static string MetadataName(int number)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(number, 1);
        return $"metadata-{number:D3}.xml";
    }

    /// <summary>Makes the folder of a session and returns it; the same again where it exists.</summary>
    public string Create(string id, DateTimeOffset startedAt)
    {
        var folder = FolderOf(id, startedAt);
        System.IO.Directory.CreateDirectory(PathOf(folder));
        return folder;
    }

    /// <summary>Replaces a session's document at once: a reader sees the former or this one.</summary>
    /// <param name="durable">
    /// Whether to wait until the medium has it. Beginning and end of a session deserve it; a power cut between them
    /// may then bring back an older state, and never half a document.
    /// </param>
    public StoredRecording Write(RecordingDocument document, bool durable = true)
    {
        var folder = Create(document.Id, document.StartedAt);
        AtomicFile.Write(PathOf(folder, DocumentName), RecordingJson.Write(document), durable);
        if (durable) SyncFolders(PathOf(folder));
        return new StoredRecording(folder, document, null);
    }

    /// <summary>Keeps one metadata document as it came, and returns the name of its file.</summary>
    /// <param name="number">1 for the first of the session.</param>
    public string WriteMetadata(string folder, int number, ReadOnlySpan<byte> xml)
    {
        var name = MetadataName(number);
        AtomicFile.Write(PathOf(folder, name), xml, durable: true);
        FileSystemNative.SyncFolder(PathOf(folder));
        return name;
    }

    /// <summary>Reads the document of a folder. Whatever is wrong with it is told in the answer, never thrown.</summary>
    public StoredRecording Read(string folder)
    {
        try
        {
            var bytes = ReadCapped(PathOf(folder, DocumentName));
            if (!RecordingJson.TryRead(bytes, out var document, out var defect)) return Unreadable(folder, defect);

            return string.Equals(document.Id, NameOf(folder), StringComparison.Ordinal)
                ? new StoredRecording(folder, document, null)
                : Unreadable(folder, $"it is the document of another recording, '{Shorten(document.Id)}'");
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return new StoredRecording(folder, null, new RecordingProblem(
                NameOf(folder), folder, RecordingProblemKind.DocumentMissing, $"{folder} has no {DocumentName}."));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return Unreadable(folder, exception.Message.TrimEnd('.'));
        }
    }

    /// <summary>The folders of all recordings, oldest day first; other files and folders are passed over.</summary>
    /// <param name="from">Only folders of this UTC day and later.</param>
    public IEnumerable<string> Folders(DateOnly? from = null)
    {
        foreach (var year in Names("", 4))
            foreach (var month in Names(year, 2))
                foreach (var day in Names($"{year}/{month}", 2))
                {
                    var path = $"{year}/{month}/{day}";
                    if (!DateOnly.TryParseExact(path, DayFormat, CultureInfo.InvariantCulture, DateTimeStyles.None, out var date) || date < from) continue;

                    foreach (var id in Names(path, null)) yield return $"{path}/{id}";
                }
    }

    /// <summary>Every recording, readable or not, oldest day first.</summary>
    public IEnumerable<StoredRecording> Enumerate() => Folders().Select(Read);

    /// <summary>Whether a folder is there and within <see cref="Directory"/>.</summary>
    public bool Exists(string folder) => IsBelow(folder, out var path) && System.IO.Directory.Exists(path);

    /// <summary>Removes a recording: its audio first and its document last, so that a half removed one is still found.</summary>
    public void Delete(string folder)
    {
        var path = PathOf(folder);
        if (!System.IO.Directory.Exists(path)) return;

        foreach (var file in System.IO.Directory.EnumerateFiles(path))
        {
            if (!Path.GetFileName(file.AsSpan()).SequenceEqual(DocumentName)) File.Delete(file);
        }

        System.IO.Directory.Delete(path, recursive: true);
        DeleteEmptyDays(Path.GetDirectoryName(path));
    }

    /// <summary>The absolute path of something below <see cref="Directory"/>.</summary>
    /// <exception cref="ArchiveException">The path leads out of the directory.</exception>
    public string PathOf(string relative) => IsBelow(relative, out var path)
        ? path
        : throw new ArchiveException($"The path '{Shorten(relative)}' leads out of the recordings' directory {Directory}.");

    /// <summary>The day that a folder's name begins with.</summary>
    internal static DateOnly DayOf(string folder) => DateOnly.ParseExact(folder.AsSpan(0, DayLength), DayFormat, CultureInfo.InvariantCulture);

    internal string PathOf(string folder, string name) => PathOf($"{folder}/{name}");

    private static string NameOf(int stream, int file, string extension)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(stream, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(file, 1);
        return file == 1 ? $"stream-{stream}{extension}" : $"stream-{stream}-{file}{extension}";
    }

    internal static string NameOf(string folder) => folder[(folder.LastIndexOf('/') + 1)..];

    // A path of a damaged document may hold anything, a zero byte too.
    private bool IsBelow(string relative, out string path)
    {
        path = relative.Contains('\0') ? "" : Path.GetFullPath(Path.Combine(Directory, relative));
        return path.StartsWith(Directory + Path.DirectorySeparatorChar, StringComparison.Ordinal);
    }

    private static StoredRecording Unreadable(string folder, string defect) =>
        new(folder, null, new RecordingProblem(
            NameOf(folder), folder, RecordingProblemKind.DocumentUnreadable, $"{folder}/{DocumentName} cannot be read: {defect}."));

    private static byte[] ReadCapped(string path)
    {
        using var handle = File.OpenHandle(path);
        var length = RandomAccess.GetLength(handle);
        if (length > MaxDocumentBytes) throw new IOException($"it has {length} bytes, more than {MaxDocumentBytes}");

        var bytes = new byte[length];
        var read = 0;
        while (read < bytes.Length && RandomAccess.Read(handle, bytes.AsSpan(read), read) is > 0 and var count) read += count;
        return read == bytes.Length ? bytes : bytes[..read];
    }

    // A text of a document that may hold anything, for a message.
    private static string Shorten(string text) => text.Length <= RecordingId.MaxLength ? text : text[..RecordingId.MaxLength] + "…";

    // The names of sub-folders in order: so many digits, or any recording's id where no length is given.
    private string[] Names(string folder, int? digits)
    {
        var path = folder.Length == 0 ? Directory : PathOf(folder);
        if (!System.IO.Directory.Exists(path)) return [];

        var names = System.IO.Directory.EnumerateDirectories(path)
            .Select(directory => Path.GetFileName(directory))
            .Where(name => digits is { } count ? name.Length == count && name.All(char.IsAsciiDigit) : RecordingId.IsValid(name))
            .ToArray();
        Array.Sort(names, StringComparer.Ordinal);
        return names;
    }

    // A folder's own name is in the one above it.
    private void SyncFolders(string path)
    {
        for (; path.Length >= Directory.Length; path = Path.GetDirectoryName(path)!) FileSystemNative.SyncFolder(path);
    }

    private void DeleteEmptyDays(string? path)
    {
        try
        {
            while (path is not null && path.Length > Directory.Length && !System.IO.Directory.EnumerateFileSystemEntries(path).Any())
            {
                System.IO.Directory.Delete(path);
                path = Path.GetDirectoryName(path);
            }
        }
        catch (IOException)
        {
            // A session that begins at this moment has put its folder there: the day is not empty any more.
            return;
        }
    }
}
