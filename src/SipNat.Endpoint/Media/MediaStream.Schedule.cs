using SipNat.Wire;

namespace SipNat.Endpoint.Media;

/// <summary>When a stream wants to run, and what of that its session knows.</summary>
internal sealed partial class MediaStream
{
    private Instant? _scheduled;
    private bool _isRescheduled;

    public Instant? Deadline => _isClosing ? Instant.Earlier(_files.Due, _sent?.Deadline) : Instant.Earlier(
        Instant.Earlier(_files.Due, Instant.Earlier(_recorded.Deadline, _watch.Deadline)),
        Instant.Earlier(_sent?.Deadline, Instant.Earlier(_sender.Deadline, _audio?.Deadline)));

    /// <summary>
    /// Whether what came has brought something that is due before what was <see cref="TakeSchedule"/>d. A packet moves few
    /// deadlines, and most of them to later, for which it is enough to look again when the earlier one has come.
    /// </summary>
    public bool IsDueSooner =>
        _isRescheduled || _audio is not null || _scheduled is null || Instant.Earlier(_files.Due, _recorded.Deadline) < _scheduled;

    /// <summary>The deadline, which is then scheduled.</summary>
    public Instant? TakeSchedule()
    {
        (_scheduled, _isRescheduled) = (Deadline, false);
        return _scheduled;
    }
}
