using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace SipNat.Endpoint.Siprec;

/// <summary>
/// Reads recording metadata (RFC 7865) in the dialects that are sent: the RFC's, its drafts' and
/// <c>recording_metadata</c>, with or without prefixes, with ids and references as attributes or as elements.
/// </summary>
public static class RecordingMetadataReader
{
    /// <summary>Bytes of a document.</summary>
    public const int MaxLength = 262_144;

    /// <summary>Elements within elements.</summary>
    public const int MaxDepth = 32;

    public const int MaxElements = 4096;

    /// <summary>Attributes of one element.</summary>
    public const int MaxAttributes = 64;

    /// <summary>Extension elements that are kept; later ones are passed over.</summary>
    public const int MaxExtensions = 256;

    private const int FirstPlausibleYear = 1990;

    public static bool TryRead(
        ReadOnlyMemory<byte> xml, [NotNullWhen(true)] out RecordingMetadataDocument? document, out MetadataDefect defect)
    {
        document = null;
        defect = MetadataElementReader.Read(xml.Span, out var root);
        if (defect is not MetadataDefect.None) return false;

        if (root is not { Key: "recording" or "recordingmetadata" })
        {
            defect = MetadataDefect.UnknownRoot;
            return false;
        }

        var draft = new Draft();
        foreach (var element in root.Children) draft.Add(element);
        document = draft.ToDocument();
        return true;
    }

    /// <summary>The document while it is read.</summary>
    private sealed class Draft
    {
        private readonly List<MetadataGroup> _groups = [];
        private readonly List<MetadataSession> _sessions = [];
        private readonly List<MetadataParticipant> _participants = [];
        private readonly List<MetadataStream> _streams = [];
        private readonly List<SessionRecordingAssociation> _sessionRecordings = [];
        private readonly List<ParticipantSessionAssociation> _participantSessions = [];
        private readonly List<ParticipantStreamAssociation> _participantStreams = [];
        private readonly List<MetadataExtension> _extensions = [];
        private bool _isPartial;

        public void Add(MetadataElement element)
        {
            switch (element.Key)
            {
                case "datamode":
                    _isPartial = string.Equals(element.Text, "partial", StringComparison.OrdinalIgnoreCase);
                    break;
                case "recording":
                    // One dialect has it beside its groups; others put everything into it.
                    foreach (var child in element.Children) Add(child);
                    break;
                case "group":
                    AddGroup(element);
                    break;
                case "session":
                    AddSession(element);
                    break;
                case "participant":
                    AddParticipant(element);
                    break;
                case "stream":
                    AddStream(element);
                    break;
                case "sessionrecordingassoc":
                    _sessionRecordings.Add(new(element.Value("sessionid", "session", "id") ?? string.Empty, SpanOf(element)));
                    break;
                case "participantsessionassoc":
                    AddParticipantSession(element);
                    break;
                case "participantstreamassoc":
                    if (element.Value("participantid", "participant", "id") is { } id) AddParticipantStreams(element, id);
                    break;
                default:
                    AddExtension(element, "recording", element.Value("parent"));
                    break;
            }
        }

        public RecordingMetadataDocument ToDocument() => new()
        {
            IsPartial = _isPartial,
            Groups = _groups,
            Sessions = _sessions,
            Participants = _participants,
            Streams = _streams,
            SessionRecordings = _sessionRecordings,
            ParticipantSessions = _participantSessions,
            ParticipantStreams = _participantStreams,
            Extensions = _extensions,
        };

        private void AddGroup(MetadataElement element)
        {
            var id = element.Value("groupid", "id") ?? Placeholder("group", _groups.Count);
            _groups.Add(new(id, SpanOf(element)));
            AddExtensions(element, id, "groupid", "id", "reason");
        }

        private void AddSession(MetadataElement element)
        {
            var id = element.Value("sessionid", "id") ?? Placeholder("session", _sessions.Count);
            string[] groups = [.. TextsOf(element, "groupref")];
            if (groups is [] && element.Value("groupref", "groupid", "group") is { } group) groups = [group];

            _sessions.Add(new()
            {
                Id = id,
                SipSessionIds = [.. TextsOf(element, "sipsessionid")],
                Groups = groups,
                Span = SpanOf(element),
                Reason = element.Value("reason"),
            });
            AddExtensions(element, id, "sessionid", "id", "sipsessionid", "groupref", "groupid", "group", "reason");
        }

        private void AddParticipant(MetadataElement element)
        {
            var id = element.Value("participantid", "id") ?? Placeholder("participant", _participants.Count);
            _participants.Add(new(id, NamesOf(element)));

            // The drafts say by attributes and children of the participant what the RFC says by associations.
            var span = SpanOf(element);
            var session = element.Value("sessionid", "session");
            if (session is not null || span != default) _participantSessions.Add(new(id, session ?? string.Empty, span));
            if (element.Children.Any(child => child.Key is "send" or "recv")) AddParticipantStreams(element, id);

            AddExtensions(element, id, "participantid", "id", "sessionid", "session", "nameid", "aor", "name", "send", "recv");
        }

        private void AddStream(MetadataElement element)
        {
            var label = element.Value("label");
            var id = element.Value("streamid", "id") ?? (label is null ? Placeholder("stream", _streams.Count) : $"label:{label}");
            _streams.Add(new()
            {
                Id = id,
                Label = label,
                SessionId = element.Value("sessionid", "session"),
                Mode = element.Value("mode"),
                Span = SpanOf(element),
            });
            AddExtensions(element, id, "streamid", "id", "label", "sessionid", "session", "mode");
        }

        private void AddParticipantSession(MetadataElement element)
        {
            if (element.Value("participantid", "participant", "id") is not { } id) return;

            _participantSessions.Add(new(id, element.Value("sessionid", "session") ?? string.Empty, SpanOf(element)));
        }

        private void AddParticipantStreams(MetadataElement element, string participantId) =>
            _participantStreams.Add(new(participantId, StreamsOf(element, "send"), StreamsOf(element, "recv"), SpanOf(element)));

        private void AddExtensions(MetadataElement element, string id, params ReadOnlySpan<string> known)
        {
            foreach (var child in element.Children)
            {
                if (!known.Contains(child.Key) && !IsTime(child.Key)) AddExtension(child, element.Key, id);
            }
        }

        private void AddExtension(MetadataElement element, string owner, string? ownerId)
        {
            if (_extensions.Count < MaxExtensions) _extensions.Add(new(owner, ownerId, element.Name, element.Namespace, element.ToXml()));
        }
    }

    private static List<MetadataName> NamesOf(MetadataElement participant)
    {
        var names = new List<MetadataName>();
        foreach (var nameId in participant.ChildrenOf("nameid"))
        {
            var name = new MetadataName(nameId.Value("aor", "uri"), nameId.Value("name"));
            if (name is not (null, null)) names.Add(name);
        }

        if (names.Count > 0) return names;

        var shown = participant.Value("name");
        string[] aors = [.. TextsOf(participant, "aor")];
        if (aors is [] && participant.Value("aor") is { } aor) aors = [aor];
        names.AddRange(aors.Select(a => new MetadataName(a, shown)));
        if (names.Count == 0 && shown is not null) names.Add(new(null, shown));
        return names;
    }

    private static List<string> StreamsOf(MetadataElement element, string key) =>
        [.. element.ChildrenOf(key)
            .SelectMany(child => child.Text is { } text ? [text]
                : child.ChildrenOf("id").Select(id => id.Text).Append(child.Value("streamid")).OfType<string>())
            .Distinct(StringComparer.Ordinal)];

    private static IEnumerable<string> TextsOf(MetadataElement element, string key) =>
        element.ChildrenOf(key).Select(child => child.Text).OfType<string>();

    private static string Placeholder(string kind, int index) => string.Create(CultureInfo.InvariantCulture, $"{kind}:{index + 1}");

    private static bool IsTime(string key) =>
        key is "associatetime" or "disassociatetime" or "starttime" or "stoptime" or "endtime";

    private static MetadataSpan SpanOf(MetadataElement element) =>
        new(TimeOf(element.Value("associatetime", "starttime")), TimeOf(element.Value("disassociatetime", "stoptime", "endtime")));

    // Without a zone it is taken for UTC, which RFC 7865 §6.9 asks for.
    private static DateTimeOffset? TimeOf(string? text) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time)
        && time.Year >= FirstPlausibleYear ? time : null;
}

/// <summary>Why a document is not readable metadata. A metric tag, hence no text.</summary>
public enum MetadataDefect
{
    None,
    Empty,
    TooLong,

    /// <summary>Not well-formed XML.</summary>
    Malformed,

    /// <summary>It has a document type, which is refused whatever it says.</summary>
    DocumentType,

    TooDeep,
    TooManyElements,
    TooManyAttributes,

    /// <summary>XML, but no recording metadata.</summary>
    UnknownRoot,
}
