using SipNat.Wire;

namespace SipNat.Endpoint.Media;

/// <summary>When a stream wants to run, and what of that its session knows.</summary>
internal sealed partial class MediaStream
{
    private bool _isRescheduled;
    private bool _isVisited;

    public Instant? Deadline => _isClosing ? Instant.Earlier(_files.Due, _sent?.Deadline) : Instant.Earlier(
        Instant.Earlier(_files.Due, Instant.Earlier(_recorded.DeadlineOf(_isVisited), _watch.Deadline)),
        Instant.Earlier(_sent?.Deadline, Instant.Earlier(_sender.Deadline, _audio?.Deadline)));

    /// <summary>
    /// Whether what came has brought something that is due before <see cref="Scheduled"/>. A packet moves few
    /// deadlines, and most of them to later, for which it is enough to look again when the earlier one has come.
    /// </summary>
    public bool IsDueSooner =>
        _isRescheduled || _audio is not null || Scheduled is null || Instant.Earlier(_files.Due, _recorded.DeadlineOf(_isVisited)) < Scheduled;

    /// <summary>When its session lets it run: at its deadline, or before where that has moved to later since.</summary>
    public Instant? Scheduled { get; private set; }

    // What would be due before the next visit leaves with this one: a deadline of its own would cost as much again.
    private void NoteVisit(Instant now, bool isVisited)
    {
        if (isVisited) _recorded.Timeline.Flush(now + MediaPlane.VisitInterval);
        _isRescheduled |= _isVisited && !isVisited;
        _isVisited = isVisited;
    }

    /// <summary>Takes the deadline as it is now.</summary>
    public void Schedule() => (Scheduled, _isRescheduled) = (Deadline, false);
}
