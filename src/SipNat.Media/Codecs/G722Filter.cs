namespace SipNat.Media.Codecs;

/// <summary>
/// The quadrature mirror filter of G.722 (§3.1, §3.7) over its last 24 values: it parts a signal into two bands of half the
/// rate, or joins them; the same sums serve both.
/// </summary>
internal sealed class G722Filter
{
    private const int Pairs = 12;

    // Pairs newest first from _start on; twice as long, so that no pair is moved and none wraps.
    private readonly int[] _first = new int[2 * Pairs];
    private readonly int[] _second = new int[2 * Pairs];
    private int _start;

    /// <summary>Takes a pair of values and gives the filtered first and second values of the pairs.</summary>
    public (int First, int Second) Next(int first, int second)
    {
        _start = _start == 0 ? Pairs - 1 : _start - 1;
        _first[_start] = _first[_start + Pairs] = first;
        _second[_start] = _second[_start + Pairs] = second;

        var (firstSum, secondSum) = (0, 0);
        var coefficients = G722Tables.Qmf;
        for (var i = 0; i < Pairs; i++)
        {
            firstSum += _first[_start + i] * coefficients[Pairs - 1 - i];
            secondSum += _second[_start + i] * coefficients[i];
        }

        return (firstSum, secondSum);
    }
}
