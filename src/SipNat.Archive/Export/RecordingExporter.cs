using System.Globalization;
using System.Runtime.InteropServices;
using SipNat.Archive.Documents;
using SipNat.Archive.Storage;
using SipNat.Media.Wav;

namespace SipNat.Archive.Export;

/// <summary>
/// Writes the audio of a recording for other programs: each stream's files joined, every stream placed where it began
/// in the session, gaps silent. Memory does not grow with the length, and an output has its name only when it is whole.
/// </summary>
public sealed class RecordingExporter(RecordingStore store)
{
    // One second of samples at a time.
    private const int Block = StreamTrack.SampleRate;
    private const int MaxChannels = 64;

    /// <param name="output">The file to write; with <see cref="ExportFormat.Streams"/> the pattern of their names.</param>
    /// <exception cref="ArchiveException">There is no such stream or no audio, a file is damaged, or the output cannot be written.</exception>
    public ExportResult Export(RecordingDocument document, string output, ExportOptions options, CancellationToken cancellationToken = default)
    {
        var plan = Plan(document, output, options);
        foreach (var (path, _) in plan) CheckOutput(path, options.Force);

        try
        {
            var files = plan.Select(file => Write(file.Path, file.Streams, options.Force, cancellationToken)).ToList();
            var taken = plan.SelectMany(file => file.Streams).ToList();
            return new ExportResult(files, document.Streams.Count - taken.Count) { Kept = [.. KeptIn(document).Where(kept => options is { Stream: null, Format: ExportFormat.Streams } || taken.Contains(document.Streams[kept.Stream - 1]))] };
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new ArchiveException($"{document.Id} cannot be exported to {output}: {exception.Message}", exception);
        }
    }

    private static List<(string Path, IReadOnlyList<RecordedStream> Streams)> Plan(RecordingDocument document, string output, ExportOptions options)
    {
        var streams = document.Streams;
        if (options.Stream is { } name) streams = [Choose(document, name)];
        if (!streams.Any(HasAudio)) throw new ArchiveException(ExplainNoAudio(document, streams));
        if (streams.Count > MaxChannels) throw new ArchiveException($"{document.Id} has {streams.Count} streams, and {MaxChannels} can be exported.");

        return options switch
        {
            { Stream: not null } or { Format: ExportFormat.Channels } => [(output, streams)],
            { Format: ExportFormat.Stereo } => [(output, [.. streams.Take(2)])],
            _ => [.. from item in streams.Index()
                     where HasAudio(item.Item)
                     select (Numbered(output, item.Index + 1), (IReadOnlyList<RecordedStream>)[item.Item])],
        };
    }

    private static bool HasAudio(RecordedStream stream) => stream.Files.Any(file => !file.KeepsPackets);

    private static string ExplainNoAudio(RecordingDocument document, IReadOnlyList<RecordedStream> streams)
    {
        var kept = KeptIn(document).Where(file => streams.Contains(document.Streams[file.Stream - 1])).Select(file => $"stream {file.Stream} is kept as packets of {file.Codec} in {file.File}").ToList();
        return kept.Count == 0
            ? $"{document.Id} has no audio to export."
            : $"{document.Id} has no audio that can be decoded here: {string.Join(", ", kept)}. docs/troubleshooting.md says how to turn them into sound (codec-kept-as-packets).";
    }

    private static IEnumerable<KeptPackets> KeptIn(RecordingDocument document) =>
        from item in document.Streams.Index()
        from file in item.Item.Files
        where file.KeepsPackets
        select new KeptPackets(item.Index + 1, file.Codec, file.File);

    private static RecordedStream Choose(RecordingDocument document, string name)
    {
        var labelled = document.Streams.Where(stream => string.Equals(stream.Label, name, StringComparison.Ordinal)).ToList();
        if (labelled.Count == 1) return labelled[0];

        // Labels come from the network, and nothing keeps two streams from having the same one.
        if (labelled.Count == 0 && int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number >= 1 && number <= document.Streams.Count)
        {
            return document.Streams[number - 1];
        }

        var problem = labelled.Count == 0
            ? $"has no stream '{name}'"
            : $"has {labelled.Count} streams with the label '{name}': export all of them with the format 'streams'";
        var known = document.Streams.Select((stream, index) => stream.Label is { } label ? $"{index + 1} (label '{label}')" : $"{index + 1}");
        throw new ArchiveException($"{document.Id} {problem}. It has: {string.Join(", ", known)}.");
    }

    private static string Numbered(string output, int number)
    {
        var extension = Path.GetExtension(output);
        return $"{output[..^extension.Length]}-{number}{(extension.Length == 0 ? ".wav" : extension)}";
    }

    private static void CheckOutput(string path, bool force)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(path));
        if (folder is null || Directory.Exists(path)) throw new ArchiveException($"{path} is a folder: name a file.");
        if (!Directory.Exists(folder)) throw new ArchiveException($"The folder {folder} does not exist.");
        if (!force && File.Exists(path)) throw new ArchiveException($"{path} exists already: choose another name, or give --force to replace it.");
    }

    private ExportedFile Write(string path, IReadOnlyList<RecordedStream> streams, bool force, CancellationToken cancellationToken)
    {
        var tracks = new List<StreamTrack>(streams.Count);
        var temporary = $"{path}.{Guid.NewGuid():N}{AtomicFile.TemporarySuffix}";
        try
        {
            foreach (var stream in streams) tracks.Add(new StreamTrack(store, stream));
            var length = tracks.Max(track => track.Length);
            using (var file = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None))
            {
                WriteInterleaved(file, tracks, length, cancellationToken);
                file.Flush(flushToDisk: true);
            }

            File.Move(temporary, path, overwrite: force);
            return new ExportedFile(path, [.. tracks.Select(track => track.Label)], (double)length / StreamTrack.SampleRate);
        }
        finally
        {
            foreach (var track in tracks) track.Dispose();
            File.Delete(temporary);
        }
    }

    private static void WriteInterleaved(FileStream file, List<StreamTrack> tracks, long length, CancellationToken cancellationToken)
    {
        var format = WavFormat.Pcm16(tracks.Count, StreamTrack.SampleRate);
        Span<byte> header = stackalloc byte[WavHeader.Length];
        WavHeader.Write(header, format, length * format.BlockAlign);
        file.Write(header);

        var channel = new short[Block];
        var mixed = new short[Block * tracks.Count];
        for (var start = 0L; start < length; start += Block)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var count = (int)Math.Min(Block, length - start);
            for (var c = 0; c < tracks.Count; c++)
            {
                tracks[c].Read(start, channel.AsSpan(0, count));
                for (var i = 0; i < count; i++) mixed[(i * tracks.Count) + c] = channel[i];
            }

            WriteSamples(file, mixed.AsSpan(0, count * tracks.Count));
        }
    }

    private static void WriteSamples(FileStream file, Span<short> samples)
    {
        if (!BitConverter.IsLittleEndian)
        {
            System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(samples, samples);
        }

        file.Write(MemoryMarshal.AsBytes(samples));
    }
}
