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
    private const int BlockLength = 8192;
    private const int MaxChannels = 64;

    /// <param name="output">The file to write; with <see cref="ExportFormat.Streams"/> the pattern of their names.</param>
    /// <exception cref="ArchiveException">There is no such stream or no audio, a file is damaged, or the output cannot be written.</exception>
    public ExportResult Export(RecordingDocument document, string output, ExportOptions options, CancellationToken cancellationToken = default)
    {
        var streams = new List<StreamAudio>();
        try
        {
            foreach (var number in Choose(document, options)) streams.Add(new(store, document.Streams[number - 1], number, options.Codecs));
            var plan = Plan(document, streams, output, options);
            foreach (var (path, _) in plan) CheckOutput(path, options.Force);

            var files = plan.Select(file => Write(file.Path, file.Streams, options.Force, cancellationToken)).ToList();
            return new(files, document.Streams.Count - plan.Sum(file => file.Streams.Count)) { Kept = [.. streams.SelectMany(stream => stream.Kept)] };
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new ArchiveException($"{document.Id} cannot be exported to {output}: {exception.Message}", exception);
        }
        finally
        {
            foreach (var stream in streams) stream.Dispose();
        }
    }

    // The numbers of the streams that an export is made of.
    private static IEnumerable<int> Choose(RecordingDocument document, ExportOptions options)
    {
        if (options.Stream is { } name) return [ChooseByName(document, name)];

        var count = options.Format is ExportFormat.Stereo ? Math.Min(document.Streams.Count, 2) : document.Streams.Count;
        return count <= MaxChannels ? Enumerable.Range(1, count)
            : throw new ArchiveException($"{document.Id} has {count} streams, and {MaxChannels} can be exported.");
    }

    private static List<(string Path, IReadOnlyList<StreamAudio> Streams)> Plan(
        RecordingDocument document, List<StreamAudio> streams, string output, ExportOptions options)
    {
        if (!streams.Any(HasAudio)) throw new ArchiveException(ExplainNoAudio(document, streams));
        if (options is { Stream: not null } or { Format: not ExportFormat.Streams }) return [(output, streams)];

        return [.. streams.Where(HasAudio).Select(stream => (Numbered(output, stream.Number), (IReadOnlyList<StreamAudio>)[stream]))];
    }

    private static bool HasAudio(StreamAudio stream) => stream.Sources.Count > 0;

    private static string ExplainNoAudio(RecordingDocument document, List<StreamAudio> streams)
    {
        var kept = streams.SelectMany(stream => stream.Kept).Select(file => $"stream {file.Stream} is kept as packets of {file.Codec} in {file.File}").ToList();
        return kept.Count == 0
            ? $"{document.Id} has no audio to export."
            : $"{document.Id} has no audio that can be decoded here: {string.Join(", ", kept)}. docs/troubleshooting.md says how to turn them into sound (codec-kept-as-packets).";
    }

    private static int ChooseByName(RecordingDocument document, string name)
    {
        var labelled = document.Streams.Index().Where(item => string.Equals(item.Item.Label, name, StringComparison.Ordinal)).Select(item => item.Index + 1).ToList();
        if (labelled.Count == 1) return labelled[0];

        // Labels come from the network, and nothing keeps two streams from having the same one.
        if (labelled.Count == 0 && int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number >= 1 && number <= document.Streams.Count)
        {
            return number;
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

    private static ExportedFile Write(string path, IReadOnlyList<StreamAudio> streams, bool force, CancellationToken cancellationToken)
    {
        var temporary = $"{path}.{Guid.NewGuid():N}{AtomicFile.TemporarySuffix}";
        try
        {
            // Nothing of the best of them is lost, and telephone legs alone stay as they are.
            var sampleRate = streams.SelectMany(stream => stream.Sources).Max(item => item.Source.SampleRate);
            var tracks = streams.Select(stream => new StreamTrack(stream, sampleRate)).ToList();
            var length = tracks.Max(track => track.Length);
            using (var file = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None))
            {
                WriteInterleaved(file, tracks, sampleRate, length, cancellationToken);
                file.Flush(flushToDisk: true);
            }

            File.Move(temporary, path, overwrite: force);
            return new ExportedFile(path, [.. tracks.Select(track => track.Label)], (double)length / sampleRate);
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    private static void WriteInterleaved(FileStream file, List<StreamTrack> tracks, int sampleRate, long length, CancellationToken cancellationToken)
    {
        var format = WavFormat.Pcm16(tracks.Count, sampleRate);
        Span<byte> header = stackalloc byte[WavHeader.Length];
        WavHeader.Write(header, format, length * format.BlockAlign);
        file.Write(header);

        var channel = new short[BlockLength];
        var mixed = new short[BlockLength * tracks.Count];
        for (var start = 0L; start < length; start += BlockLength)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var count = (int)Math.Min(BlockLength, length - start);
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
