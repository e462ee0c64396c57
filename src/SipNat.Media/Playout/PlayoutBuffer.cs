using SipNat.Media.Codecs;
using SipNat.Media.Quality;
using SipNat.Media.Streams;
using SipNat.Wire;

namespace SipNat.Media.Playout;

/// <summary>
/// The jitter buffer of one stream. Packets go in as they come; whoever plays takes one block after the other, each as long
/// as the time since the last one, and always gets a whole block.
/// </summary>
/// <remarks>
/// Every packet has a position on one line of samples, whatever its SSRC, clock or codec. The delay is the time between
/// the arrival of the fastest packets and their play. It grows at once where a packet came too late, by holding the line
/// while something is made up; it shrinks, and follows a sender's clock, by leaving silence out or putting it in.
/// </remarks>
public sealed class PlayoutBuffer : IDisposable
{
    // Timestamps that leave the time of arrival so far behind, or ahead, have jumped.
    private static readonly TimeSpan Jump = TimeSpan.FromSeconds(1);

    // A delay that is longer than it need be by less than this is left alone.
    private static readonly TimeSpan Slack = TimeSpan.FromMilliseconds(30);

    // What is made up is silent by then, and counts no longer as concealed.
    private static readonly TimeSpan Faded = TimeSpan.FromMilliseconds(60);

    private const int MaxLossesInRow = 3000;

    // Sequence numbers of another SSRC are put above those of the one before.
    private const int RestartShift = 40;

    private readonly int _rate;
    private readonly PlayoutOptions _options;
    private readonly PlayoutQueue _queue = new();
    private readonly PlayoutLine _line;
    private readonly PlayoutDecoders _decoders;
    private readonly DelayTracker _tracker = new();
    private readonly PacketConcealer _concealer;
    private readonly ComfortNoise _noise = new();
    private short[] _ready;
    private int _readyStart;
    private int _readyEnd;
    private bool _isStarted;
    private bool _mustGrow = true;
    private bool _isPausing;
    private long _rendered;
    private long _held;
    private long _sequence = long.MinValue;
    private PayloadFormat _format;
    private long _played;
    private long _late;
    private long _undecoded;
    private long _skipped;
    private long _concealed;
    private long _inserted;
    private long _comfortNoise;

    /// <param name="sampleRate">Of the blocks; what has another rate is converted.</param>
    public PlayoutBuffer(CodecRegistry codecs, int sampleRate, PlayoutOptions options)
    {
        (_rate, _options) = (sampleRate, options);
        _line = new(sampleRate);
        _decoders = new(codecs, sampleRate);
        _concealer = new(sampleRate);
        _ready = new short[sampleRate / 10];
    }

    /// <summary>Samples per second of the blocks.</summary>
    public int SampleRate => _rate;

    /// <summary>The delay of what is played, over that of the fastest packets.</summary>
    public TimeSpan Delay { get; private set; }

    /// <summary>The longest that the delay grows.</summary>
    public TimeSpan MaxDelay => _options.MaxDelay;

    /// <summary>Packets that were missing when their turn came, and those that were not.</summary>
    public BurstCounter Losses { get; } = new();

    /// <summary>When the last packet of an event came (RFC 4733).</summary>
    public Instant? LastEventAt { get; private set; }

    /// <summary>Of the last packet that was played; null before any.</summary>
    public PayloadFormat? LastFormat => _played == 0 ? null : _format;

    public PlayoutCounts Counts => new()
    {
        Played = _played,
        Late = _late,
        Undecoded = _undecoded,
        Skipped = _skipped,
        ConcealedSamples = _concealed,
        InsertedSamples = _inserted,
        ComfortNoise = _comfortNoise,
        Restarts = _line.Restarts,
    };

    // What the slowest packets need, within the bounds.
    private TimeSpan Target
    {
        get
        {
            var needed = _tracker.Spread + (Slack / 3);
            return needed < _options.RestingDelay ? _options.RestingDelay : needed > _options.MaxDelay ? _options.MaxDelay : needed;
        }
    }

    /// <summary>Takes a packet, in the order of arrival.</summary>
    public void Put(in ReceivedFrame frame)
    {
        var isAudio = frame.Format.Kind is PayloadKind.Audio or PayloadKind.Packets;
        if (!isAudio && frame.Format.Kind is not (PayloadKind.ComfortNoise or PayloadKind.TelephoneEvent)) return;

        if (frame.Format.Kind is PayloadKind.TelephoneEvent) LastEventAt = frame.Arrival;
        var samples = isAudio ? _decoders.SamplesOf(frame.Format, frame.Payload) : 0;
        if (isAudio && samples == 0)
        {
            _undecoded++;
            return;
        }

        var position = Place(frame, isAudio);
        var sequence = frame.Sequence + (_line.Restarts << RestartShift);
        if (isAudio && _isStarted && position + samples <= _rendered)
        {
            _late++;
            _mustGrow = true;
        }
        else if (!_queue.TryAdd(sequence, position, samples, frame))
        {
            _late++;
        }
    }

    /// <summary>Gives the next block.</summary>
    /// <param name="at">When its first sample is to be played.</param>
    public void Take(Instant at, Span<short> block)
    {
        while (!block.IsEmpty)
        {
            if (_readyStart == _readyEnd)
            {
                (_readyStart, _readyEnd) = (0, 0);
                MakeReady(at, block.Length);
                continue;
            }

            var count = Math.Min(block.Length, _readyEnd - _readyStart);
            _ready.AsSpan(_readyStart, count).CopyTo(block);
            _readyStart += count;
            block = block[count..];
            at += ToTime(count);
        }
    }

    /// <summary>Lets time pass in which nothing could be played, as in a suspend.</summary>
    public void Skip(TimeSpan span)
    {
        var samples = ToSamples(span);
        var buffered = _queue.Count == 0 ? 0 : Math.Clamp(_queue.End - _rendered, 0, samples);
        _rendered += buffered;
        _held += samples - buffered;
        (_readyStart, _readyEnd) = (0, 0);
    }

    public void Dispose() => _decoders.Dispose();

    private long Place(in ReceivedFrame frame, bool isAudio)
    {
        var clockRate = isAudio ? _decoders.ClockRateOf(frame.Format) : frame.Format.ClockRate;
        // Events of another clock than the audio's (RFC 4733 §2.1 forbids them) take their place from their arrival.
        if (!isAudio && _line.HasAnchor && clockRate != _line.ClockRate) return _queue.Count > 0 ? _queue.End : _rendered;
        if (!_line.Follows(frame, clockRate)) Anchor(frame, clockRate);

        var position = _line.PositionOf(frame.Timestamp);
        if (!_tracker.IsEmpty && Math.Abs(TransitOf(frame, position) - _tracker.Least) > Jump.Ticks)
        {
            Anchor(frame, clockRate);
            position = _line.PositionOf(frame.Timestamp);
        }

        // Events bear the time of their beginning.
        if (isAudio) _tracker.Add(frame.Arrival, TransitOf(frame, position));
        return position;
    }

    private long TransitOf(in ReceivedFrame frame, long position) => frame.Arrival.Ticks - ToTime(position).Ticks;

    // Goes on where a packet that the network did not hold up would be, and never before what waits already.
    private void Anchor(in ReceivedFrame frame, int clockRate)
    {
        var here = _tracker.IsEmpty ? _rendered : ToSamples(new(frame.Arrival.Ticks - _tracker.Least));
        var position = _line.HasAnchor ? Math.Max(here, Math.Max(_rendered, _queue.Count == 0 ? 0 : _queue.End)) : 0;
        _line.Anchor(frame, clockRate, position);
        _tracker.Calm();
    }

    // Brings at least one sample, or moves the line.
    private void MakeReady(Instant at, int wanted)
    {
        DropWhatHasPassed();
        if (_queue.Count == 0)
        {
            Hold(wanted, isSilent: !_isStarted);
            if (_isStarted) _mustGrow = true;
            return;
        }

        var first = _queue.First;
        if (!_isStarted)
        {
            // What has no sound is noticed first.
            (_isStarted, _rendered, _held) = (true, first.Position, 0);
            return;
        }

        CatchUp(first.Position);
        Delay = _tracker.IsEmpty ? Target : new(at.Ticks - _tracker.Least - ToTime(_rendered).Ticks);
        if (_mustGrow && Target - Delay is var missing && missing > TimeSpan.Zero)
        {
            var whole = ((missing.Ticks * _rate) + TimeSpan.TicksPerSecond - 1) / TimeSpan.TicksPerSecond;
            Hold((int)Math.Min(wanted, whole), isSilent: _sequence == long.MinValue);
            return;
        }

        (_mustGrow, _held) = (false, 0);
        if (first.Position <= _rendered) Play(first);
        else if (first.Sequence != _sequence + 1 && _sequence != long.MinValue) Conceal(wanted, first);
        else Pause((int)Math.Min(wanted, first.Position - _rendered));
    }

    // While the line was held, time that the sender has left out as well has passed.
    private void CatchUp(long position)
    {
        var caughtUp = Math.Clamp(position - _rendered, 0, _held);
        _rendered += caughtUp;
        _held -= caughtUp;
    }

    private void DropWhatHasPassed()
    {
        while (_queue.Count > 0)
        {
            var first = _queue.First;
            var isTooMuch = first.Samples > 0 && _isStarted && _queue.Samples > ToSamples(_options.MaxDelay + Slack + Slack);
            if (isTooMuch)
            {
                _late++;
                _rendered = Math.Max(_rendered, first.End);
            }
            else if (first.Samples > 0)
            {
                if (!_isStarted || first.End > _rendered) return;

                _late++;
            }
            else
            {
                if (!_isStarted || first.Position > _rendered) return;

                Notice(first);
            }

            _sequence = Math.Max(_sequence, first.Sequence);
            _queue.RemoveFirst();
        }
    }

    private void Notice(PlayoutQueue.Slot slot)
    {
        _isPausing = true;
        if (slot.Format.Kind is not PayloadKind.ComfortNoise) return;

        _comfortNoise++;
        _noise.Describe(slot.Payload);
    }

    private void Play(PlayoutQueue.Slot slot)
    {
        CountLosses(slot.Sequence);
        var samples = _decoders.Decode(slot.Format, slot.Payload);
        if (slot.Position < _rendered) samples = samples[(int)Math.Min(samples.Length, _rendered - slot.Position)..];
        (_sequence, _format) = (slot.Sequence, slot.Format);
        _rendered = slot.End;
        _queue.RemoveFirst();
        _noise.Stop();
        _isPausing = false;

        var isSilent = AudioLevel.Of(samples) < AudioLevel.SilentBelow;
        if (isSilent && Delay > Target + Slack && _queue.Samples + samples.Length > ToSamples(Target + Slack) && !_concealer.IsActive)
        {
            _skipped++;
            return;
        }

        _played++;
        _concealer.Remember(samples);
        samples.CopyTo(Reserve(samples.Length));
        if (isSilent && Delay < _options.RestingDelay / 2) Insert(ToSamples(Target - Delay));
    }

    // Of a sender that began anew it is not known what is missing.
    private void CountLosses(long sequence)
    {
        var missing = _sequence == long.MinValue ? 0 : sequence - _sequence - 1;
        for (var i = 0; i < missing && missing < MaxLossesInRow; i++) Losses.Add(isLost: true);
        Losses.Add(isLost: false);
    }

    private void Conceal(int wanted, PlayoutQueue.Slot next)
    {
        // A codec that has kept the lost packet in the next one gives it back as a whole.
        var gap = next.Position - _rendered;
        var isSingle = next.Sequence == _sequence + 2 && gap <= ToSamples(Faded);
        var samples = (int)(isSingle ? gap : Math.Min(wanted, gap));
        var made = Reserve(samples);
        if (_decoders.Conceal(_format, isSingle ? next.Payload : [], made) is var own && own > 0)
        {
            _concealer.Remember(made[..own]);
            _readyEnd -= samples - own;
            samples = own;
        }
        else
        {
            _concealer.Conceal(made);
        }

        _concealed += samples;
        _rendered += samples;
    }

    // The sender says nothing: what it leaves out is the place to make the delay what it should be.
    private void Pause(int samples)
    {
        if (Delay > Target + Slack)
        {
            _rendered += Math.Min(samples, ToSamples(Delay - Target));
            return;
        }

        if (Delay < _options.RestingDelay / 2) Insert(ToSamples(Target - Delay));
        Quiet(Reserve(samples));
        _rendered += samples;
    }

    private void Insert(long samples)
    {
        var count = (int)Math.Min(samples, _rate / 50);
        Quiet(Reserve(count));
        _inserted += count;
        Delay += ToTime(count);
    }

    // The line stands still.
    private void Hold(int samples, bool isSilent)
    {
        var made = Reserve(samples);
        if (isSilent || _isPausing || _decoders.FillsPauses(_format))
        {
            Quiet(made);
        }
        else
        {
            if (_held < ToSamples(Faded)) _concealed += samples;
            _concealer.Conceal(made);
        }

        if (_isStarted) _held += samples;
    }

    private void Quiet(Span<short> samples)
    {
        if (_noise.IsOn) _noise.Fill(samples);
        else samples[_decoders.FillPause(_format, samples)..].Clear();
        _concealer.Remember(samples);
    }

    private Span<short> Reserve(int samples)
    {
        if (_readyEnd + samples > _ready.Length) Array.Resize(ref _ready, 2 * (_readyEnd + samples));
        _readyEnd += samples;
        return _ready.AsSpan(_readyEnd - samples, samples);
    }

    private long ToSamples(TimeSpan span) => span.Ticks * _rate / TimeSpan.TicksPerSecond;

    private TimeSpan ToTime(long samples) => new(samples * TimeSpan.TicksPerSecond / _rate);
}
