using SipNat.Wire;

namespace SipNat.Endpoint.Media;

/// <summary>
/// Tells a sender's clock that runs wrong from packets that were delayed. Drift grows at an even pace, so that both halves
/// of a span must show it; a delay that comes once shows in one of them. The span doubles until it does.
/// </summary>
internal sealed class DriftWatch
{
    /// <summary>Four times what ITU-T G.711 allows (50 parts in a million).</summary>
    public const double MinRate = 200e-6;

    // More than packets are usually delayed by, less than anybody hears.
    private static readonly TimeSpan MinHalf = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan FirstHalf = TimeSpan.FromSeconds(30);

    private Sample? _first;
    private Sample? _middle;
    private long _anchors;

    /// <summary>Takes the drift at the last packet; the verdict where there is one.</summary>
    /// <param name="at">When that packet came.</param>
    /// <param name="drift">File time minus elapsed time: positive for a clock that is fast.</param>
    /// <param name="anchors">How often the arrival has placed audio; each time the count begins anew.</param>
    public ClockDrift? Observe(Instant at, TimeSpan drift, long anchors)
    {
        var last = new Sample(at, drift);
        if (_first is not { } first || anchors != _anchors)
        {
            (_first, _middle, _anchors) = (last, null, anchors);
            return null;
        }

        if (_middle is not { } middle)
        {
            if (at - first.At >= FirstHalf) _middle = last;
            return null;
        }

        if (at - first.At < (middle.At - first.At) * 2) return null;

        _middle = last;
        var (early, late) = (middle.Drift - first.Drift, last.Drift - middle.Drift);
        return IsPace(early, middle.At - first.At) && IsPace(late, at - middle.At) && early < TimeSpan.Zero == late < TimeSpan.Zero
            ? new(early + late, at - first.At)
            : null;
    }

    private static bool IsPace(TimeSpan change, TimeSpan span) => change.Duration() >= MinHalf && change.Duration() >= span * MinRate;

    private readonly record struct Sample(Instant At, TimeSpan Drift);
}

/// <summary>How far a sender's clock ran from ours.</summary>
/// <param name="Total">Positive for a clock that is fast.</param>
/// <param name="Span">In what time.</param>
internal readonly record struct ClockDrift(TimeSpan Total, TimeSpan Span)
{
    public double PartsPerMillion => Total / Span * 1e6;
}
