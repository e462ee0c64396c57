using SipNat.Endpoint.Media;
using SipNat.Endpoint.Sessions;
using SipNat.Endpoint.Siprec;
using SipNat.Media.Streams;
using SipNat.Sip.Sdp;
using SipNat.Wire;

namespace SipNat.Endpoint.Calls;

/// <summary>A call that is recorded: who is told, who may pause it, and what the recording tells of itself.</summary>
internal sealed partial class Call
{
    private const string RecordAttribute = "record";
    private const string PreferenceAttribute = "recordpref";

    private Instant? _recordedSince;
    private bool _isPausedByOwner;
    private bool _isPausedByPeer;
    private string? _toldRecord;

    private bool IsKept => _terms.Recording is CallRecording.Kept;

    private bool IsPaused => _isPausedByOwner || _isPausedByPeer;

    // The value of a=record; null where nothing is said.
    private string? RecordText => _terms.Recording is CallRecording.None ? null : IsPaused ? "paused" : "on";

    /// <summary>
    /// Stops recording, or goes on with it, from this moment; the other side is told, and the call goes on. False where the
    /// call is not recorded, or is ending.
    /// </summary>
    public bool TrySetPaused(Instant now, bool paused)
    {
        if (!IsKept || IsEnding) return false;
        if (_isPausedByOwner == paused) return true;

        _isPausedByOwner = paused;
        _journal.Note(now, paused ? "paused" : "resumed", paused ? "Recording is paused by the operator." : IsPaused ? "The operator lets recording go on; the other side does not." : "Recording goes on.");
        if (_recordedSince is not null) Configure(now);
        TellPeer(now);
        return true;
    }

    // The last of several, which is the medium's (RFC 7866 §5.3); a description without one leaves it as it was.
    private void TakePreference(Instant now, OfferReview review)
    {
        if (!IsKept || review.Accepted.FirstOrDefault()?.PeerAttributes.LastOrDefault(a => a.Name == PreferenceAttribute)?.Value is not { } wish) return;
        if (!_terms.ObeysPreference)
        {
            if (wish is "off" or "pause") _journal.Note(now, "preference", $"The other side prefers recording to be {wish}, which is not obeyed here.");
            return;
        }

        var paused = wish is "off" or "pause";
        if (paused == _isPausedByPeer) return;

        _isPausedByPeer = paused;
        _journal.Note(now, paused ? "paused" : "resumed", paused ? $"Recording is paused: the other side prefers it to be {wish}." : "The other side lets recording go on.");
    }

    private void PublishRecording(bool isComplete)
    {
        if (_recordedSince is not { } since) return;

        _context.Snapshots.Enqueue(new(
            Id,
            isComplete ? RecordingState.Complete : IsPaused ? RecordingState.Paused : RecordingState.Recording,
            since,
            _endedAt,
            _endReason.Length == 0 ? null : _endReason,
            CallIdText,
            Peer,
            [],
            [Them, Us],
            [],
            [],
            [.. _streams.All.Take(1).SelectMany(Legs)],
            _journal.Findings,
            [],
            _journal.Timeline));
    }

    private ParticipantInfo Them => new(_remote, _remoteName.Length == 0 ? null : _remoteName);

    private ParticipantInfo Us => new(_identity.Uri?.Text ?? "", _identity.DisplayName.Length == 0 ? null : _identity.DisplayName);

    // Directions are the recorder's, as in a recording session: what comes from the other side is what it receives.
    private IEnumerable<StreamSnapshot> Legs(SessionStream stream)
    {
        var direction = stream.Current?.Direction ?? SdpDirection.Inactive;
        var report = stream.Report;
        yield return new(
            CallLegs.Theirs, "", [Them], (direction.Receives ? SdpDirection.RecvOnly : SdpDirection.Inactive).Text, _recordedSince!.Value,
            stream.Local, stream.Rtp.Address, stream.Rtp.Reason is null ? "not answered yet" : stream.Rtp.Explain(), report);
        yield return new(
            CallLegs.Ours, "", [Us], (direction.Sends ? SdpDirection.SendOnly : SdpDirection.Inactive).Text, _recordedSince.Value,
            stream.Local, default, "what was sent", report is null ? null : new(CallLegs.Ours, report.Sent ?? new StreamReport(), report.Remote, null, report.Path));
    }
}
