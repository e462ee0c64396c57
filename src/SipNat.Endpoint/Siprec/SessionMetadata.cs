using System.Diagnostics;
using System.Text;
using SipNat.Endpoint.Diagnosis;
using SipNat.Sip.Messages;
using SipNat.Wire;

namespace SipNat.Endpoint.Siprec;

/// <summary>
/// What a session's metadata says of its people and streams. Metadata that cannot be read is kept raw and flagged: it is
/// never a reason to lose audio.
/// </summary>
internal sealed class SessionMetadata(SessionJournal journal)
{
    private const int MaxNameLength = 256;

    private readonly RecordingMetadata _metadata = new();
    private readonly List<CiscoRecordingParticipant> _cisco = [];
    private IReadOnlyList<string?> _labels = [];
    private bool _isReadable;
    private bool _needsSnapshot;
    private List<RecordingLink> _newLinks = [];

    public IReadOnlyList<CommunicationSessionInfo> CommunicationSessions =>
        [.. _metadata.CommunicationSessions.Select(s => new CommunicationSessionInfo(s.Id, s.SipSessionIds.FirstOrDefault(), s.Groups))];

    public IReadOnlyList<ParticipantInfo> Participants =>
        _isReadable ? [.. _metadata.Participants.Select(Describe)] : [.. _cisco.Select(Describe)];

    /// <summary>Who has sent on a medium.</summary>
    public IReadOnlyList<ParticipantInfo> SendersOf(int index, string label)
    {
        if (_isReadable && label.Length > 0) return [.. _metadata.SendersOf(label).Select(Describe)];

        return [.. _cisco.Where(p => p.MediaIndexes.Contains(index)).Select(Describe)];
    }

    /// <summary>Takes in what a request brings: its metadata part and the headers that stand in for one.</summary>
    public void Take(Instant now, StoredSipMessage message, SiprecBody body, bool isFirst)
    {
        foreach (var defect in body.Defects) journal.Find(now, FindingCode.BodyUnusual, $"The body of the {message.Method.Name} is unusual: {defect}.");

        ReadCiscoHeaders(message);
        if (isFirst && CiscoBuiltInBridge.ParticipantOf(message) is { } end && _cisco.Count == 0) _cisco.Add(end);
        _newLinks.AddRange(LinkReader.InHeaders(message));
        if (body.Metadata is { } xml) Apply(now, xml, body.MetadataType ?? "application/rs-metadata+xml");
        else if (isFirst && _cisco.Count == 0) journal.Find(now, FindingCode.MetadataMissing, "The INVITE brought no recording metadata.");
    }

    /// <summary>Whether the last document changes what is not known; asking clears it.</summary>
    public bool TakeNeedsSnapshot()
    {
        var needsSnapshot = _needsSnapshot;
        _needsSnapshot = false;
        return needsSnapshot;
    }

    /// <summary>The names of the call that the last request brought, each once; asking clears them.</summary>
    public IReadOnlyList<RecordingLink> TakeLinks()
    {
        var links = _newLinks;
        _newLinks = [];
        return [.. links.Distinct()];
    }

    /// <summary>Holds the labels of a description, or those of the last one, against the metadata.</summary>
    public void Compare(Instant now, IReadOnlyList<string?>? labels)
    {
        _labels = labels ?? _labels;
        if (!_isReadable || _labels.Count == 0) return;

        foreach (var finding in _metadata.Compare(_labels))
        {
            var code = finding is MetadataFinding.StreamWithoutMedia or MetadataFinding.StreamWithoutLabel
                or MetadataFinding.UnknownStream or MetadataFinding.StreamWithoutSender
                ? FindingCode.LabelWithoutMedia
                : FindingCode.MediaWithoutLabel;
            journal.Find(now, code, finding.Explain());
        }
    }

    private void Apply(Instant now, ReadOnlyMemory<byte> xml, string contentType)
    {
        if (!RecordingMetadataReader.TryRead(xml, out var document, out var defect))
        {
            journal.Keep(new(now, contentType, "unreadable", xml.ToArray()), now);
            journal.Find(now, FindingCode.MetadataUnreadable, $"The metadata cannot be read ({defect}); it is kept as it came.");
            return;
        }

        _isReadable = true;
        journal.Keep(new(now, contentType, document.IsPartial ? "partial" : "complete", xml.ToArray()), now);
        var update = _metadata.Apply(now, document);
        _needsSnapshot = update.NeedsSnapshot;
        _newLinks.AddRange(LinkReader.InMetadata(document));
        foreach (var entry in update.Changes)
        {
            var (kind, text) = Explain(entry.Change);
            journal.Note(now, kind, text);
        }
    }

    private void ReadCiscoHeaders(StoredSipMessage message)
    {
        foreach (var value in message.Headers("X-Cisco-Recording-Participant").Take(CiscoRecordingParticipant.MaxMediaIndexes))
        {
            if (!CiscoRecordingParticipant.TryRead(Encoding.UTF8.GetBytes(value), out var participant)) continue;

            _cisco.RemoveAll(known => known.Uri == participant!.Uri);
            if (_cisco.Count < CiscoRecordingParticipant.MaxMediaIndexes) _cisco.Add(participant!);
        }
    }

    private (string Kind, string Text) Explain(MetadataChange change) => change switch
    {
        MetadataChange.SessionStarted(var id, _, _) => ("call-started", $"Communication session {Clip(id)} began."),
        MetadataChange.SessionChanged(var id, _, _) => ("call-changed", $"Communication session {Clip(id)} has other identifiers or groups."),
        MetadataChange.SessionEnded(var id, _) => ("call-ended", $"Communication session {Clip(id)} ended."),
        MetadataChange.ParticipantJoined(var id, _, var names) => ("joined", $"{NameOf(names, id)} joined."),
        MetadataChange.ParticipantChanged(var id, var names) => ("renamed", $"Participant {Clip(id)} is {NameOf(names, id)}."),
        MetadataChange.ParticipantLeft(var id, _) => ("left", $"{NameOf(NamesOf(id), id)} left."),
        MetadataChange.SendingStarted(var id, var stream) => ("sending", $"{NameOf(NamesOf(id), id)} sends stream {Clip(stream)}."),
        MetadataChange.SendingStopped(var id, var stream) => ("not-sending", $"{NameOf(NamesOf(id), id)} no longer sends stream {Clip(stream)}."),
        MetadataChange.StreamAdded(var id, var label, _) => ("stream-added", $"Stream {Clip(id)} has the label {Clip(label ?? "none")}."),
        MetadataChange.StreamChanged(var id, var label, _) => ("stream-changed", $"Stream {Clip(id)} has the label {Clip(label ?? "none")}."),
        MetadataChange.StreamRemoved(var id, _) => ("stream-removed", $"Stream {Clip(id)} is gone."),
        _ => throw new UnreachableException(),
    };

    private IReadOnlyList<MetadataName> NamesOf(string id) =>
        _metadata.Participants.FirstOrDefault(p => p.Id == id)?.Names ?? [];

    private static string NameOf(IReadOnlyList<MetadataName> names, string id) =>
        Clip(names.Select(n => n.Name ?? n.Aor).FirstOrDefault(n => n is not null) ?? id);

    private static ParticipantInfo Describe(RecordedParticipant participant) =>
        new(Clip(participant.Aor ?? string.Empty), participant.Name is { } name ? Clip(name) : null);

    private static ParticipantInfo Describe(CiscoRecordingParticipant participant) =>
        new(Clip(participant.Uri), participant.Name is { } name ? Clip(name) : null);

    private static string Clip(string text) => text.Length <= MaxNameLength ? text : text[..MaxNameLength];
}
