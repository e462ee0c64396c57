using SipNat.Endpoint.Media;
using SipNat.Sip.Sdp;

namespace SipNat.Endpoint.Siprec;

/// <summary>What a recording session tells of itself.</summary>
internal sealed partial class RecordingSession
{
    /// <summary>Tells the shell the state of the session where it has changed.</summary>
    public void PublishChanges()
    {
        // What comes after the end of the recording, such as the answer to our BYE, is no longer part of it.
        if (!(_journal.TakeChanged() | _changed) || _isToldComplete) return;

        _changed = false;
        var snapshot = Snapshot();
        _isToldComplete = snapshot.State is RecordingState.Complete;
        _context.Snapshots.Enqueue(snapshot);
    }

    private void TakeReports(IReadOnlyList<MediaStreamReport> reports)
    {
        _streams.Report(reports);
        foreach (var report in reports)
        {
            if (report.LastHeardAt > _heardAt) _heardAt = report.LastHeardAt.Value;
        }

        _changed = true;
    }

    private RecordingState RecordingState =>
        _state is SessionState.Over || (_state is SessionState.Closing && !_mediaIsOpen) ? RecordingState.Complete
        : _isPaused ? RecordingState.Paused
        : RecordingState.Recording;

    private RecordingSnapshot Snapshot() => new(
        Id,
        RecordingState,
        _startedAt,
        _endedAt,
        _endReason,
        Dialog.Key.CallId,
        Source,
        _metadata.CommunicationSessions,
        _metadata.Participants,
        [.. _links],
        [.. _related.Select(id => new SessionId(id))],
        [.. _streams.All.Select(s => new StreamSnapshot(
            s.Index,
            s.Label,
            _metadata.SendersOf(s.Index, s.Label),
            s.Current?.Direction.Text ?? SdpDirection.Inactive.Text,
            s.StartedAt,
            s.Local,
            s.Rtp.Address,
            s.Rtp.Reason is null ? "not answered yet" : s.Rtp.Explain(),
            s.Report))],
        _journal.Findings,
        _journal.Metadata,
        _journal.Timeline);
}
