using SipNat.Endpoint.Siprec;
using SipNat.Fuzz.Engine;

namespace SipNat.Fuzz.Targets;

/// <summary>The header that stands in for metadata.</summary>
internal sealed class CiscoParticipantTarget : IFuzzTarget
{
    public string Name => "cisco-participant";

    public string Promise => "a participant has a URI and few indexes";

    public int MaxLength => 4096;

    public IReadOnlyList<byte[]> Tokens { get; } = Mutator.Words("<", ">", "\"", ";", "=", ";media-index=\"0\"", ";media-index=\"0 1\"", ";media-index=0,1,1023,1024", "Media-Index", " ", ",");

    public IEnumerable<byte[]> Seeds(Corpus corpus) => Mutator.Words(
        "<sip:1001@192.0.2.9>;media-index=\"0\"", "\"Alice\" <sip:1001@192.0.2.9;user=phone>;media-index=\"0 1\"", "sip:1001@192.0.2.9;media-index=1", "");

    // Each octet that is no UTF-8 costs the framework some 36 bytes while it puts U+FFFD in its place.
    public long AllowedBytes(int inputLength) => 8192 + (64L * inputLength);

    public int Run(ReadOnlySpan<byte> input)
    {
        var isRead = CiscoRecordingParticipant.TryRead(input, out var participant);
        Invariant.Holds(isRead == participant is not null, "What is read is there.");
        if (participant is null) return 0;

        Invariant.Holds(participant.Uri.Length > 0 && participant.Name != string.Empty, "A participant has a URI, and a name or none.");
        Invariant.Holds(participant.MediaIndexes.Count <= CiscoRecordingParticipant.MaxMediaIndexes, "Indexes are capped.");
        Invariant.Holds(participant.MediaIndexes.All(index => index >= 0), "Indexes are places of m-lines.");
        return HashCode.Combine(1, participant.Name is null, Math.Min(participant.MediaIndexes.Count, 4));
    }
}
