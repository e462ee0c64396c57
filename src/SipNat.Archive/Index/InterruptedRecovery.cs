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

    internal const string UnknownCodec = "unknown";
    private const string VariousCodecs = "various";
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
            var made = Directory.EnumerateFiles(path, "stream-*").Min(File.GetCreationTimeUtc);
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
    private RecordingAssurance? AssuranceOf(RecordingDocument document, IReadOnlyList<RecordedStream> streams)
    {
        if (document.Assurance is not { } assurance) return null;

        var played = streams.SelectMany(stream => stream.Files).Sum(SecondsOf);
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
            if (NameOf(store.PathOf(folder), number, file) is not { } name) break;

            var relative = $"{folder}/{name}";
            if (!files.Exists(known => string.Equals(known.File, relative, StringComparison.Ordinal))) files.Add(Adopt(document, relative));
        }

        return stream with { Files = files, Other = RecoverOther(folder, document, stream, number), RecordedSeconds = files.Sum(file => file.DurationSeconds) };
    }

    private RecordedFile? RecoverOther(string folder, RecordingDocument document, RecordedStream stream, int number)
    {
        if (stream.Other is { } known) return RecoverFile(known);

        var relative = $"{folder}/{RecordingStore.OtherName(number)}";
        return File.Exists(store.PathOf(relative)) ? Adopt(document, relative) with { Codec = VariousCodecs } : null;
    }

    private double SecondsOf(RecordedFile file) =>
        !file.KeepsPackets ? file.DurationSeconds
        : File.Exists(store.PathOf(file.File)) && PacketFile.Measure(store.PathOf(file.File)) is { } content ? content.Packets.Covered.TotalSeconds
        : 0;

    private RecordedFile RecoverFile(RecordedFile file)
    {
        var path = store.PathOf(file.File);
        if (file.KeepsPackets) return File.Exists(path) && PacketFile.Repair(path) is { } content ? Of(file, content) : file;

        return File.Exists(path) && AudioCodecs.TryParse(file.Codec, out var codec)
            ? file with { DurationSeconds = WavFile.Repair(path, codec).Seconds }
            : file;
    }

    // Its place in the session is known to about a second: its last write less its length.
    private RecordedFile Adopt(RecordingDocument document, string relative)
    {
        var path = store.PathOf(relative);
        var lastWrite = new DateTimeOffset(File.GetLastWriteTimeUtc(path));
        var file = AdoptAsItIs(path, relative);
        var offset = (lastWrite - document.StartedAt).TotalSeconds - file.DurationSeconds;
        return file with { StartOffsetSeconds = Math.Round(Math.Max(offset, 0), 3) };
    }

    private static RecordedFile AdoptAsItIs(string path, string relative)
    {
        var file = new RecordedFile { File = relative, Codec = UnknownCodec, StartOffsetSeconds = 0 };
        if (file.KeepsPackets) return PacketFile.Repair(path) is { } content ? Of(file, content) : file with { Packets = 0 };

        var header = WavFile.Repair(path, AudioCodec.Pcmu);
        return file with { Codec = (header.Format.Codec ?? AudioCodec.Pcmu).EncodingName, DurationSeconds = header.Seconds };
    }

    private static RecordedFile Of(RecordedFile file, PacketFileContent content) =>
        file with { DurationSeconds = content.Packets.Duration.TotalSeconds, Packets = content.Packets.Packets };

    // A stream may have begun after the last document was written.
    private static int HighestStream(string path) =>
        Enumerable.Range(1, MaxStreams).LastOrDefault(number => NameOf(path, number, 1) is not null || File.Exists(Path.Combine(path, RecordingStore.OtherName(number))));

    // A file has one name or the other, as its codec is known or not; null where it has none.
    private static string? NameOf(string path, int stream, int file) =>
        File.Exists(Path.Combine(path, RecordingStore.AudioName(stream, file))) ? RecordingStore.AudioName(stream, file)
        : File.Exists(Path.Combine(path, RecordingStore.PacketsName(stream, file))) ? RecordingStore.PacketsName(stream, file)
        : null;

    private static DateTimeOffset LastWrite(string path) =>
        new(Directory.EnumerateFiles(path).Max(File.GetLastWriteTimeUtc));

    private static DateTimeOffset Later(DateTimeOffset left, DateTimeOffset right) => left > right ? left : right;
}
