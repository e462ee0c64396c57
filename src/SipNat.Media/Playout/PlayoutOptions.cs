namespace SipNat.Media.Playout;

/// <summary>How long audio waits before it is played, so that what the network delays more comes in time.</summary>
public sealed record PlayoutOptions
{
    /// <summary>
    /// The delay that a stream begins with and returns to. A clean path stays at it: nothing is put in or left out there.
    /// </summary>
    public TimeSpan RestingDelay { get; init; } = TimeSpan.FromMilliseconds(60);

    /// <summary>The delay never grows past this; what comes later than that is not played.</summary>
    public TimeSpan MaxDelay { get; init; } = TimeSpan.FromMilliseconds(200);
}
