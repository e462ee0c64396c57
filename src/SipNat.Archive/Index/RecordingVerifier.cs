using SipNat.Archive.Audio;
using SipNat.Archive.Documents;
using SipNat.Archive.Storage;
using SipNat.Media.Codecs;
using SipNat.Media.Wav;

namespace SipNat.Archive.Index;

/// <summary>Holds folders, documents, audio files and catalogue against each other. It changes nothing.</summary>
public sealed class RecordingVerifier(RecordingStore store, Catalogue catalogue)
{
    // Half a sample of rounding on either side is no difference.
    private const double Tolerance = 0.001;
    private const int PageSize = 500;
    private const string Remedy = ": run 'recordings reindex'.";

    /// <summary>Everything that is wrong, recording by recording, as it is found.</summary>
    /// <param name="isRunning">Whether a recording is written at this moment, by its id: its files still grow.</param>
    /// <param name="progress">Told how many folders were verified.</param>
    public IEnumerable<RecordingProblem> Verify(Func<string, bool> isRunning, IProgress<int>? progress = null)
    {
        var count = 0;
        foreach (var folder in store.Folders())
        {
            foreach (var problem in VerifyFolder(folder, isRunning)) yield return problem;
            progress?.Report(++count);
        }

        foreach (var problem in VerifyRows()) yield return problem;
    }

    /// <summary>What is wrong with one recording.</summary>
    public IReadOnlyList<RecordingProblem> VerifyFolder(string folder, Func<string, bool> isRunning)
    {
        var stored = store.Read(folder);
        if (stored.Document is not { } document) return stored.Problem is { } problem ? [problem] : [];

        if (document.IsRunning)
        {
            if (isRunning(document.Id)) return [];

            return [Of(document, folder, RecordingProblemKind.NotRecovered, $"{document.Id} says that it is being recorded, and nothing records it{Remedy}")];
        }

        return
        [
            .. document.Streams.SelectMany(stream => stream.AllFiles).SelectMany(file => VerifyAudio(document, folder, file)),
            .. new AssuranceCheck(store).Verify(document, folder),
            .. VerifyMetadata(document, folder),
            .. VerifyUnknown(document, folder),
            .. VerifyRow(document, folder),
        ];
    }

    private IEnumerable<RecordingProblem> VerifyAudio(RecordingDocument document, string folder, RecordedFile file)
    {
        RecordingProblem Problem(RecordingProblemKind kind, string text) => Of(document, folder, kind, text);

        if (file.KeepsPackets) return VerifyPackets(file).Select(problem => Problem(problem.Kind, problem.Text));

        if (!TryReadHeader(file.File, out var header, out var present, out var defect, out var missing))
        {
            return [missing
                ? Problem(RecordingProblemKind.FileMissing, $"{file.File} is not there.")
                : Problem(RecordingProblemKind.FileUnreadable, $"{file.File} cannot be read: {defect}.")];
        }

        var problems = new List<RecordingProblem>();
        if (header.DeclaredLength + (header.DeclaredLength & 1) != present)
        {
            problems.Add(Problem(RecordingProblemKind.HeaderDiffers, $"{file.File} states {header.DeclaredLength} bytes of audio and has {present}."));
        }

        if (!string.Equals(header.Format.Codec?.EncodingName, file.Codec, StringComparison.OrdinalIgnoreCase))
        {
            problems.Add(Problem(RecordingProblemKind.HeaderDiffers, $"{file.File} has the format {header.Format.Tag} and should be {file.Codec}."));
        }

        if (!(Math.Abs(header.Seconds - file.DurationSeconds) <= Tolerance))
        {
            problems.Add(Problem(RecordingProblemKind.DurationDiffers, $"{file.File} plays {header.Seconds:F3} s and should play {file.DurationSeconds:F3} s."));
        }

        return problems;
    }

    private IReadOnlyList<(RecordingProblemKind Kind, string Text)> VerifyPackets(RecordedFile file)
    {
        try
        {
            return [.. new PacketFileCheck(store).Verify(file)];
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return [(RecordingProblemKind.FileMissing, $"{file.File} is not there.")];
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArchiveException)
        {
            return [(RecordingProblemKind.FileUnreadable, $"{file.File} cannot be read: {exception.Message.TrimEnd('.')}.")];
        }
    }

    private bool TryReadHeader(string file, out WavHeader header, out long present, out string defect, out bool missing)
    {
        (header, present, defect, missing) = (default, 0, "", false);
        try
        {
            using var handle = WavFile.OpenRead(store.PathOf(file));
            var readable = WavFile.TryRead(handle, out header, out var wavDefect);
            present = RandomAccess.GetLength(handle) - header.DataOffset;
            if (readable) return true;

            defect = wavDefect.Explain();
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            missing = true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArchiveException)
        {
            defect = exception.Message.TrimEnd('.');
        }

        return false;
    }

    private IEnumerable<RecordingProblem> VerifyMetadata(RecordingDocument document, string folder) =>
        from version in document.Metadata ?? []
        where version.File is { } name && !File.Exists(store.PathOf(folder, Path.GetFileName(name)))
        select Of(document, folder, RecordingProblemKind.FileMissing, $"{folder}/{Path.GetFileName(version.File)} is not there.");

    private IEnumerable<RecordingProblem> VerifyUnknown(RecordingDocument document, string folder)
    {
        var known = document.Streams.SelectMany(stream => stream.AllFiles).Select(file => file.File)
            .Concat((document.Metadata ?? []).Select(version => $"{folder}/{version.File}"))
            .Append($"{folder}/{RecordingStore.DocumentName}")
            .ToHashSet(StringComparer.Ordinal);
        return Directory.EnumerateFileSystemEntries(store.PathOf(folder))
            .Select(path => $"{folder}/{Path.GetFileName(path)}")
            .Where(path => !known.Contains(path))
            .Order(StringComparer.Ordinal)
            .Select(path => Of(document, folder, RecordingProblemKind.FileUnknown, $"{path} is not named by the document."));
    }

    private IEnumerable<RecordingProblem> VerifyRow(RecordingDocument document, string folder)
    {
        // A session that ended between the two reads differs once, and not when it is read again.
        if (IsSame(document, folder) || (store.Read(folder).Document is { } again && IsSame(again, folder))) return [];

        return catalogue.Find(document.Id) is null
            ? [Of(document, folder, RecordingProblemKind.NotInCatalogue, $"{document.Id} is not in the catalogue{Remedy}")]
            : [Of(document, folder, RecordingProblemKind.CatalogueDiffers, $"The catalogue's row of {document.Id} differs from its {RecordingStore.DocumentName}{Remedy}")];
    }

    private bool IsSame(RecordingDocument document, string folder) =>
        catalogue.Find(document.Id) is { } entry
        && string.Equals(entry.Folder, folder, StringComparison.Ordinal)
        && string.Equals(entry.Json, Catalogue.SummaryOf(document), StringComparison.Ordinal);

    private IEnumerable<RecordingProblem> VerifyRows()
    {
        for (var page = catalogue.Page("", PageSize); page.Count > 0; page = catalogue.Page(page[^1].Id, PageSize))
        {
            foreach (var entry in page)
            {
                if (store.Exists(entry.Folder)) continue;

                yield return new RecordingProblem(
                    entry.Id, entry.Folder, RecordingProblemKind.FolderMissing, $"The catalogue lists {entry.Id}, and {entry.Folder} is not there{Remedy}");
            }
        }
    }

    private static RecordingProblem Of(RecordingDocument document, string folder, RecordingProblemKind kind, string text) =>
        new(document.Id, folder, kind, text);
}
