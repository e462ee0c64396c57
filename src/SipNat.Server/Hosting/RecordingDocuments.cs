using SipNat.Archive.Audio;
using SipNat.Archive.Documents;
using SipNat.Archive.Storage;
using SipNat.Endpoint.Diagnosis;
using SipNat.Endpoint.Siprec;
using SipNat.Media.Streams;
using SipNat.Traversal.Ice;
using SipNat.Wire;
using RecordedStream = SipNat.Archive.Documents.RecordedStream;
using RecordingState = SipNat.Archive.Documents.RecordingState;
using TimelineEntry = SipNat.Archive.Documents.TimelineEntry;

namespace SipNat.Server.Hosting;

/// <summary>The one place where the endpoint's snapshot of a session becomes the archive's document.</summary>
internal static class RecordingDocuments
{
    /// <param name="snapshot">The session.</param>
    /// <param name="wallStart">The time of day at which it began; every other time is counted from there.</param>
    /// <param name="metadataFiles">The names under which its metadata documents were kept, in their order.</param>
    /// <param name="faults">What the disk did to its audio.</param>
    /// <param name="leads">How long each stream was awaited before its first packet, by m-line index.</param>
    public static RecordingDocument From(
        RecordingSnapshot snapshot,
        DateTimeOffset wallStart,
        IReadOnlyList<string?> metadataFiles,
        IReadOnlyList<AudioFault> faults,
        IReadOnlyDictionary<int, TimeSpan> leads)
    {
        DateTimeOffset At(Instant instant) => wallStart + (instant - snapshot.StartedAt);

        return new()
        {
            Id = snapshot.Id.Value,
            State = StateOf(snapshot.State),
            StartedAt = wallStart,
            EndedAt = snapshot.EndedAt is { } ended ? At(ended) : null,
            CallId = snapshot.CallId,
            Remote = snapshot.Remote.ToString(),
            CommunicationSessions = [.. snapshot.CommunicationSessions.Select(s => new Archive.Documents.CommunicationSession
            {
                Id = s.Id,
                SipSessionId = s.SipSessionId,
                Groups = s.Groups,
            })],
            Participants = [.. snapshot.Participants.Select(ParticipantOf)],
            Links = [.. snapshot.Links.Select(l => new Archive.Documents.RecordingLink(l.Kind, l.Value))],
            RelatedSessions = [.. snapshot.Related.Select(id => id.Value)],
            Streams = StreamsOf(snapshot, wallStart),
            Findings = [.. snapshot.Findings.Select(f => new RecordingFinding(f.Code.Text, f.Text, At(f.At))), .. faults.Select(AudioFilesFindings.Of)],
            Assurance = RecordingDocumentsAssurance.Of(snapshot, leads, faults),
            Metadata = [.. snapshot.Metadata.Select((m, i) => new MetadataVersion(
                At(m.At),
                m.DataMode is "unreadable" ? null : m.DataMode,
                i < metadataFiles.Count ? metadataFiles[i] : null))],
            Timeline = [.. snapshot.Timeline.OrderBy(e => e.At).Select(e => new TimelineEntry(At(e.At), e.Kind, e.Text))],
        };
    }

    /// <summary>A document that was complete, with a fault that came to light after it.</summary>
    public static RecordingDocument Add(RecordingDocument document, AudioFault fault) =>
        document with
        {
            Findings = [.. document.Findings, AudioFilesFindings.Of(fault)],
            Assurance = RecordingDocumentsAssurance.Add(document, fault),
        };

    private static List<RecordedStream> StreamsOf(RecordingSnapshot snapshot, DateTimeOffset wallStart)
    {
        var offsets = LegAlignment.OffsetsOf(snapshot);
        return [.. snapshot.Streams.Select(stream => StreamOf(snapshot, stream, offsets[stream.Index], wallStart))];
    }

    private static RecordedStream StreamOf(RecordingSnapshot snapshot, StreamSnapshot stream, TimeSpan correction, DateTimeOffset wallStart)
    {
        var report = stream.Report?.Stream ?? new();
        return new()
        {
            Label = stream.Label,
            Participants = [.. stream.Participants.Select(ParticipantOf)],
            Direction = stream.Direction,
            StartedAt = report.StartedAt is { } started ? wallStart + (started - snapshot.StartedAt) : null,
            ExpectedSeconds = Seconds(report.Expected),
            RecordedSeconds = Seconds(report.Duration),
            Files = [.. report.Files.Select(file => FileOf(snapshot, stream, file, correction, wallStart))],
            Other = report.Others is { } other ? FileOf(snapshot, stream, other, correction, wallStart) : null,
            Packets = report.Packets,
            Lost = report.Lost,
            Duplicates = report.Duplicates,
            Late = report.Late,
            Remote = TextOf(stream.Report?.Remote ?? default),
            Local = TextOf(stream.Local),
            Advertised = TextOf(stream.Advertised),
            Why = stream.Why,
            Path = stream.Report?.Path is { } path
                ? new(path.Local.ToString(), KindOf(path.LocalKind), path.Remote.ToString(), KindOf(path.RemoteKind))
                : null,
            Srtp = stream.Report?.Srtp is { } srtp ? new(srtp.Suite, srtp.Accepted, srtp.AuthenticationFailed, srtp.Replayed, srtp.Refused) : null,
            Ssrcs = report.Ssrcs,
        };
    }

    private static RecordedFile FileOf(
        RecordingSnapshot snapshot, StreamSnapshot stream, StreamFile file, TimeSpan correction, DateTimeOffset wallStart)
    {
        var offset = file.StartedAt - snapshot.StartedAt + correction;
        return new()
        {
            File = $"{RecordingStore.FolderOf(snapshot.Id.Value, wallStart)}/{NameOf(stream.Index + 1, file)}",
            Codec = file.Codec.EncodingName,
            StartOffsetSeconds = Seconds(offset < TimeSpan.Zero ? TimeSpan.Zero : offset),
            DurationSeconds = file.Duration.TotalSeconds,
            Packets = file.Codec.IsPackets ? file.Packets.Packets : null,
            ClockRate = file.Codec.ClockRate > 0 ? file.Codec.ClockRate : null,
            Channels = file.Codec.Channels > 1 ? file.Codec.Channels : null,
        };
    }

    /// <summary>The name of a file in the folder of its session.</summary>
    public static string NameOf(int stream, StreamFile file) => file switch
    {
        { Index: OtherPackets.FileIndex } => RecordingStore.OtherName(stream),
        { Codec.IsPackets: true } => RecordingStore.PacketsName(stream, file.Index + 1),
        _ => RecordingStore.AudioName(stream, file.Index + 1),
    };

    private static RecordingState StateOf(Endpoint.Siprec.RecordingState state) => state switch
    {
        Endpoint.Siprec.RecordingState.Recording => RecordingState.Recording,
        Endpoint.Siprec.RecordingState.Paused => RecordingState.Paused,
        Endpoint.Siprec.RecordingState.Complete => RecordingState.Complete,
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    private static string KindOf(CandidateType type) => type switch
    {
        CandidateType.Host => "host",
        CandidateType.ServerReflexive => "server-reflexive",
        CandidateType.PeerReflexive => "peer-reflexive",
        CandidateType.Relayed => "relayed",
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    private static Participant ParticipantOf(ParticipantInfo participant) => new(participant.Aor, participant.Name);

    private static string? TextOf(TransportAddress address) => address.IsNone ? null : address.ToString();

    // A sample of G.711 lasts 125 µs: six digits lose nothing and keep the JSON readable.
    private static double Seconds(TimeSpan span) => Math.Round(span.TotalSeconds, 6);
}
