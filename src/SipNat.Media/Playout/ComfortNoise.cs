namespace SipNat.Media.Playout;

/// <summary>
/// The background noise that a sender describes instead of sending it (RFC 3389): a level in −dBov, and reflection
/// coefficients of its spectrum, which may be left out.
/// </summary>
internal sealed class ComfortNoise
{
    /// <summary>Coefficients that are used; those of finer detail are left out.</summary>
    public const int MaxOrder = 12;

    private const int LevelMask = 0x7F;
    private const int SilentLevel = 0x7F;
    private const double Scale = 32768;

    private readonly double[] _reflection = new double[MaxOrder];
    private readonly double[] _state = new double[MaxOrder + 1];
    private int _order;
    private double _amplitude;
    private uint _noise = 0x9E3779B9;

    /// <summary>There is a noise to be heard.</summary>
    public bool IsOn { get; private set; }

    public void Stop() => IsOn = false;

    /// <summary>Takes a description (RFC 3389 §3). One without a byte says silence.</summary>
    public void Describe(ReadOnlySpan<byte> payload)
    {
        IsOn = true;
        var level = payload.IsEmpty ? SilentLevel : payload[0] & LevelMask;
        _order = Math.Min(Math.Max(payload.Length - 1, 0), MaxOrder);
        var gain = 1.0;
        for (var i = 0; i < _order; i++)
        {
            // RFC 3389 §3: 127 stands for zero, and the ends for nearly one.
            _reflection[i] = Math.Clamp((payload[i + 1] - 127) / 128.0, -0.98, 0.98);
            gain *= 1 - (_reflection[i] * _reflection[i]);
        }

        // Uniform noise has a third of its peak's power, and the filter adds what its coefficients say.
        _amplitude = level == SilentLevel ? 0 : Scale * Math.Pow(10, -level / 20.0) * Math.Sqrt(3 * gain);
    }

    /// <summary>The next samples of the noise.</summary>
    public void Fill(Span<short> samples)
    {
        for (var i = 0; i < samples.Length; i++) samples[i] = (short)Math.Clamp(Filter(_amplitude * NextNoise()), short.MinValue, short.MaxValue);
    }

    // An all-pole lattice: stable while every coefficient is below one.
    private double Filter(double input)
    {
        for (var i = _order - 1; i >= 0; i--)
        {
            input -= _reflection[i] * _state[i];
            _state[i + 1] = _state[i] + (_reflection[i] * input);
        }

        _state[0] = input;
        return input;
    }

    // Marsaglia's xorshift: noise that is the same in every run.
    private double NextNoise()
    {
        _noise ^= _noise << 13;
        _noise ^= _noise >> 17;
        _noise ^= _noise << 5;
        return (_noise / 2147483648.0) - 1;
    }
}
