using SipNat.Archive.Audio;
using SipNat.Archive.Documents;
using SipNat.Archive.Storage;
using SipNat.Media.Codecs;

namespace SipNat.Archive.Index;

/// <summary>
/// Brings a recording whose program was killed to a true document: every byte that reached the disk is playable and
/// listed, and the state is <see cref="RecordingState.Interrupted"/>.
/// </summary>
internal sealed class InterruptedRecovery(RecordingStore store)
{
    /// <summary>How many streams are looked for where the document does not list them.</summary>
    private const int MaxStreams = 64;

    private const string TimelineKind = "interrupted";

    /// <summary>Mends headers, lists what is there and writes the document. What cannot be mended is a problem.</summary>
    public StoredRecording Recover(string folder, RecordingDocument document)
    {
        try
        {
            var path = store.PathOf(folder);
            DeleteTemporaries(path);
            var endedAt = Later(document.StartedAt, LastWrite(path));
            var count = Math.Max(document.Streams.Count, HighestStream(path));
            var streams = Enumerable.Range(1, count)
                .Select(number => RecoverStream(folder, document, document.Streams.ElementAtOrDefault(number - 1) ?? new RecordedStream(), number))
                .ToList();
            return store.Write(document with
            {
                State = RecordingState.Interrupted,
                EndedAt = endedAt,
                Streams = streams,
                Assurance = AssuranceOf(document, streams),
                Timeline = [.. document.Timeline ?? [], new TimelineEntry(endedAt, TimelineKind, "The program ended before the session did.")],
            });
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArchiveException)
        {
            return new StoredRecording(folder, document, new RecordingProblem(
                document.Id, folder, RecordingProblemKind.FileUnreadable, $"{folder} cannot be recovered: {exception.Message}"));
        }
    }

    /// <summary>
    /// The same for a folder whose document was never written, which a disk that was full may leave: all that is known is
    /// its audio. Null where it has none.
    /// </summary>
    public StoredRecording? RecoverWithoutDocument(string folder)
    {
        try
        {
            var path = store.PathOf(folder);
            if (HighestStream(path) == 0) return null;

            // The day is part of the path: a file that was copied there later says nothing of the beginning.
            var day = RecordingStore.DayOf(folder);
            var made = Directory.EnumerateFiles(path, "*.wav").Min(File.GetCreationTimeUtc);
            var startedAt = DateOnly.FromDateTime(made) == day ? made : day.ToDateTime(TimeOnly.MinValue, DateTimeKind.Utc);
            return Recover(folder, new RecordingDocument
            {
                Id = RecordingStore.NameOf(folder),
                State = RecordingState.Recording,
                StartedAt = new DateTimeOffset(startedAt, TimeSpan.Zero),
            });
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    // Half a document, or half a metadata file, of the moment at which the program ended.
    private static void DeleteTemporaries(string path)
    {
        foreach (var file in Directory.EnumerateFiles(path, "*" + AtomicFile.TemporarySuffix)) File.Delete(file);
    }

    // What came after the last document was expected as much as it was recorded; its reasons stand as they were told.
    private static RecordingAssurance? AssuranceOf(RecordingDocument document, IReadOnlyList<RecordedStream> streams)
    {
        if (document.Assurance is not { } assurance) return null;

        var played = streams.Sum(stream => stream.RecordedSeconds);
        var silence = Math.Min(assurance.SilenceSeconds, played);
        var since = played - silence - assurance.RecordedSeconds;
        return assurance with
        {
            ExpectedSeconds = Math.Round(assurance.ExpectedSeconds + since, 6),
            RecordedSeconds = Math.Round(played - silence, 6),
            SilenceSeconds = silence,
        };
    }

    private RecordedStream RecoverStream(string folder, RecordingDocument document, RecordedStream stream, int number)
    {
        var files = stream.Files.Select(RecoverFile).ToList();

        // A file may be younger than the last document that was written.
        for (var file = 1; ; file++)
        {
            var relative = $"{folder}/{RecordingStore.AudioName(number, file)}";
            if (!File.Exists(store.PathOf(relative))) break;
            if (!files.Exists(known => string.Equals(known.File, relative, StringComparison.Ordinal))) files.Add(Adopt(document, relative));
        }

        return stream with { Files = files, RecordedSeconds = files.Sum(file => file.DurationSeconds) };
    }

    private RecordedFile RecoverFile(RecordedFile file)
    {
        var path = store.PathOf(file.File);
        return File.Exists(path) && AudioCodecs.TryParse(file.Codec, out var codec)
            ? file with { DurationSeconds = WavFile.Repair(path, codec).Seconds }
            : file;
    }

    // Its place in the session is known to about a second: its last write less its length.
    private RecordedFile Adopt(RecordingDocument document, string relative)
    {
        var path = store.PathOf(relative);
        var lastWrite = new DateTimeOffset(File.GetLastWriteTimeUtc(path));
        var header = WavFile.Repair(path, AudioCodec.Pcmu);
        var offset = (lastWrite - document.StartedAt).TotalSeconds - header.Seconds;
        return new RecordedFile
        {
            File = relative,
            Codec = (header.Format.Codec ?? AudioCodec.Pcmu).EncodingName,
            StartOffsetSeconds = Math.Round(Math.Max(offset, 0), 3),
            DurationSeconds = header.Seconds,
        };
    }

    // A stream may have begun after the last document was written.
    private static int HighestStream(string path) =>
        Enumerable.Range(1, MaxStreams).LastOrDefault(number => File.Exists(Path.Combine(path, RecordingStore.AudioName(number, 1))));

    private static DateTimeOffset LastWrite(string path) =>
        new(Directory.EnumerateFiles(path).Max(File.GetLastWriteTimeUtc));

    private static DateTimeOffset Later(DateTimeOffset left, DateTimeOffset right) => left > right ? left : right;
}
