namespace SipNat.Archive.Audio;

/// <summary>
/// Whether one file is refused at this moment, since when and why, and which of its audio is missing. The thread that
/// hands audio over and the one that writes it both tell; while all is well neither pays more than a look.
/// </summary>
internal sealed class WriteTrouble(TimeProvider clock)
{
    // Stretches that are worth being told of before the trouble is over.
    private const int SpansTold = 32;

    // Stretches that are kept apart: half of them until they are told, and those that were told until they are silence in
    // the file. A disk that is slow all day makes one every some seconds.
    private const int MaxUntold = 2 * SpansTold;
    private const int MaxTold = 4096;

    /// <summary>How long a file has to be taken without a refusal until it counts as mended.</summary>
    private static readonly TimeSpan Calm = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private readonly SpanSet _untold = new(MaxUntold);
    private readonly SpanSet _told = new(MaxTold);
    private DateTimeOffset _since;
    private DateTimeOffset _until;
    private long _lastRefusal;
    private string _reason = "";
    private volatile bool _isActive;

    /// <summary>Whether there is anything to mend or to tell.</summary>
    public bool IsActive => _isActive;

    private bool IsCalm => _until != default && clock.GetElapsedTime(_lastRefusal) >= Calm;

    /// <summary>The file was refused; null where that is known already.</summary>
    public AudioFault.Refused? Refuse(string path, string reason)
    {
        lock (_gate) return Begin(path, reason);
    }

    /// <summary>The same, and these bytes will be silence in the file unless they are written after all.</summary>
    public AudioFault.Refused? Refuse(string path, string reason, long from, long to)
    {
        lock (_gate)
        {
            _untold.Add(from, to);

            // What is late finds no room either, for a place of which it was told before.
            if (from < _told.End) RemoveTold(new AudioSpan(from, to));
            return Begin(path, reason);
        }
    }

    /// <summary>These bytes are in the file.</summary>
    public void Mend(long from, long to)
    {
        if (!_isActive) return;

        lock (_gate)
        {
            _untold.Remove(from, to);
            _told.Remove(from, to);
            if (_until == default) _until = clock.GetUtcNow();
        }
    }

    /// <summary>Tells of many stretches that are missing for good, while the trouble goes on; null where there are few.</summary>
    /// <param name="settled">Bytes before which nothing will be written any more.</param>
    public AudioFault.Silenced? TellMissing(string path, long settled)
    {
        lock (_gate)
        {
            var missing = _untold.Snapshot(settled);
            if (missing.Count < SpansTold) return null;

            foreach (var span in missing) Tell(span);
            return new AudioFault.Silenced(path, clock.GetUtcNow(), _reason, _since, missing);
        }
    }

    /// <summary>
    /// All that is missing for good and has to become silence, in order, once the file keeps up; null while there is no
    /// trouble, or more may come of it.
    /// </summary>
    /// <param name="isClosing">Whether the file ends, so that nothing is waited for.</param>
    public IReadOnlyList<AudioSpan>? Look(long settled, bool isClosing)
    {
        if (!_isActive) return null;

        lock (_gate)
        {
            var untold = _untold.Snapshot(isClosing ? long.MaxValue : settled);
            if (!isClosing && (!IsCalm || untold.Count < _untold.Count)) return null;

            return [.. _told.Snapshot(long.MaxValue).Concat(untold).OrderBy(span => span.From)];
        }
    }

    /// <summary>What <see cref="Look"/> gave is silence: tells what was not told of it, and of the end of the trouble where that is over.</summary>
    /// <returns>Null where neither is to be told.</returns>
    public AudioFault? Settle(string path, IReadOnlyList<AudioSpan> silent, bool isClosing)
    {
        lock (_gate)
        {
            List<AudioSpan> untold = [.. silent.SelectMany(_untold.Within)];
            foreach (var span in silent)
            {
                _untold.Remove(span.From, span.To);
                _told.Remove(span.From, span.To);
            }

            var now = clock.GetUtcNow();
            if (_untold.Count > 0 || (!isClosing && !IsCalm)) return untold.Count == 0 ? null : new AudioFault.Silenced(path, now, _reason, _since, untold);

            _isActive = false;
            return new AudioFault.Resumed(path, _until == default ? now : _until, _reason, _since, untold);
        }
    }

    private void RemoveTold(AudioSpan stretch)
    {
        foreach (var told in _told.Within(stretch)) _untold.Remove(told.From, told.To);
    }

    private void Tell(AudioSpan span)
    {
        _untold.Remove(span.From, span.To);
        _told.Add(span.From, span.To);
    }

    private AudioFault.Refused? Begin(string path, string reason)
    {
        _lastRefusal = clock.GetTimestamp();
        _until = default;
        if (_isActive) return null;

        (_since, _reason, _isActive) = (clock.GetUtcNow(), reason, true);
        return new AudioFault.Refused(path, _since, reason);
    }
}
