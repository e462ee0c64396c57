using SipNat.Archive.Audio;
using SipNat.Endpoint.Siprec;

namespace SipNat.Server.Hosting;

/// <summary>
/// Keeps the last word on a session back until its files have their last byte: whoever is told that a recording is
/// complete finds them whole, and what the disk did to them in its document.
/// </summary>
/// <param name="reportFaults">Tells what the disk has done up to now; called before sessions are told.</param>
/// <param name="tell">Gets each session once, with the time of day at which it began.</param>
internal sealed class EndingSessions(TimeProvider clock, Action reportFaults, Action<RecordingSnapshot, DateTimeOffset> tell)
{
    /// <summary>A session whose files the disk does not take for so long is told without them; what comes of them is told later.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private List<Ending> _waiting = [];

    /// <summary>Whether <see cref="Poll"/> has to be called soon.</summary>
    public bool IsWaiting
    {
        get
        {
            lock (_gate) return _waiting.Count > 0;
        }
    }

    /// <summary>Takes the last snapshot of a session, with all files that it has begun. Any thread.</summary>
    public void Add(RecordingSnapshot snapshot, DateTimeOffset wallStart, IReadOnlyList<AudioFile> files)
    {
        lock (_gate) _waiting.Add(new(snapshot, wallStart, files, clock.GetTimestamp()));
    }

    /// <summary>Tells the sessions whose files are over.</summary>
    public void Poll() => Tell(ending => ending.Files.All(static file => file.IsOver) || clock.GetElapsedTime(ending.At) >= Patience);

    /// <summary>Tells every session.</summary>
    public void Flush() => Tell(static _ => true);

    private void Tell(Predicate<Ending> isDue)
    {
        List<Ending> due;
        lock (_gate)
        {
            due = _waiting.FindAll(isDue);
            if (due.Count > 0) _waiting = [.. _waiting.Except(due)];
        }

        reportFaults();
        foreach (var ending in due) tell(ending.Snapshot, ending.WallStart);
    }

    private sealed class Ending(RecordingSnapshot snapshot, DateTimeOffset wallStart, IReadOnlyList<AudioFile> files, long at)
    {
        public RecordingSnapshot Snapshot => snapshot;

        public DateTimeOffset WallStart => wallStart;

        public IReadOnlyList<AudioFile> Files => files;

        public long At => at;
    }
}
