using SipNat.Wire;

namespace SipNat.Endpoint.Siprec;

public sealed class RecordingMetadata
{
    public IReadOnlyList<CommunicationSession> CommunicationSessions => throw new NotSupportedException();
    public IReadOnlyList<RecordedParticipant> Participants => throw new NotSupportedException();
    public IReadOnlyList<MetadataHistoryEntry> History => throw new NotSupportedException();
    public int HistoryDropped => throw new NotSupportedException();
    public MetadataUpdate Apply(Instant now, RecordingMetadataDocument document) => throw new NotSupportedException();
    public IReadOnlyList<RecordedParticipant> SendersOf(string label) => throw new NotSupportedException();
    public IReadOnlyList<RecordedParticipant> CurrentSendersOf(string label) => throw new NotSupportedException();
    public IReadOnlyList<MetadataFinding> Compare(IReadOnlyList<string?> labels) => throw new NotSupportedException();
}
