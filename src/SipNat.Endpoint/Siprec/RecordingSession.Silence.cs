using SipNat.Endpoint.Diagnosis;

namespace SipNat.Endpoint.Siprec;

/// <summary>Why a stream brings nothing: what its port knows, held against what the peer was told.</summary>
internal sealed partial class RecordingSession
{
    private void HandleSilence(StreamSilence silence)
    {
        var local = _context.Flows.TryGet(Flow, out var flow) ? flow.Local : default;
        if (_streams.EvidenceOf(silence, Source, IsLocalPeer, local, LastKnownAddress) is not { } evidence) return;

        foreach (var finding in SilenceDiagnosis.Explain(evidence)) _journal.Find(finding);
    }
}
