using SipNat.Endpoint.Diagnosis;

namespace SipNat.Endpoint.Siprec;

/// <summary>Why a stream brings nothing: what its port knows, held against what the peer was told.</summary>
internal sealed partial class RecordingSession
{
    private void HandleSilence(StreamSilence silence)
    {
        if (_streams.Find(silence.Index) is not var (stream, port)) return;

        var evidence = new SilenceEvidence
        {
            Silence = silence,
            SignallingSource = Source,
            PeerIsLocal = IsLocalPeer,
            Described = stream.Last?.RemoteRtp is { IsUnspecified: false } described ? described : default,
            SessionConnection = stream.SessionConnection,
            Advertised = stream.Rtp,
            Local = port.Rtp.Local,
            Mapping = port.Rtp.Mapping,
            StunIsSilent = port.MappingAwaited && port.Rtp.LastMapped.IsNone,
            SignallingLocal = _context.Flows.TryGet(Flow, out var flow) ? flow.Local : default,
            SignallingMapped = LastKnownAddress,
        };
        foreach (var finding in SilenceDiagnosis.Explain(evidence)) _journal.Find(finding);
    }
}
