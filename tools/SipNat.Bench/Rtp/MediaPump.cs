using System.Diagnostics;

namespace SipNat.Bench.Rtp;

/// <summary>
/// One thread that sends a frame of every stream each 20 ms and takes in what comes back. Each frame's time is
/// computed from the start, so the pace does not drift.
/// </summary>
public sealed class MediaPump : IDisposable
{
    public const int FrameMilliseconds = 20;

    // Every 5 s, the minimum interval of RFC 3550 §6.2.
    private const int FramesPerReport = 250;

    private readonly IReadOnlyList<OutgoingStream> _streams;
    private readonly bool _rtcp;
    private readonly long _lastFrame;
    private readonly Thread _thread;
    private readonly Stopwatch _clock = new();
    private readonly TaskCompletionSource _lastFrameSent = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _sending = true;
    private volatile bool _stopped;

    public MediaPump(IReadOnlyList<OutgoingStream> streams, TimeSpan duration, bool rtcp)
    {
        (_streams, _rtcp) = (streams, rtcp);
        _lastFrame = (long)(duration.TotalMilliseconds / FrameMilliseconds);
        _thread = new Thread(Run) { Name = "media", IsBackground = true, Priority = ThreadPriority.AboveNormal };
    }

    /// <summary>False while the session is held: nothing but reports is sent, the clock runs on.</summary>
    public bool Sending
    {
        get => _sending;
        set => _sending = value;
    }

    /// <summary>Completes when the last frame has been sent and its 20 ms are over.</summary>
    public Task LastFrameSent => _lastFrameSent.Task;

    /// <summary>Since the first frame.</summary>
    public TimeSpan Elapsed => _clock.Elapsed;

    public void Start()
    {
        _clock.Start();
        _thread.Start();
    }

    public void Stop()
    {
        _stopped = true;
        if (_thread.IsAlive) _thread.Join();
    }

    public void Dispose() => Stop();

    private void Run()
    {
        for (long frame = 0; !_stopped; frame++)
        {
            var due = TimeSpan.FromMilliseconds(frame * FrameMilliseconds);
            var wait = due - _clock.Elapsed;
            if (wait > TimeSpan.Zero) Thread.Sleep(wait);
            if (frame >= _lastFrame) _lastFrameSent.TrySetResult();
            foreach (var stream in _streams) Turn(stream, frame);
        }
    }

    private void Turn(OutgoingStream stream, long frame)
    {
        if (_sending && frame < _lastFrame) stream.SendFrame(frame);
        if (_rtcp && frame % FramesPerReport == 0) stream.SendReport(frame, DateTimeOffset.UtcNow);
        stream.Receive(_clock.Elapsed);
    }
}
