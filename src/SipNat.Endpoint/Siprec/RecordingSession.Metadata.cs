using SipNat.Endpoint.Sessions;
using SipNat.Sip.Messages;
using SipNat.Sip.Sdp;
using SipNat.Wire;

namespace SipNat.Endpoint.Siprec;

/// <summary>A recording session that asks its client for the whole metadata.</summary>
internal sealed partial class RecordingSession
{
    // A client whose partial documents never fit is not asked for each of them.
    private static readonly TimeSpan SnapshotInterval = TimeSpan.FromSeconds(30);

    private bool _peerGivesSnapshots;
    private bool _snapshotIsWanted;
    private Instant? _snapshotAskedAt;

    // Wanted where a change came for something that is not known; a whole document puts an end to it.
    private void NoteSnapshot(Instant now)
    {
        if (!_metadata.TakeNeedsSnapshot()) return;

        var isAskedAlready = _snapshotAskedAt is { } asked && now < asked + SnapshotInterval;
        _snapshotIsWanted = _peerGivesSnapshots && !isAskedAlready;
        if (!_peerGivesSnapshots) _journal.Note(now, "snapshot-missing", "A partial document changes what is not known, and the client gives no whole one.");
    }

    private void RequestSnapshot(Instant now)
    {
        (_snapshotIsWanted, _snapshotAskedAt) = (false, now);
        Dialog.LocalContact = CurrentContact;
        var byUpdate = _peerTakesUpdate || _offerAnswer.LocalDescription is null;
        var request = Dialog.CreateRequest(byUpdate ? SipMethod.Update : SipMethod.Invite);
        var sdp = byUpdate ? null : SdpWriter.Write(_offerAnswer.LocalDescription!);
        var filled = SnapshotRequest.Fill(request with { Headers = [.. request.Headers, .. RequestHeaders()] }, sdp, "A partial document does not fit.");
        var isSent = _requests.TrySend(now, RequestPurpose.Snapshot, filled, out _);
        _journal.Note(now, "snapshot-requested", isSent ? "The client is asked for its whole metadata." : "The client cannot be asked for its whole metadata.");
    }
}
