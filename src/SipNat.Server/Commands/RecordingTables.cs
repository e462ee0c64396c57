using System.Globalization;
using SipNat.Archive.Documents;
using SipNat.Archive.Export;
using SipNat.Archive.Index;
using SipNat.Archive.Storage;
using SipNat.Server.Hosting;
using Spectre.Console;

namespace SipNat.Server.Commands;

/// <summary>Recordings as tables for people. Text from the wire is escaped: it is neither markup nor terminal control.</summary>
internal static class RecordingTables
{
    public static void PrintList(TextWriter output, IReadOnlyList<RecordingDocument> recordings)
    {
        if (recordings.Count == 0)
        {
            output.WriteLine("No recordings.");
            return;
        }

        var table = TextTable.Create("Id", "State", "Started (UTC)", "Length", "Remote", "Participants");
        foreach (var recording in recordings)
        {
            TextTable.AddRow(
                table,
                recording.Id,
                State(recording),
                Time(recording.StartedAt),
                Length(recording.EndedAt - recording.StartedAt),
                recording.Remote ?? "",
                Names(recording.Participants));
        }

        TextTable.Console(output).Write(table);
    }

    public static void PrintOne(TextWriter output, RecordingDocument recording)
    {
        var console = TextTable.Console(output);
        var facts = new Grid().AddColumn().AddColumn();
        foreach (var (name, value) in Facts(recording)) facts.AddRow(TextTable.Cell(name), TextTable.Cell(value));
        console.Write(facts);

        var streams = TextTable.Create("Stream", "Direction", "Participants", "Recorded", "Expected", "Packets", "Lost", "From", "Files");
        foreach (var (stream, number) in recording.Streams.Select((stream, index) => (stream, index + 1)))
        {
            TextTable.AddRow(
                streams,
                stream.Label is { } label ? $"{number} ({label})" : $"{number}",
                stream.Direction ?? "",
                Names(stream.Participants),
                Seconds(stream.RecordedSeconds),
                Seconds(stream.ExpectedSeconds),
                $"{stream.Packets}",
                $"{stream.Lost}",
                stream.Remote ?? "",
                string.Join('\n', stream.AllFiles.Select(FileText)));
        }

        if (recording.Streams.Count > 0)
        {
            console.Write(streams);
            console.Write(Addresses(recording));
        }

        PrintMoments(console, "Finding", recording.Findings.Select(finding => (finding.At, finding.Code, finding.Text)));
        PrintMoments(console, "Metadata", (recording.Metadata ?? []).Select(version => (version.At, version.DataMode ?? "unreadable", version.File ?? "")));
        PrintMoments(console, "Timeline", (recording.Timeline ?? []).Select(entry => (entry.At, entry.Kind, entry.Text ?? "")));
    }

    private static string FileText(RecordedFile file) =>
        file.Packets is { } packets ? $"{file.File} ({file.Codec}, {packets} packets)" : $"{file.File} ({file.Codec})";

    // Which address each stream's sender was told, and why: the first question where audio is missing.
    private static Table Addresses(RecordingDocument recording)
    {
        var addresses = TextTable.Create("Stream", "Bound to", "Told the peer", "Why");
        foreach (var (stream, number) in recording.Streams.Select((stream, index) => (stream, index + 1)))
        {
            TextTable.AddRow(addresses, $"{number}", stream.Local ?? "", stream.Advertised ?? "", Why(stream));
        }

        return addresses;
    }

    private static string Why(RecordedStream stream) => stream.Path is { } path
        ? $"{stream.Why}; ICE found {path.Local} ({path.LocalKind}) > {path.Remote} ({path.RemoteKind})"
        : stream.Why ?? "";

    public static void PrintExport(TextWriter output, ExportResult result)
    {
        foreach (var file in result.Files)
        {
            var labels = string.Join(", ", file.Labels.Select(label => label ?? "no label"));
            output.WriteLine(SafeText.Escape($"{file.Path}: {Seconds(file.Seconds)}, {file.Labels.Count} channel(s) ({labels})"));
        }

        foreach (var kept in result.Kept)
        {
            output.WriteLine(SafeText.Escape($"Stream {kept.Stream}: {kept.Codec} is not decoded here; its packets are in {kept.File}."));
        }

        if (result.OmittedStreams > 0) output.WriteLine($"{result.OmittedStreams} stream(s) are not in it; --format channels or streams takes all.");
    }

    public static void PrintProblems(TextWriter output, IReadOnlyList<RecordingProblem> problems, string whenNone)
    {
        if (problems.Count == 0) output.WriteLine(whenNone);
        foreach (var problem in problems) output.WriteLine(SafeText.Escape($"{problem.Id}: {problem.Text}"));
    }

    public static void PrintReindex(TextWriter output, ReindexResult result)
    {
        if (result.MovedAside is { } aside) output.WriteLine(SafeText.Escape($"The catalogue was damaged; it is kept as {aside}."));
        output.WriteLine($"{result.Indexed} indexed, {result.Recovered} of them recovered, {result.Removed} rows removed, {result.ProblemCount} problems.");
        if (result.Problems.Count > 0) PrintProblems(output, result.Problems, "");
    }

    private static IEnumerable<(string Name, string Value)> Facts(RecordingDocument recording)
    {
        yield return ("Recording", recording.Id);
        yield return ("State", State(recording));
        yield return ("Started", Time(recording.StartedAt));
        if (recording.EndedAt is { } ended) yield return ("Ended", $"{Time(ended)} ({Length(ended - recording.StartedAt)})");
        if (recording.CallId is { } callId) yield return ("Call-ID", callId);
        if (recording.Remote is { } remote) yield return ("Remote", remote);
        foreach (var session in recording.CommunicationSessions) yield return ("Session", session.SipSessionId ?? session.Id);
        foreach (var participant in recording.Participants) yield return ("Participant", Name(participant));
    }

    private static void PrintMoments(IAnsiConsole console, string title, IEnumerable<(DateTimeOffset At, string Code, string Text)> moments)
    {
        var table = TextTable.Create("At (UTC)", title, "");
        foreach (var (at, code, text) in moments) TextTable.AddRow(table, Time(at), code, text);
        if (table.Rows.Count > 0) console.Write(table);
    }

    private static string State(RecordingDocument recording) => recording.State.ToString().ToLowerInvariant();

    private static string Names(IReadOnlyList<Participant> participants) => string.Join(", ", participants.Select(Name));

    private static string Name(Participant participant) => (participant.Name, participant.Aor) switch
    {
        ({ Length: > 0 } name, { } aor) => $"{name} <{aor}>",
        ({ Length: > 0 } name, null) => name,
        (_, { } aor) => aor,
        _ => "unknown",
    };

    private static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);

    private static string Length(TimeSpan? length) =>
        length is { } value ? value.ToString(value.Days == 0 ? @"hh\:mm\:ss" : @"d\.hh\:mm\:ss", CultureInfo.InvariantCulture) : "running";

    private static string Seconds(double seconds) => string.Create(CultureInfo.InvariantCulture, $"{seconds:F1} s");
}
