using SipNat.Wire;

namespace SipNat.Endpoint.Siprec;

/// <summary>
/// What the recording client has said of the recorded calls so far, with its history. Complete documents replace,
/// partial ones change (RFC 7865 §5.1); nothing that was once known is forgotten, it ends.
/// </summary>
public sealed class RecordingMetadata
{
    /// <summary>Sessions, participants, streams, or pairs of them that are kept; more are passed over and counted.</summary>
    public const int MaxTracked = 512;

    /// <summary>Changes that are kept; beyond it the oldest go and are counted.</summary>
    public const int MaxHistory = 2000;

    private readonly MetadataState _state = new();

    /// <summary>Every call that is or was part of the recording, in order of appearance.</summary>
    public IReadOnlyList<CommunicationSession> CommunicationSessions => [.. _state.Sessions.Values];

    /// <summary>Everyone who takes or took part, in order of appearance.</summary>
    public IReadOnlyList<RecordedParticipant> Participants => [.. _state.Participants.Values];

    /// <summary>The streams of the metadata at this moment.</summary>
    public IReadOnlyList<MetadataStream> Streams => [.. _state.ActiveStreams];

    /// <summary>Oldest first.</summary>
    public IReadOnlyCollection<MetadataHistoryEntry> History => _state.History;

    /// <summary>Changes that were dropped from the history to keep it within <see cref="MaxHistory"/>.</summary>
    public int HistoryDropped => _state.HistoryDropped;

    /// <summary>Things that were passed over to keep within <see cref="MaxTracked"/>.</summary>
    public int Untracked => _state.Untracked;

    /// <summary>
    /// Takes a document in. One that ends nothing and adds nothing changes nothing, so that a repeated document leaves
    /// no trace.
    /// </summary>
    public MetadataUpdate Apply(Instant now, RecordingMetadataDocument document) => new MetadataMerge(_state, now, document).Run();

    /// <summary>Everyone who sends or ever sent the stream of that label, in order of appearance.</summary>
    public IReadOnlyList<RecordedParticipant> SendersOf(string label) => SendersOf(label, onlyCurrent: false);

    /// <summary>Who sends the stream of that label at this moment.</summary>
    public IReadOnlyList<RecordedParticipant> CurrentSendersOf(string label) => SendersOf(label, onlyCurrent: true);

    /// <summary>
    /// Holds the metadata against the session description. Nothing is found before the first document.
    /// </summary>
    /// <param name="labels">The label of each m-line in order; null where it has none.</param>
    public IReadOnlyList<MetadataFinding> Compare(IReadOnlyList<string?> labels) =>
        _state.HasDocument ? [.. FindingsOfMedia(labels), .. FindingsOfStreams(labels), .. UnknownStreams()] : [];

    private List<RecordedParticipant> SendersOf(string label, bool onlyCurrent)
    {
        var senders = new HashSet<string>(StringComparer.Ordinal);
        foreach (var ((sender, stream), isSending) in _state.Sends)
        {
            if ((isSending || !onlyCurrent) && _state.Streams.TryGetValue(stream, out var tracked) && tracked.Stream.Label == label) senders.Add(sender);
        }

        return senders.Count == 0 ? [] : [.. _state.Participants.Where(p => senders.Contains(p.Key)).Select(p => p.Value)];
    }

    private IEnumerable<MetadataFinding> FindingsOfMedia(IReadOnlyList<string?> labels)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var index = 0; index < labels.Count; index++)
        {
            if (labels[index] is not { } label) yield return new MetadataFinding.MediaWithoutLabel(index);
            else if (!seen.Add(label)) yield return new MetadataFinding.DuplicateMediaLabel(index, label);
            else if (!IsKnownLabel(label)) yield return new MetadataFinding.MediaWithoutStream(index, label);
        }
    }

    private IEnumerable<MetadataFinding> FindingsOfStreams(IReadOnlyList<string?> labels)
    {
        foreach (var stream in _state.ActiveStreams)
        {
            if (stream.Label is null) yield return new MetadataFinding.StreamWithoutLabel(stream.Id);
            else if (!labels.Contains(stream.Label)) yield return new MetadataFinding.StreamWithoutMedia(stream.Id, stream.Label);

            // A client that says outright that somebody sends nothing yet (a held call) is not missing anything.
            if (!_state.HasEmptyAssociation && _state.Sends.Keys.All(pair => pair.StreamId != stream.Id))
            {
                yield return new MetadataFinding.StreamWithoutSender(stream.Id, stream.Label);
            }
        }
    }

    private IEnumerable<MetadataFinding> UnknownStreams() =>
        _state.Sends
            .Where(send => send.Value && !_state.Streams.ContainsKey(send.Key.StreamId))
            .Select(send => new MetadataFinding.UnknownStream(send.Key.ParticipantId, send.Key.StreamId));

    // A stream that has ended still explains its m-line: a party that left is no contradiction.
    private bool IsKnownLabel(string label) => _state.Streams.Values.Any(tracked => tracked.Stream.Label == label);
}
