namespace SipNat.Archive.Export;

/// <summary>
/// The audio of one stream as one channel of linear samples that begins with the session, read from its beginning to its
/// end; where nothing was decoded it is silent.
/// </summary>
internal sealed class StreamTrack
{
    /// <summary>A document is only a file: one that states more is damaged, and must not fill a disk with silence.</summary>
    public static readonly TimeSpan MaxOffset = TimeSpan.FromDays(31);

    private readonly List<TrackSegment> _segments;
    private short[] _samples = [];

    public StreamTrack(StreamAudio audio, int sampleRate)
    {
        Label = audio.Label;
        _segments = [.. audio.Sources.Select(item => new TrackSegment(item.Source, (long)Math.Round(item.StartSeconds * sampleRate), sampleRate))];
        Length = _segments.Count == 0 ? 0 : _segments.Max(segment => segment.End);
    }

    public string? Label { get; }

    /// <summary>Samples from the session's beginning to the end of the last file.</summary>
    public long Length { get; }

    /// <summary>Fills the span with the samples from so many after the beginning on, where the last call ended.</summary>
    public void Read(long start, Span<short> samples)
    {
        samples.Clear();
        if (_samples.Length < samples.Length) _samples = new short[samples.Length];
        foreach (var segment in _segments)
        {
            var from = Math.Max(start, segment.Start);
            var to = Math.Min(start + samples.Length, segment.End);
            if (from >= to) continue;

            var part = _samples.AsSpan(0, (int)(to - from));
            segment.Read(part);
            Add(part, samples[(int)(from - start)..]);
        }
    }

    // Files of a stream follow each other, but for the rates of one file and for places that are known to a second only.
    private static void Add(ReadOnlySpan<short> part, Span<short> samples)
    {
        for (var i = 0; i < part.Length; i++) samples[i] = (short)Math.Clamp(samples[i] + part[i], short.MinValue, short.MaxValue);
    }
}
