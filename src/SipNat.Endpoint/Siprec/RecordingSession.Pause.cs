using SipNat.Wire;

namespace SipNat.Endpoint.Siprec;

/// <summary>Recording that is paused by whoever operates the recorder, and goes on later.</summary>
internal sealed partial class RecordingSession
{
    private bool _isPaused;
    private bool _isToldPaused;

    /// <summary>
    /// Stops recording, or goes on with it, from this moment; the peer is told as soon as it can be. False where the
    /// session is ending.
    /// </summary>
    /// <remarks>
    /// Whatever the peer answers, nothing that arrives in a pause is recorded, and the files have silence in its place.
    /// </remarks>
    public bool TrySetPaused(Instant now, bool paused)
    {
        if (IsEnding) return false;
        if (_isPaused == paused) return true;

        _isPaused = paused;
        _journal.Note(now, paused ? "paused" : "resumed", paused ? "Recording is paused by the operator." : "Recording goes on.");
        if (_state is not SessionState.Opening) Configure(now);
        TellPeer(now);
        return true;
    }
}
