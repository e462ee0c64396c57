using SipNat.Media.Codecs;

namespace SipNat.Endpoint.Media;

/// <summary>Hands out both directions of a call in blocks of 20 ms of one rate, whatever rates the codecs have.</summary>
internal sealed class AudioCapture(SessionId session, int port, int sampleRate, CaptureQueue queue)
{
    private const int BlocksPerSecond = 50;

    private readonly Lane _ours = new(sampleRate);
    private readonly Lane _theirs = new(sampleRate);
    private readonly int _length = sampleRate / BlocksPerSecond;
    private long _number;

    /// <summary>Blocks that found no room.</summary>
    public long Refused { get; private set; }

    /// <summary>Takes a tick of both directions, which last equally long.</summary>
    /// <param name="rate">Samples per second of both.</param>
    public void Add(int rate, ReadOnlySpan<short> ours, ReadOnlySpan<short> theirs)
    {
        _ours.Add(rate, ours);
        _theirs.Add(rate, theirs);
        while (_ours.Count >= _length && _theirs.Count >= _length) Emit();
    }

    private void Emit()
    {
        var number = _number++;
        if (queue.IsFull)
        {
            Refused++;
            _ours.Take(_length);
            _theirs.Take(_length);
            return;
        }

        var block = new CapturedAudio(session, port, sampleRate, number, _length);
        _ours.Take(_length).CopyTo(block.Ours);
        _theirs.Take(_length).CopyTo(block.Theirs);
        queue.Add(block);
    }

    // One direction: converted, and kept until a block is full.
    private sealed class Lane(int sampleRate)
    {
        private Resampler? _resampler;
        private int _rate;
        private short[] _samples = [];
        private int _start;

        public int Count { get; private set; }

        public void Add(int rate, ReadOnlySpan<short> samples)
        {
            if (rate != (_rate == 0 ? sampleRate : _rate))
            {
                (_rate, _resampler) = (rate, rate == sampleRate ? null : new(rate, sampleRate));

                // What the conversion holds back until it has seen what follows is put in front of it.
                Reserve(_resampler is null ? 0 : (int)((long)_resampler.Lookahead * sampleRate / rate)).Clear();
            }

            if (_resampler is null)
            {
                samples.CopyTo(Reserve(samples.Length));
                return;
            }

            var room = Reserve(_resampler.MaxOutput(samples.Length));
            Count -= room.Length - _resampler.Process(samples, room);
        }

        public ReadOnlySpan<short> Take(int count)
        {
            var taken = _samples.AsSpan(_start, count);
            _start += count;
            Count -= count;
            return taken;
        }

        private Span<short> Reserve(int length)
        {
            if (_start + Count + length > _samples.Length)
            {
                _samples.AsSpan(_start, Count).CopyTo(_samples);
                _start = 0;
                if (Count + length > _samples.Length) Array.Resize(ref _samples, 2 * (Count + length));
            }

            Count += length;
            return _samples.AsSpan(_start + Count - length, length);
        }
    }
}
