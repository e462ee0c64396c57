using System.Globalization;
using System.Text;
using SipNat.Endpoint.Diagnosis;
using SipNat.Endpoint.Siprec;
using SipNat.Simulation;
using SipNat.Simulation.Recorder;
using SipNat.Tests.Media.RtpDump;
using SipNat.Wire;

namespace SipNat.Tests.Endpoint.Field;

/// <summary>
/// Everything that came of a conversation, as text to be compared with a file: the recorder's messages whole, what is
/// recorded, and what is noted. What is drawn by chance has a name in its place.
/// </summary>
internal static class FieldTranscript
{
    public static string Of(FieldPeer peer, IReadOnlyList<RecordedSession> sessions)
    {
        var text = new StringBuilder();
        foreach (var happened in peer.Events)
        {
            text.Append(CultureInfo.InvariantCulture, $"{Seconds(happened.At)} {(happened.IsSent ? "-->" : "<--")} {happened.Name}\n");
            if (!happened.IsSent && !happened.Name.StartsWith("SIP/2.0 100", StringComparison.Ordinal)) text.Append(Indent(happened.Text));
        }

        for (var i = 0; i < sessions.Count; i++) Describe(text, peer, sessions[i], i + 1);
        return Anonymous(text.ToString(), sessions);
    }

    private static void Describe(StringBuilder text, FieldPeer peer, RecordedSession session, int number)
    {
        var snapshot = session.Snapshot;
        text.Append(CultureInfo.InvariantCulture, $"\nsession {number}: {snapshot.State}. {snapshot.EndReason}\n");
        foreach (var call in snapshot.CommunicationSessions) text.Append($"  call {call.Id} ({call.SipSessionId ?? "no Session-ID"}) in ({string.Join(", ", call.Groups)})\n");
        text.Append($"  participants {Names(snapshot.Participants)}\n");
        if (snapshot.Links.Count > 0) text.Append($"  links {string.Join(", ", snapshot.Links.Select(l => $"{l.Kind} {l.Value}"))}\n");
        if (snapshot.Related.Count > 0) text.Append($"  related to {string.Join(", ", snapshot.Related)}\n");
        foreach (var stream in snapshot.Streams)
        {
            text.Append(CultureInfo.InvariantCulture, $"  stream {stream.Index + 1} '{stream.Label}' of {Names(stream.Participants)}, {stream.Direction}: ");
            text.Append(string.Join("; ", session.Files.Where(f => f.Stream == stream.Index).Select(f => Describe(peer, session, f)).DefaultIfEmpty("no file"))).Append('\n');
        }

        foreach (var other in session.Others)
        {
            var packets = DumpedPackets.Read(other.Audio());
            text.Append(CultureInfo.InvariantCulture, $"  beside stream {other.Stream + 1}: {packets.Count} packets in {packets[^1].Milliseconds / 1000.0:F2} s, the first from {other.Begun.Source}{(other.IsComplete ? "" : ", not complete")}\n");
        }

        foreach (var metadata in snapshot.Metadata) text.Append(CultureInfo.InvariantCulture, $"  metadata {metadata.DataMode}, {metadata.ContentType}, {metadata.Xml.Length} bytes\n");
        foreach (var finding in snapshot.Findings) text.Append($"  finding {finding.Code.Text}: {finding.Text}\n");
        foreach (var entry in snapshot.Timeline) text.Append($"  {Seconds(entry.At)} {entry.Kind}: {entry.Text}\n");
    }

    private static string Describe(FieldPeer peer, RecordedSession session, RecordedFile file)
    {
        var sent = peer.Sent.Where(s => s.CallId == session.Snapshot.CallId && s.Frame.Stream == file.Stream).Select(s => s.Frame.Index).ToList();
        return file.Codec.IsPackets ? DescribePackets(file, sent.Count) : DescribeAudio(file, sent.Count);
    }

    private static string DescribePackets(RecordedFile file, int sent)
    {
        var packets = DumpedPackets.Read(file.Audio());
        var frames = packets.Count(p => ScriptedFrame.TryRead(p.Packet.AsSpan(12), out var stream, out _) && stream == file.Stream);
        var types = packets.Select(p => DumpedPackets.PayloadType(p.Packet)).Distinct();
        return string.Create(CultureInfo.InvariantCulture,
            $"{packets.Count} packets of {file.Codec.EncodingName} (type {string.Join(", ", types)}) in {packets[^1].Milliseconds / 1000.0:F2} s from {file.Begun.Source} to {file.Begun.Local}, {frames} of {sent} frames{(file.IsComplete ? "" : ", not complete")}");
    }

    private static string DescribeAudio(RecordedFile file, int sent)
    {
        var frames = file.Frames();
        var isInPlace = frames.All(f => f.Offset - frames[0].Offset == (f.Frame - frames[0].Frame) * ScriptedFrame.Length);
        return string.Create(CultureInfo.InvariantCulture,
            $"{file.Codec.Known} {file.Length / 8000.0:F2} s, {frames.Count} of {sent} frames{(isInPlace ? "" : " out of place")}{(file.IsComplete ? "" : ", not complete")}");
    }

    private static string Names(IReadOnlyList<ParticipantInfo> participants) =>
        $"({string.Join(", ", participants.Select(p => p.Name is null ? p.Aor : $"{p.Aor} '{p.Name}'"))})";

    private static string Seconds(Instant at) => (at - new Instant(0)).TotalSeconds.ToString("F2", CultureInfo.InvariantCulture);

    private static string Indent(string message) =>
        string.Concat(message.ReplaceLineEndings("\n").TrimEnd('\n').Split('\n').Select(line => $"    {line}".TrimEnd() + "\n"));

    // Ids, and with them the numbers that follow from their seed, are not what a case is about.
    private static string Anonymous(string text, IReadOnlyList<RecordedSession> sessions)
    {
        for (var i = 0; i < sessions.Count; i++) text = text.Replace(sessions[i].Id.Value, $"{{id {i + 1}}}", StringComparison.Ordinal);

        var lines = text.Split('\n').Select(line => line.StartsWith("    o=sipnat ", StringComparison.Ordinal)
            ? $"    o=sipnat {{number}} {string.Join(' ', line.Split(' ').Skip(6))}"
            : line.StartsWith("    a=crypto:", StringComparison.Ordinal) ? $"{line.Split("inline:")[0]}inline:{{key}}"
            : AnonymousTag(line));
        return string.Join('\n', lines);
    }

    // The tag of a refusal, and the branch of a request of the recorder's.
    private static string AnonymousTag(string line)
    {
        foreach (var (header, parameter) in new[] { ("    To: ", ";tag="), ("    Via: ", ";branch=z9hG4bK") })
        {
            var at = line.IndexOf(parameter, StringComparison.Ordinal);
            if (!line.StartsWith(header, StringComparison.Ordinal) || at < 0 || line.Contains("{id", StringComparison.Ordinal)) continue;

            var rest = line[(at + parameter.Length)..];
            var isOurs = header is "    To: " ? rest.Length >= 8 && !rest.Contains('-', StringComparison.Ordinal) : line.Contains("198.51.100.10", StringComparison.Ordinal);
            var end = rest.IndexOf(';', StringComparison.Ordinal);
            if (isOurs) return line[..(at + parameter.Length)] + "{token}" + (end < 0 ? "" : rest[end..]);
        }

        return line;
    }
}
