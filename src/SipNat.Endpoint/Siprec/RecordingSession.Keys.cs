using SipNat.Endpoint.Diagnosis;
using SipNat.Sip.Messages;
using SipNat.Sip.Sdp;
using SipNat.Wire;

namespace SipNat.Endpoint.Siprec;

/// <summary>Keys in session descriptions (RFC 4568), and who can read them on the way.</summary>
internal sealed partial class RecordingSession
{
    private bool IsFlowEncrypted => TransportOf(_context, Flow).IsEncrypted;

    // The offer would be ours, and its key readable on the way: whoever takes keys there tells his own first.
    private SipResponse? RefuseToOffer() => _context.Options.Srtp is SrtpMode.Required && !IsFlowEncrypted
        ? Unrecordable(488, "Media:Srtp is Required, and an INVITE without an offer asks for our key over SIP that is not encrypted; offer RTP/SAVP with a=crypto, or use TLS")
        : null;

    private void NoteKeys(Instant now)
    {
        if (IsFlowEncrypted) return;

        _journal.Find(now, FindingCode.SrtpKeysUnencrypted, "The audio is encrypted, and its keys were told over SIP that is not: whoever reads that on the way can read the audio too. Let the client use TLS.");
    }
}
