using Microsoft.Win32.SafeHandles;
using SipNat.Archive.Audio;
using SipNat.Archive.Documents;
using SipNat.Archive.Storage;
using SipNat.Media.Codecs;

namespace SipNat.Archive.Export;

/// <summary>
/// The audio files of one stream as one channel of linear samples that begins with the session; where packets are kept
/// it is silent. Holds one file open.
/// </summary>
internal sealed class StreamTrack : IDisposable
{
    public const int SampleRate = 8000;

    // A document is only a file: one that states more is damaged, and must not fill a disk with silence.
    private static readonly TimeSpan MaxOffset = TimeSpan.FromDays(31);

    private readonly List<Segment> _segments;
    private byte[] _encoded = [];
    private Segment? _current;
    private SafeFileHandle? _handle;

    public StreamTrack(RecordingStore store, RecordedStream stream)
    {
        Label = stream.Label;
        _segments = [.. stream.Files.Where(file => !file.KeepsPackets).Select(file => Inspect(store, file)).OrderBy(segment => segment.Start)];
        Length = _segments.Count == 0 ? 0 : _segments.Max(segment => segment.End);
    }

    public string? Label { get; }

    /// <summary>Samples from the session's beginning to the end of the last file.</summary>
    public long Length { get; }

    /// <summary>Fills the span with the samples from so many after the beginning on; silence where no file is.</summary>
    public void Read(long start, Span<short> samples)
    {
        samples.Clear();
        foreach (var segment in _segments)
        {
            var from = Math.Max(start, segment.Start);
            var to = Math.Min(start + samples.Length, segment.End);
            if (from < to) Decode(segment, from - segment.Start, samples[(int)(from - start)..(int)(to - start)]);
        }
    }

    public void Dispose() => _handle?.Dispose();

    private static Segment Inspect(RecordingStore store, RecordedFile file)
    {
        if (!(file.StartOffsetSeconds >= 0 && file.StartOffsetSeconds <= MaxOffset.TotalSeconds))
        {
            throw new ArchiveException($"{file.File} begins at {file.StartOffsetSeconds} s of its session, which cannot be: session.json is damaged.");
        }

        var path = store.PathOf(file.File);
        using var handle = Open(path, file.File);
        if (!WavFile.TryRead(handle, out var header, out var defect))
        {
            throw new ArchiveException($"{file.File} cannot be exported: {defect.Explain()}.");
        }

        if (header.Format is not { Codec: { } codec, SampleRate: SampleRate })
        {
            throw new ArchiveException($"{file.File} cannot be exported: it is not G.711 at {SampleRate} Hz.");
        }

        var start = (long)Math.Round(file.StartOffsetSeconds * SampleRate);
        return new Segment(path, file.File, codec, header.DataOffset, start, start + header.DataLength);
    }

    private static SafeFileHandle Open(string path, string name)
    {
        try
        {
            return WavFile.OpenRead(path);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ArchiveException($"{name} is not there: 'recordings verify' shows what is missing.", exception);
        }
    }

    private void Decode(Segment segment, long position, Span<short> samples)
    {
        if (_current != segment)
        {
            _handle?.Dispose();
            _handle = null;
            (_current, _handle) = (segment, Open(segment.Path, segment.Name));
        }

        if (_encoded.Length < samples.Length) _encoded = new byte[samples.Length];

        // A file that was cut short since it was inspected reads as silence.
        var count = WavFile.Fill(_handle!, _encoded.AsSpan(0, samples.Length), segment.DataOffset + position);
        G711.Decode(segment.Codec, _encoded.AsSpan(0, count), samples);
    }

    // Where the samples of one file stand in the session, from Start to before End.
    private sealed record Segment(string Path, string Name, AudioCodec Codec, int DataOffset, long Start, long End);
}
