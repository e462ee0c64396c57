using SipNat.Wire;

namespace SipNat.Server.Hosting;

/// <summary>
/// The one clock of the process: every <see cref="Instant"/> comes from here, and here alone an instant is turned into
/// a time of day. Thread safe.
/// </summary>
/// <remarks>
/// The monotonic clock stands still while a machine is suspended and the wall clock may be set by hand. Once a second
/// the two are compared; where they parted by more than <see cref="StepThreshold"/> since the last look, the
/// subscribers hear of it.
/// </remarks>
public sealed class ServerClock
{
    public static readonly TimeSpan StepThreshold = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan CheckInterval = TimeSpan.FromSeconds(1);

    private readonly TimeProvider _time;
    private readonly long _start;
    private readonly Lock _gate = new();
    private readonly List<Action<Instant, DateTimeOffset>> _subscribers = [];

    // UTC ticks of the wall clock at Instant 0, as last observed.
    private long _wallAtStart;

    public ServerClock(TimeProvider time)
    {
        _time = time;
        _start = time.GetTimestamp();
        _wallAtStart = ObserveWallAtStart();
    }

    /// <summary>Time since the process began; never goes back.</summary>
    public Instant Now => new(_time.GetElapsedTime(_start).Ticks);

    /// <summary>The time source behind the clock, for timers.</summary>
    public TimeProvider Time => _time;

    /// <summary>The time of day (UTC) at an instant, by the wall clock as it stood at the last look.</summary>
    public DateTimeOffset ToWall(Instant instant) =>
        new(Math.Clamp(Volatile.Read(ref _wallAtStart) + instant.Ticks, 0, DateTime.MaxValue.Ticks), TimeSpan.Zero);

    /// <summary>
    /// Calls back, on the thread of <see cref="RunAsync"/>, when the wall clock and the monotonic clock have parted.
    /// The callback hands the instant and the time of day on to its owner and returns.
    /// </summary>
    public void OnStep(Action<Instant, DateTimeOffset> subscriber)
    {
        lock (_gate) _subscribers.Add(subscriber);
    }

    /// <summary>Compares the clocks each second until it is stopped.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        using var timer = new PeriodicTimer(CheckInterval, _time);
        try
        {
            while (await timer.WaitForNextTickAsync(stop)) Check();
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return;
        }
    }

    /// <summary>One comparison; true where the clocks had parted.</summary>
    internal bool Check()
    {
        var observed = ObserveWallAtStart();
        var step = TimeSpan.FromTicks(observed - Interlocked.Exchange(ref _wallAtStart, observed));
        if (step.Duration() <= StepThreshold) return false;

        Action<Instant, DateTimeOffset>[] subscribers;
        lock (_gate) subscribers = [.. _subscribers];
        var now = Now;
        foreach (var subscriber in subscribers) subscriber(now, ToWall(now));
        return true;
    }

    private long ObserveWallAtStart() => _time.GetUtcNow().UtcTicks - Now.Ticks;
}
