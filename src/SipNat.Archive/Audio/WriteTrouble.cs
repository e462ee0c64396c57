namespace SipNat.Archive.Audio;

/// <summary>
/// Whether one file is refused at this moment, since when and why, and which of its audio is missing. The thread that
/// hands audio over and the one that writes it both tell; while all is well neither pays more than a look.
/// </summary>
internal sealed class WriteTrouble(TimeProvider clock)
{
    /// <summary>How long a file has to be taken without a refusal until it counts as mended.</summary>
    private static readonly TimeSpan Calm = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly SpanSet _missing = new();
    private DateTimeOffset _since;
    private DateTimeOffset _until;
    private long _lastRefusal;
    private string _reason = "";
    private volatile bool _isActive;

    /// <summary>Whether there is anything to mend or to tell.</summary>
    public bool IsActive => _isActive;

    /// <summary>The file was refused; null where that is known already.</summary>
    public AudioFault.Refused? Refuse(string path, string reason)
    {
        lock (_gate)
        {
            _lastRefusal = clock.GetTimestamp();
            _until = default;
            if (_isActive) return null;

            (_since, _reason, _isActive) = (clock.GetUtcNow(), reason, true);
            return new AudioFault.Refused(path, _since, reason);
        }
    }

    /// <summary>These bytes are not in the file, and will be silence unless they are written after all.</summary>
    public void Miss(long from, long to)
    {
        lock (_gate) _missing.Add(from, to);
    }

    /// <summary>These bytes are in the file.</summary>
    public void Mend(long from, long to)
    {
        if (!_isActive) return;

        lock (_gate)
        {
            _missing.Remove(from, to);
            if (_until == default) _until = clock.GetUtcNow();
        }
    }

    /// <summary>The end of the trouble with what is missing for good; null while there is none, or it may come again.</summary>
    /// <param name="settled">Bytes before which nothing will be written any more.</param>
    /// <param name="isClosing">Whether the file ends, so that nothing is waited for.</param>
    public AudioFault.Resumed? Settle(string path, long settled, bool isClosing)
    {
        if (!_isActive) return null;

        lock (_gate)
        {
            var missing = _missing.Snapshot();
            var isCalm = clock.GetElapsedTime(_lastRefusal) >= Calm && (missing.Count == 0 || missing[^1].To <= settled);
            if (!isClosing && (_until == default || !isCalm)) return null;

            _missing.Clear();
            _isActive = false;
            return new AudioFault.Resumed(path, _until == default ? clock.GetUtcNow() : _until, _reason, _since, missing);
        }
    }
}
