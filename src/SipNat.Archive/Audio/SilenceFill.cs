using SipNat.Media.Codecs;
using SipNat.Media.Wav;

namespace SipNat.Archive.Audio;

/// <summary>
/// Silence on its way to where a file lacks audio for good: zero is the loudest byte of µ-law, so that a hole has to be
/// filled. It goes a write at a time, so that audio which waits goes between: silence that is written while the disk is
/// behind costs audio. In a file of packets there is nothing to fill.
/// </summary>
/// <param name="finalLength">The length of the file that ends with it; null where the file goes on.</param>
internal sealed class SilenceFill(AudioFile file, IReadOnlyList<AudioSpan> spans, long? finalLength)
{
    private int _next = file.Format is AudioFileFormat.Wave ? 0 : spans.Count;
    private long _done;

    public AudioFile File => file;

    /// <summary>What becomes silence.</summary>
    public IReadOnlyList<AudioSpan> Spans => spans;

    public long? FinalLength => finalLength;

    /// <summary>Where it goes on; 0 once nothing is left.</summary>
    public long From => IsDone ? 0 : Math.Max(spans[_next].From, _done);

    public bool IsDone => _next == spans.Count;

    /// <summary>Writes as much as one write takes.</summary>
    /// <param name="silence">Room for it.</param>
    public void Step(Span<byte> silence)
    {
        if (file.Format is not AudioFileFormat.Wave(var codec)) return;

        var (span, at) = (spans[_next], From);
        var bytes = silence[..(int)Math.Min(silence.Length, span.To - at)];
        bytes.Fill(codec.Silence);
        file.Open!.Write(bytes, WavHeader.Length + at);
        _done = at + bytes.Length;
        file.AudioLength = Math.Max(file.AudioLength, _done);
        if (_done == span.To) _next++;
    }
}
