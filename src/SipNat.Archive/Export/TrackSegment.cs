using SipNat.Media.Codecs;

namespace SipNat.Archive.Export;

/// <summary>The audio of one file at its place in the session, at the rate of the export.</summary>
internal sealed class TrackSegment
{
    private const int Block = 1024;

    private readonly IAudioSource _source;
    private readonly Resampler? _resampler;
    private readonly short[] _input = [];
    private readonly short[] _output = [];
    private int _ready;
    private int _taken;

    /// <param name="start">Where its first sample stands, in samples of the export.</param>
    public TrackSegment(IAudioSource source, long start, int sampleRate)
    {
        var length = ((source.Length * sampleRate) + source.SampleRate - 1) / source.SampleRate;
        (_source, Start, End) = (source, start, start + length);
        if (source.SampleRate == sampleRate) return;

        _resampler = new(source.SampleRate, sampleRate);
        _input = new short[Block];
        _output = new short[_resampler.MaxOutput(Block)];
    }

    public long Start { get; }

    /// <summary>Behind its last sample.</summary>
    public long End { get; }

    /// <summary>Fills the span with the next samples of the segment.</summary>
    public void Read(Span<short> samples)
    {
        if (_resampler is null)
        {
            _source.Read(samples);
            return;
        }

        while (!samples.IsEmpty)
        {
            if (_taken == _ready)
            {
                // Past the end the source gives the zeros that the last samples need.
                _source.Read(_input);
                (_ready, _taken) = (_resampler.Process(_input, _output), 0);
            }

            var count = Math.Min(samples.Length, _ready - _taken);
            _output.AsSpan(_taken, count).CopyTo(samples);
            samples = samples[count..];
            _taken += count;
        }
    }
}
