using System.Globalization;
using System.Text;
using SipNat.Endpoint.Siprec;
using SipNat.Fuzz.Engine;
using SipNat.Wire;

namespace SipNat.Fuzz.Targets;

/// <summary>Metadata documents in the order of their arrival; a byte 0x1E stands between two of them.</summary>
internal sealed class MetadataTarget : IFuzzTarget
{
    private const byte Separator = 0x1E;

    // What the reader takes of one document; the rest of the sequence is the same code again.
    private const int MaxDocuments = 16;

    private static readonly string?[] Labels = ["1", null, "65804", "1", "mixed"];

    public string Name => "metadata";

    public string Promise => "a document is read within its caps; the state keeps its caps and answers whatever it is asked";

    public int MaxLength => RecordingMetadataReader.MaxLength + 1024;

    public IReadOnlyList<byte[]> Tokens { get; } =
    [
        [Separator],
        .. Mutator.Words(
            "<recording xmlns='urn:ietf:params:xml:ns:recording:1'>", "</recording>", "<datamode>partial</datamode>", "<datamode>complete</datamode>", "<session session_id='s1'>", "</session>", "<sipSessionID>a;remote=b</sipSessionID>", "<group group_id='g'/>", "<group-ref>g</group-ref>",
            "<participant participant_id='p1'>", "<participant participant_id='p2' session_id='s1'/>", "<nameID aor='sip:a@b'><name xml:lang='it'>A</name></nameID>", "</participant>", "<stream stream_id='t1' session_id='s1'><label>1</label></stream>", "<stream id='t2'><label>2</label></stream>",
            "<participantsessionassoc participant_id='p1' session_id='s1'>", "</participantsessionassoc>", "<associate-time>2024-03-01T10:18:30Z</associate-time>", "<disassociate-time>2024-03-01T10:18:30+01:00</disassociate-time>", "<disassociate-time>9999-12-31T23:59:59-14:00</disassociate-time>", "<start-time>x</start-time>",
            "<participantstreamassoc participant_id='p1'>", "<send>t1</send>", "<recv>t2</recv>", "</participantstreamassoc>", "<sessionrecordingassoc session_id='s1'>", "</sessionrecordingassoc>", "<send><id>t1</id></send>", "<reason>x</reason>", "<x:y xmlns:x='u'>z</x:y>", "xmlns:a='b'",
            "<!DOCTYPE r [<!ENTITY a 'b'>]>", "<!-- -->", "<![CDATA[x]]>", "<?pi x?>", "<?xml version='1.0' encoding='utf-16'?>", "&amp;", "&#x41;", "&#0;", "&undeclared;", "&#xFFFFFF;", "\u0000", "\ufeff", "<a>", "</a>", "<a/>", " a='1'", "xml:space='bad'", "'", "\"", "<", ">"),
    ];

    public IEnumerable<byte[]> Seeds(Corpus corpus)
    {
        byte[] sequence = [];
        foreach (var (type, disposition, body) in corpus.SiprecBodies())
        {
            if (MultipartReader.Read(Encoding.UTF8.GetBytes(type), Encoding.UTF8.GetBytes(disposition), body).Metadata is not { } metadata) continue;

            yield return metadata.ToArray();
            yield return [.. metadata.Span, Separator, .. metadata.Span];
            sequence = [.. sequence, Separator, .. metadata.Span];
        }

        yield return sequence;
        yield return Crowd(512);
        yield return [.. Crowd(300), Separator, .. "<recording><datamode>partial</datamode></recording>"u8, Separator, .. Crowd(20)];
        yield return "<recording><datamode>partial</datamode><participant id='a'/></recording>"u8.ToArray();
    }

    // As many as are tracked, so that what grows with their square is seen.
    private static byte[] Crowd(int count)
    {
        var xml = new StringBuilder("<recording><session session_id='s'/>");
        for (var i = 0; i < count; i++)
        {
            xml.Append(CultureInfo.InvariantCulture, $"<participant participant_id='p{i}'/><stream stream_id='t{i}' session_id='s'><label>1</label></stream>")
                .Append(CultureInfo.InvariantCulture, $"<participantstreamassoc participant_id='p{i}'><send>t{i}</send></participantstreamassoc>");
        }

        return Encoding.ASCII.GetBytes(xml.Append("</recording>").ToString());
    }

    public long AllowedBytes(int inputLength) => (1024L * 1024) + (512L * inputLength);

    public int Run(ReadOnlySpan<byte> input)
    {
        var metadata = new RecordingMetadata();
        var outcome = new HashCode();
        var now = new Instant(0);
        var documents = 0;
        foreach (var range in input.Split(Separator))
        {
            if (++documents > MaxDocuments) break;

            now += TimeSpan.FromSeconds(1);
            if (RecordingMetadataReader.TryRead(input[range].ToArray(), out var document, out var defect)) outcome.Add(Take(metadata, now, document));
            else Invariant.Holds(defect is not MetadataDefect.None, "What cannot be read has a defect.");
            outcome.Add(defect);
        }

        return outcome.ToHashCode();
    }

    private static int Take(RecordingMetadata metadata, Instant now, RecordingMetadataDocument document)
    {
        Invariant.Holds(document.Extensions.Count <= RecordingMetadataReader.MaxExtensions, "Extensions are capped.");
        Invariant.Holds(document.Participants.Count + document.Streams.Count + document.Sessions.Count <= RecordingMetadataReader.MaxElements, "Elements are capped.");
        var update = metadata.Apply(now, document);
        Invariant.Holds(update.Changes.All(c => c.At == now), "A change has the time of its document.");
        CheckState(metadata);
        return HashCode.Combine(Math.Min(update.Changes.Count, 4), update.NeedsSnapshot, document.IsPartial, Math.Min(document.Streams.Count, 3), Math.Min(document.Participants.Count, 3), document.Extensions.Count > 0);
    }

    private static void CheckState(RecordingMetadata metadata)
    {
        Invariant.Holds(metadata.CommunicationSessions.Count <= RecordingMetadata.MaxTracked && metadata.Participants.Count <= RecordingMetadata.MaxTracked && metadata.Streams.Count <= RecordingMetadata.MaxTracked, "What is tracked is capped.");
        Invariant.Holds(metadata.History.Count <= RecordingMetadata.MaxHistory, "The history is capped.");
        foreach (var finding in metadata.Compare(Labels)) _ = finding.Explain();
        foreach (var label in Labels.OfType<string>().Concat(metadata.Streams.Select(s => s.Label).OfType<string>().Take(4)))
        {
            var senders = metadata.SendersOf(label);
            Invariant.Holds(metadata.CurrentSendersOf(label).All(now => senders.Any(ever => ever.Id == now.Id)), "Who sends is among those who ever sent.");
        }

        Invariant.Holds(metadata.Participants.All(p => p.LeftAt is null || p.LeftAt >= p.JoinedAt), "Nobody leaves before joining.");
    }
}
