namespace SipNat.Media.Codecs;

/// <summary>
/// One of the two sub-bands of G.722 (§3.5, §3.6): its scale factor and the predictor of two poles and six zeros that both
/// sides adapt alike from what was sent. The blocks are named as the Recommendation does.
/// </summary>
internal sealed class G722Band
{
    private const int Zeros = 6;
    private const int PoleLimit = 12288;
    private const int PoleSum = 15360;

    private readonly int _maxLogScale;
    private readonly int _scaleShift;

    // b1..b6 with the quantized differences that they weigh, newest first, and a1, a2 with what they weigh.
    private readonly int[] _zeros = new int[Zeros];
    private readonly int[] _differences = new int[Zeros];
    private int _pole1;
    private int _pole2;
    private int _reconstructed1;
    private int _partial1;
    private int _partial2;
    private int _zeroPrediction;
    private int _logScale;

    private G722Band(int scale, int maxLogScale, int scaleShift) =>
        (Scale, _maxLogScale, _scaleShift) = (scale, maxLogScale, scaleShift);

    /// <summary>The quantizer's scale factor, DETL or DETH.</summary>
    public int Scale { get; private set; }

    /// <summary>The signal as it is expected next, SL or SH.</summary>
    public int Prediction { get; private set; }

    public static G722Band Lower() => new(scale: 32, maxLogScale: 18432, scaleShift: 8);

    public static G722Band Upper() => new(scale: 8, maxLogScale: 22528, scaleShift: 10);

    /// <summary>Takes the difference that was sent, and makes the scale factor and the prediction for the next one.</summary>
    /// <param name="difference">The quantized difference, DLT or DH.</param>
    /// <param name="step">The code word's entry of the table of steps.</param>
    public void Adapt(int difference, int step)
    {
        AdaptScale(step);
        var partial = Saturate(difference + _zeroPrediction);
        var reconstructed = Saturate(difference + Prediction);
        AdaptPoles(partial);
        AdaptZeros(difference);

        // Blocks FILTEP and PREDIC.
        var poles = Saturate(Weigh(_pole1, reconstructed) + Weigh(_pole2, _reconstructed1));
        Prediction = Saturate(poles + _zeroPrediction);
        (_reconstructed1, _partial2, _partial1) = (reconstructed, _partial1, partial);
    }

    internal static int Saturate(int value) => Math.Clamp(value, short.MinValue, short.MaxValue);

    // Half of the weight is in the doubled sample, so that a coefficient reaches 2.
    private static int Weigh(int coefficient, int sample) => (coefficient * Saturate(2 * sample)) >> 15;

    // Blocks LOGSCL and SCALEL, LOGSCH and SCALEH.
    private void AdaptScale(int step)
    {
        _logScale = Math.Clamp(((_logScale * 127) >> 7) + step, 0, _maxLogScale);
        var power = (int)G722Tables.PowersOfTwo[(_logScale >> 6) & 31];
        var shift = _scaleShift - (_logScale >> 11);
        Scale = (shift < 0 ? power << -shift : power >> shift) << 2;
    }

    // Blocks UPPOL2 and UPPOL1.
    private void AdaptPoles(int partial)
    {
        var agreesWithLast = (partial ^ _partial1) >= 0;
        var agreesWithSecondLast = (partial ^ _partial2) >= 0;

        var coupling = Saturate(4 * _pole1);
        if (agreesWithLast) coupling = Math.Min(-coupling, short.MaxValue);
        var pole2 = (coupling >> 7) + (agreesWithSecondLast ? 128 : -128) + ((_pole2 * 32512) >> 15);
        _pole2 = Math.Clamp(pole2, -PoleLimit, PoleLimit);

        var limit = PoleSum - _pole2;
        _pole1 = Math.Clamp((agreesWithLast ? 192 : -192) + ((_pole1 * 32640) >> 15), -limit, limit);
    }

    // Blocks UPZERO, DELAYA and FILTEZ.
    private void AdaptZeros(int difference)
    {
        var gain = difference == 0 ? 0 : 128;
        var sum = 0;
        for (var i = Zeros - 1; i >= 0; i--)
        {
            var agrees = (difference ^ _differences[i]) >= 0;
            _zeros[i] = Saturate((agrees ? gain : -gain) + ((_zeros[i] * 32640) >> 15));
            _differences[i] = i == 0 ? difference : _differences[i - 1];
            sum += Weigh(_zeros[i], _differences[i]);
        }

        _zeroPrediction = Saturate(sum);
    }
}
