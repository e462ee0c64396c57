using SipNat.Media.Playout;

namespace SipNat.Media.Tones;

/// <summary>
/// Finds keys in audio (ITU-T Q.24): 40 ms of both tones of a key, of which the higher is at most 8 dB weaker or 4 dB
/// stronger, 1.5 % off at most, and with little else. Nothing is allocated after set-up.
/// </summary>
public sealed class DtmfDetector
{
    // Goertzel's algorithm over 12.75 ms, begun anew twice in that time: tones 1.5 % off still count, those 3.5 % off do not.
    private const double StepSeconds = 0.006375;
    private const int Banks = 2;
    private const int Tones = 8;
    private const int Rows = 4;

    // Of Q.24's limits, with a little room for what codecs and noise do to them.
    private const double MaxColumnOverRow = 3.98; // 6 dB
    private const double MaxRowOverColumn = 10; // 10 dB
    private const double MinOverOthers = 6.3; // 8 dB
    private const double MinShare = 0.75;
    private const double MinLevel = -36; // dBm0 of each tone

    // Four blocks in a row lie wholly in 40 ms, and cannot in 20.
    private const int BlocksToBegin = 4;
    private const int BlocksToEnd = 4;

    private readonly int _step;
    private readonly double _minEnergy;
    private readonly double[] _coefficients = new double[Tones];
    private readonly Bank[] _banks = new Bank[Banks];
    private readonly double[] _energies = new double[Tones];
    private readonly Queue<DtmfHeard> _heard = new();
    private int _count;
    private int _current;
    private char _candidate;
    private int _hits;
    private int _misses;

    /// <param name="sampleRate">Samples per second, at least 8000.</param>
    public DtmfDetector(int sampleRate)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(sampleRate, 8000);
        _step = (int)(StepSeconds * sampleRate);
        for (var i = 0; i < Banks; i++) _banks[i] = new();
        var peak = AudioLevel.PeakOf(MinLevel);
        _minEnergy = peak * peak * Length * Length / 4;
        for (var i = 0; i < Tones; i++)
        {
            var frequency = i < Rows ? DtmfKey.Rows[i] : DtmfKey.Columns[i - Rows];
            _coefficients[i] = 2 * Math.Cos(Math.Tau * frequency / sampleRate);
        }
    }

    private int Length => Banks * _step;

    /// <summary>Takes what is heard next.</summary>
    public void Process(ReadOnlySpan<short> samples)
    {
        while (!samples.IsEmpty)
        {
            var count = Math.Min(samples.Length, _step - _count);
            foreach (var bank in _banks) bank.Add(samples[..count], _coefficients);
            samples = samples[count..];
            _count += count;
            if (_count < _step) continue;

            _count = 0;
            _current = (_current + 1) % Banks;
            Judge(Find(_banks[_current]));
            _banks[_current].Clear();
        }
    }

    /// <summary>Takes the next key that was pressed and released.</summary>
    public bool TryTake(out DtmfHeard heard) => _heard.TryDequeue(out heard);

    // The key of this block; none where there is no key.
    private char Find(Bank bank)
    {
        bank.Measure(_coefficients, _energies);
        var row = Strongest(0);
        var column = Strongest(Rows);
        var (low, high) = (_energies[row], _energies[column]);
        if (low < _minEnergy || high < _minEnergy) return default;
        if (high > MaxColumnOverRow * low || low > MaxRowOverColumn * high) return default;
        if (!IsAlone(0, row) || !IsAlone(Rows, column)) return default;

        // Of a sine the algorithm gives its energy times half the length.
        return low + high < MinShare * bank.Total * Length / 2 ? default : DtmfKey.At(row, column - Rows);
    }

    private int Strongest(int from)
    {
        var best = from;
        for (var i = from + 1; i < from + Rows; i++)
        {
            if (_energies[i] > _energies[best]) best = i;
        }

        return best;
    }

    private bool IsAlone(int from, int strongest)
    {
        for (var i = from; i < from + Rows; i++)
        {
            if (i != strongest && _energies[i] * MinOverOthers > _energies[strongest]) return false;
        }

        return true;
    }

    private void Judge(char key)
    {
        if (key != default && key == _candidate)
        {
            _hits++;
            _misses = 0;
            return;
        }

        // A dropout is no release.
        if (_hits >= BlocksToBegin && key == default && ++_misses < BlocksToEnd) return;

        if (_hits >= BlocksToBegin) _heard.Enqueue(new(_candidate, TimeSpan.FromSeconds((_hits + 1) * StepSeconds)));
        (_candidate, _hits, _misses) = (key, key == default ? 0 : 1, 0);
    }

    // The state of Goertzel's recursion for each tone.
    private sealed class Bank
    {
        private readonly double[] _last = new double[Tones];
        private readonly double[] _beforeLast = new double[Tones];

        /// <summary>The sum of the squares.</summary>
        public double Total { get; private set; }

        public void Add(ReadOnlySpan<short> samples, double[] coefficients)
        {
            for (var i = 0; i < Tones; i++)
            {
                var (coefficient, last, beforeLast) = (coefficients[i], _last[i], _beforeLast[i]);
                foreach (var sample in samples) (beforeLast, last) = (last, sample + (coefficient * last) - beforeLast);
                (_last[i], _beforeLast[i]) = (last, beforeLast);
            }

            foreach (var sample in samples) Total += (double)sample * sample;
        }

        public void Measure(double[] coefficients, double[] energies)
        {
            for (var i = 0; i < Tones; i++)
            {
                energies[i] = (_last[i] * _last[i]) + (_beforeLast[i] * _beforeLast[i]) - (coefficients[i] * _last[i] * _beforeLast[i]);
            }
        }

        public void Clear()
        {
            Array.Clear(_last);
            Array.Clear(_beforeLast);
            Total = 0;
        }
    }
}

/// <summary>A key that was heard.</summary>
/// <param name="Duration">To about 20 ms.</param>
public readonly record struct DtmfHeard(char Key, TimeSpan Duration);
