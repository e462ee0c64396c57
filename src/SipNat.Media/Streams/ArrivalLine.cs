using SipNat.Wire;

namespace SipNat.Media.Streams;

/// <summary>
/// Which place of the file a moment of arrival stands for: the line through the packets that were delayed least. It
/// follows the drift between the sender's clock and ours slowly, so that hours of it are no disagreement, and so slowly
/// that a forged timestamp gains nothing worth having by it (0.7 % at most).
/// </summary>
internal sealed class ArrivalLine(int samplesPerSecond)
{
    // Frames that come earlier than the line show that the packets before them were delayed: quick.
    private static readonly TimeSpan EarlyFollow = TimeSpan.FromSeconds(1);

    // Frames that come later were delayed themselves, or the sender's clock is slow: slow.
    private static readonly TimeSpan LateFollow = TimeSpan.FromSeconds(300);

    private Instant _at;
    private double _position;

    public void Set(Instant arrival, long position) => (_at, _position) = (arrival, position);

    /// <summary>Everything stands so many samples later.</summary>
    public void Shift(long samples) => _position += samples;

    public long Predict(Instant arrival) => (long)Math.Round(Exact(arrival));

    /// <param name="isContiguous">Whether the frame follows the one before without silence: silence proves nothing.</param>
    public void Observe(Instant arrival, long position, bool isContiguous)
    {
        if (arrival <= _at) return;

        var predicted = Exact(arrival);
        var error = position - predicted;
        var follow = error > 0 && isContiguous ? EarlyFollow : LateFollow;
        var weight = Math.Min(1, (arrival - _at) / follow);
        (_at, _position) = (arrival, predicted + (error * weight));
    }

    private double Exact(Instant arrival) => _position + ((double)(arrival - _at).Ticks * samplesPerSecond / TimeSpan.TicksPerSecond);
}
