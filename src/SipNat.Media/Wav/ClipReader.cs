using SipNat.Media.Codecs;

namespace SipNat.Media.Wav;

/// <summary>Plays a clip at a sample rate, block by block.</summary>
public sealed class ClipReader
{
    private const int ChunkLength = 256;

    private readonly AudioClip _clip;
    private readonly bool _loops;
    private readonly Resampler? _resampler;
    private readonly short[] _converted;
    private readonly short[] _chunk = new short[ChunkLength];
    private long _left;
    private int _position;
    private int _start;
    private int _end;

    /// <param name="sampleRate">Of the blocks.</param>
    /// <param name="loops">Begins anew at the end, without a gap.</param>
    public ClipReader(AudioClip clip, int sampleRate, bool loops)
    {
        (_clip, _loops) = (clip, loops && !clip.Samples.IsEmpty);
        _resampler = clip.SampleRate == sampleRate ? null : new(clip.SampleRate, sampleRate);
        _converted = new short[_resampler?.MaxOutput(ChunkLength) ?? ChunkLength];
        _left = _loops ? long.MaxValue : (long)clip.Samples.Length * sampleRate / clip.SampleRate;
    }

    /// <summary>All of it was given.</summary>
    public bool IsAtEnd => _left == 0;

    /// <summary>The next samples; silence after the end.</summary>
    public void Fill(Span<short> block)
    {
        while (!block.IsEmpty && _left > 0)
        {
            if (_start == _end) Refill();
            var count = (int)Math.Min(Math.Min(block.Length, _end - _start), _left);
            _converted.AsSpan(_start, count).CopyTo(block);
            _start += count;
            if (!_loops) _left -= count;
            block = block[count..];
        }

        block.Clear();
    }

    // Past the end there is silence, as the last samples of a conversion need what follows them.
    private void Refill()
    {
        _chunk.AsSpan().Clear();
        for (var filled = 0; filled < ChunkLength;)
        {
            if (_loops && _position == _clip.Samples.Length) _position = 0;
            var count = Math.Min(ChunkLength - filled, _clip.Samples.Length - _position);
            if (count == 0) break;

            _clip.Samples.Span.Slice(_position, count).CopyTo(_chunk.AsSpan(filled));
            _position += count;
            filled += count;
        }

        _start = 0;
        if (_resampler is not null)
        {
            _end = _resampler.Process(_chunk, _converted);
            return;
        }

        _chunk.CopyTo(_converted, 0);
        _end = ChunkLength;
    }
}
