namespace SipNat.Archive.Audio;

/// <summary>
/// Which files the medium lacks bytes of, and when they have to be forced to it. All that wait are forced together, so
/// that thousands of files cost one wait for the journal of their file system and not thousands.
/// </summary>
/// <remarks>Any thread may tell it of files; one thread does what is due.</remarks>
internal sealed class ForceSchedule(AudioFileWriterOptions options, TimeProvider clock, IAudioDisk disk, Action<AudioFault> report)
{
    private readonly object _gate = new();
    private readonly List<Entry> _entries = [];
    private long _due = long.MaxValue;
    private bool _completed;

    /// <summary>Bytes of a file were written.</summary>
    public void Written(AudioFile file)
    {
        if (file.TryMarkUnforced()) Add(new Entry(file, file.Open!, IsLast: false), NextDue());
    }

    /// <summary>A file gets nothing more by this handle: it is forced at once, and then closed.</summary>
    public void Close(AudioFile file, IAudioDiskFile open)
    {
        file.MarkForced();
        Add(new Entry(file, open, IsLast: true), clock.GetTimestamp());
    }

    /// <summary>Nothing more will be told.</summary>
    public void Complete()
    {
        lock (_gate)
        {
            _completed = true;
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Waits until something is due; false when all is done and nothing more will come.</summary>
    public bool Wait()
    {
        lock (_gate)
        {
            while (!_completed && clock.MillisecondsUntil(_due) is var wait and not 0) Monitor.Wait(_gate, wait);
            return _entries.Count > 0 || !_completed;
        }
    }

    /// <summary>Forces every file that waits, once the first of them is due.</summary>
    public void RunDue(long now)
    {
        List<Entry> entries;
        lock (_gate)
        {
            if (now < _due && !_completed) return;

            entries = [.. _entries];
            _entries.Clear();
            _due = long.MaxValue;
        }

        // Marked before it is forced: what is written meanwhile is forced the next time.
        foreach (var entry in entries) entry.File.MarkForced();
        Force(entries);
    }

    private void Force(List<Entry> entries)
    {
        var refused = disk.Force([.. entries.Select(entry => entry.Open).Distinct()]);
        var last = entries.Where(entry => entry.IsLast).Select(entry => entry.Open).ToHashSet();
        foreach (var entry in entries)
        {
            var reason = refused.FirstOrDefault(other => other.File == entry.Open).Reason;
            if (reason is not null && !entry.File.Trouble.IsActive) report(new AudioFault.NotForced(entry.File.Path, clock.GetUtcNow(), reason));
            if (entry.IsLast) entry.Open.Dispose();
            else if (!last.Contains(entry.Open)) LookAgain(entry, isRefused: reason is not null);
        }
    }

    // A file that was deleted, or whose disk was taken away, goes on taking bytes, and nobody will ever see them.
    private void LookAgain(in Entry entry, bool isRefused)
    {
        if (!disk.Exists(entry.File.Path)) entry.File.IsGone = true;
        else if (isRefused && entry.File.TryMarkUnforced()) Add(entry, NextDue());
    }

    private long NextDue() => clock.GetTimestamp() + clock.TicksOf(options.SyncInterval / 2);

    private void Add(in Entry entry, long due)
    {
        lock (_gate)
        {
            _entries.Add(entry);
            if (due >= _due) return;

            _due = due;
            Monitor.Pulse(_gate);
        }
    }

    private readonly record struct Entry(AudioFile File, IAudioDiskFile Open, bool IsLast);
}
