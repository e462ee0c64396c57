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
            return new ExportResult(files, document.Streams.Count - plan.Sum(file => file.Streams.Count));
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
        if (streams.All(stream => stream.Files.Count == 0)) throw new ArchiveException($"{document.Id} has no audio to export.");
        if (streams.Count > MaxChannels) throw new ArchiveException($"{document.Id} has {streams.Count} streams, and {MaxChannels} can be exported.");

        return options switch
        {
            { Stream: not null } or { Format: ExportFormat.Channels } => [(output, streams)],
            { Format: ExportFormat.Stereo } => [(output, [.. streams.Take(2)])],
            _ => [.. from item in streams.Index()
                     where item.Item.Files.Count > 0
                     select (Numbered(output, item.Index + 1), (IReadOnlyList<RecordedStream>)[item.Item])],
        };
    }

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
