using SipNat.Wire;

namespace SipNat.Media.Streams;

/// <summary>How long audio was to be expected of a stream: from its first frame on, without the time on hold.</summary>
internal sealed class ActiveTime
{
    private Instant? _since;
    private TimeSpan _before;
    private bool _isHeld;
    private bool _isRunning;

    /// <summary>A frame came; from the first one on time counts.</summary>
    public void Begin(Instant at)
    {
        _isRunning = true;
        if (!_isHeld) _since ??= at;
    }

    public void Hold(Instant now)
    {
        if (_isHeld) return;

        _isHeld = true;
        Stop(now);
    }

    /// <summary>Ends a hold; false where there was none.</summary>
    public bool TryResume(Instant now)
    {
        if (!_isHeld) return false;

        _isHeld = false;
        if (_isRunning) _since ??= now;
        return true;
    }

    public void Finish(Instant at)
    {
        _isRunning = false;
        Stop(at);
    }

    /// <summary>The time so far.</summary>
    public TimeSpan Until(Instant now) => _before + (_since is { } since && now > since ? now - since : TimeSpan.Zero);

    private void Stop(Instant at) => (_before, _since) = (Until(at), null);
}
