namespace SipNat.Server.Tests.Archive;

/// <summary>A clock that stands where a test puts it: milliseconds since its beginning.</summary>
internal sealed class VirtualTime : TimeProvider
{
    public static readonly DateTimeOffset Start = new(2026, 11, 20, 12, 0, 0, TimeSpan.Zero);

    private long _milliseconds;

    public long Milliseconds
    {
        get => Volatile.Read(ref _milliseconds);
        set => Volatile.Write(ref _milliseconds, value);
    }

    public override long TimestampFrequency => 1000;

    public override long GetTimestamp() => Milliseconds;

    public override DateTimeOffset GetUtcNow() => Start.AddMilliseconds(Milliseconds);
}
