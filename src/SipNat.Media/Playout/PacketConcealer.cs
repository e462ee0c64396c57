namespace SipNat.Media.Playout;

/// <summary>
/// Makes up audio for packets that are missing: the last pitch periods of what was played are repeated, after 10 ms more of
/// them, and faded out by 60 ms, as G.711 Appendix I proposes. What follows is faded in.
/// </summary>
internal sealed class PacketConcealer
{
    // Pitch between 66 and 200 Hz.
    private const double ShortestPeriod = 0.005;
    private const double LongestPeriod = 0.015;
    private const double CompareLength = 0.020;
    private const int MaxPeriods = 3;
    private const int CoarseRate = 8000;

    private readonly int _rate;
    private readonly int _shortest;
    private readonly int _longest;
    private readonly int _compare;
    private readonly short[] _history;
    private readonly short[] _before;
    private readonly short[] _period;
    private int _periodLength;
    private int _periods;
    private int _place;
    private int _made;

    /// <param name="sampleRate">Samples per second.</param>
    public PacketConcealer(int sampleRate)
    {
        _rate = sampleRate;
        (_shortest, _longest) = ((int)(sampleRate * ShortestPeriod), (int)(sampleRate * LongestPeriod));
        _compare = (int)(sampleRate * CompareLength);
        _history = new short[(MaxPeriods + 1) * _longest];
        _before = new short[_history.Length];
        _period = new short[MaxPeriods * _longest];
    }

    /// <summary>Something is being made up.</summary>
    public bool IsActive => _made > 0;

    /// <summary>What is made up is silent: it lasts for longer than 60 ms.</summary>
    public bool IsFaded => _made >= FadeEnd;

    private int FadeStart => _rate / 100;

    private int FadeEnd => _rate * 6 / 100;

    // 4 ms in which what was made up and what has come are mixed.
    private int BlendLength => _rate / 250;

    /// <summary>Takes what is played, so that it can be repeated. What follows something made up is faded in, in place.</summary>
    public void Remember(Span<short> played)
    {
        if (IsActive) Blend(played);
        Keep(played);
    }

    /// <summary>Makes up what comes next.</summary>
    public void Conceal(Span<short> samples)
    {
        if (!IsActive) Begin();

        for (var i = 0; i < samples.Length; i++, _made++)
        {
            if (_made == FadeStart && _periods == 1) Lengthen(2);
            if (_made == 2 * FadeStart && _periods == 2) Lengthen(3);
            samples[i] = (short)(Next() * Gain(_made));
        }

        Keep(samples);
    }

    private float Gain(int made) => made <= FadeStart ? 1 : made >= FadeEnd ? 0 : (float)(FadeEnd - made) / (FadeEnd - FadeStart);

    private short Next()
    {
        var sample = _period[_place];
        if (++_place == _periodLength) _place = 0;
        return sample;
    }

    private void Blend(Span<short> played)
    {
        var length = Math.Min(BlendLength, played.Length);
        for (var i = 0; i < length; i++)
        {
            var share = (float)(i + 1) / (length + 1);
            played[i] = (short)((played[i] * share) + (Next() * Gain(_made + i) * (1 - share)));
        }

        _made = 0;
    }

    private void Begin()
    {
        _history.CopyTo(_before, 0);
        (_periods, _place) = (1, 0);
        _periodLength = FindPeriod();
        CopyPeriods();
    }

    // The longer piece ends as the shorter one does, so that the sound goes on where it is.
    private void Lengthen(int periods)
    {
        var single = _periodLength / _periods;
        var place = _place % single;
        (_periods, _periodLength) = (periods, single * periods);
        CopyPeriods();
        _place = place;
    }

    private void CopyPeriods()
    {
        var start = _before.Length - _periodLength;
        _before.AsSpan(start).CopyTo(_period);

        // The last quarter of a period goes over into what precedes the piece, as its first sample follows that.
        var quarter = _periodLength / _periods / 4;
        for (var i = 0; i < quarter; i++)
        {
            var share = (float)(i + 1) / (quarter + 1);
            ref var sample = ref _period[_periodLength - quarter + i];
            sample = (short)((sample * (1 - share)) + (_before[start - quarter + i] * share));
        }
    }

    // The lag at which the last 20 ms are most like what precedes them; coarsely first, so that high rates cost no more.
    private int FindPeriod()
    {
        var step = Math.Max(1, _rate / CoarseRate);
        var best = Best(_shortest, _longest, step, step);
        return step == 1 ? best : Best(Math.Max(_shortest, best - step), Math.Min(_longest, best + step), 1, 2);
    }

    private int Best(int from, int to, int lagStep, int sampleStep)
    {
        var (best, bestMeasure) = (0, 0.0);
        var end = _before.Length;
        for (var lag = from; lag <= to; lag += lagStep)
        {
            var (product, energy) = (0.0, 1.0);
            for (var i = end - _compare; i < end; i += sampleStep)
            {
                double earlier = _before[i - lag];
                product += _before[i] * earlier;
                energy += earlier * earlier;
            }

            var measure = product <= 0 ? 0 : product / Math.Sqrt(energy);
            if (measure > bestMeasure) (best, bestMeasure) = (lag, measure);
        }

        // Nothing periodic, as noise is: the longest piece repeats least.
        return best == 0 ? to : best;
    }

    private void Keep(ReadOnlySpan<short> samples)
    {
        if (samples.Length >= _history.Length)
        {
            samples[^_history.Length..].CopyTo(_history);
            return;
        }

        _history.AsSpan(samples.Length).CopyTo(_history);
        samples.CopyTo(_history.AsSpan(_history.Length - samples.Length));
    }
}
