using SipNat.Wire;

namespace SipNat.Media.Playout;

/// <summary>
/// What the network adds to the time of packets: the least of it, which follows the drift between the two clocks, and how
/// much more the slowest packets take. Both of the last <see cref="Window"/> to twice that.
/// </summary>
internal sealed class DelayTracker
{
    public static readonly TimeSpan Window = TimeSpan.FromSeconds(10);

    private Extremes _current = Extremes.None;
    private Extremes _before = Extremes.None;
    private Instant _turnAt;

    public bool IsEmpty => _current.IsNone && _before.IsNone;

    /// <summary>The least transit time, in ticks of an arbitrary origin.</summary>
    public long Least => Math.Min(_current.Least, _before.Least);

    /// <summary>How much longer than the least the slowest took.</summary>
    public TimeSpan Spread => IsEmpty ? TimeSpan.Zero : new(Math.Max(_current.Most, _before.Most) - Least);

    /// <param name="transit">Arrival minus the time that the packet stands for.</param>
    public void Add(Instant arrival, long transit)
    {
        if (arrival >= _turnAt)
        {
            (_before, _current) = (_current, Extremes.None);
            _turnAt = arrival + Window;
        }

        _current = new(Math.Min(_current.Least, transit), Math.Max(_current.Most, transit));
    }

    /// <summary>Forgets what was measured, but for the least.</summary>
    public void Calm()
    {
        if (IsEmpty) return;

        var least = Least;
        (_before, _current) = (Extremes.None, new(least, least));
    }

    private readonly record struct Extremes(long Least, long Most)
    {
        public static readonly Extremes None = new(long.MaxValue, long.MinValue);

        public bool IsNone => Least == long.MaxValue;
    }
}
