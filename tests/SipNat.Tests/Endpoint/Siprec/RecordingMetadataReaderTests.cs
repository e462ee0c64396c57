using System.Globalization;
using System.Text;
using SipNat.Endpoint.Siprec;

namespace SipNat.Tests.Endpoint.Siprec;

public sealed class RecordingMetadataReaderTests
{
    // The dialect of RFC 7865 §5–6, all elements.
    private const string Standard = """
        <?xml version="1.0" encoding="UTF-8"?>
        <recording xmlns="urn:ietf:params:xml:ns:recording:1">
          <datamode>complete</datamode>
          <group group_id="g1"><associate-time>2024-01-02T03:04:05Z</associate-time></group>
          <session session_id="s1">
            <sipSessionID>ab30317f1a784dc48ff824d0d3715d86;remote=47755a9de7794ba387653f2099600ef2</sipSessionID>
            <sipSessionID>second</sipSessionID>
            <group-ref>g1</group-ref>
            <start-time>2024-01-02T03:04:06Z</start-time>
            <stop-time>2024-01-02T03:04:09Z</stop-time>
            <reason protocol="Q.850">normal</reason>
          </session>
          <participant participant_id="p1"><nameID aor="sip:a@x"><name xml:lang="en">A &amp; Co</name></nameID><nameID aor="tel:+1"/></participant>
          <stream stream_id="m1" session_id="s1"><label>96</label></stream>
          <sessionrecordingassoc session_id="s1"><associate-time>2024-01-02T03:04:05Z</associate-time></sessionrecordingassoc>
          <participantsessionassoc participant_id="p1" session_id="s1"><disassociate-time>2024-01-02T03:04:08Z</disassociate-time></participantsessionassoc>
          <participantstreamassoc participant_id="p1"><send>m1</send><recv>m2</recv><recv>m3</recv></participantstreamassoc>
        </recording>
        """;

    [Fact]
    public void The_standard_document_is_read_whole()
    {
        var document = Read(Standard);

        Assert.False(document.IsPartial);
        Assert.Equal([new("g1", new(At(5), null))], document.Groups);
        var session = Assert.Single(document.Sessions);
        Assert.Equal(("s1", "normal", new MetadataSpan(At(6), At(9))), (session.Id, session.Reason, session.Span));
        Assert.Equal(["ab30317f1a784dc48ff824d0d3715d86;remote=47755a9de7794ba387653f2099600ef2", "second"], session.SipSessionIds);
        Assert.Equal(["g1"], session.Groups);
        var participant = Assert.Single(document.Participants);
        Assert.Equal("p1", participant.Id);
        Assert.Equal([new("sip:a@x", "A & Co"), new("tel:+1", null)], participant.Names);
        Assert.Equal([new() { Id = "m1", Label = "96", SessionId = "s1" }], document.Streams);
        Assert.Equal([new("s1", new(At(5), null))], document.SessionRecordings);
        Assert.Equal([new("p1", "s1", new(null, At(8)))], document.ParticipantSessions);
        var streams = Assert.Single(document.ParticipantStreams);
        Assert.Equal(("p1", "m1", "m2 m3"), (streams.ParticipantId, string.Join(' ', streams.Sends), string.Join(' ', streams.Receives)));
        Assert.Empty(document.Extensions);
    }

    [Theory]
    [InlineData("<recording xmlns='urn:ietf:params:xml:ns:recording:1'>{0}</recording>")]
    [InlineData("<recording xmlns='urn:ietf:params:xml:ns:recording'>{0}</recording>")]
    [InlineData("<recording_metadata xmlns='urn:ietf:params:xml:ns:siprec'>{0}</recording_metadata>")]
    [InlineData("<recording_metadata><recording id='r'>{0}</recording></recording_metadata>")]
    [InlineData("<recording>{0}</recording>")]
    [InlineData("<tns:recording xmlns:tns='urn:x'>{0}</tns:recording>")]
    [InlineData("<undeclared:Recording>{0}</undeclared:Recording>")]
    [InlineData("\r\n  <?xml version='1.0' encoding='UTF-8' standalone='yes'?><!-- c --><recording>{0}</recording>\0\r\n")]
    [InlineData("\uFEFF<?xml version='1.0' encoding='utf-16'?><recording>{0}</recording>")]
    public void Every_root_is_read(string root) =>
        Assert.Equal(["1"], Read(string.Format(CultureInfo.InvariantCulture, root, "<stream id='m'><label>1</label></stream>")).Streams.Select(s => s.Label));

    [Theory]
    [InlineData("<datamode>Partial</datamode>", true)]
    [InlineData("<dataMode> partial </dataMode>", true)]
    [InlineData("<dataMode>complete</dataMode>", false)]
    [InlineData("<data-mode/>", false)]
    [InlineData("", false)]
    public void The_data_mode_is_partial_only_where_it_says_so(string mode, bool isPartial) =>
        Assert.Equal(isPartial, Read($"<recording>{mode}</recording>").IsPartial);

    [Theory]
    [InlineData("<participant participant_id='p' session_id='s'><nameID aor='a'><name>n</name></nameID><send>m</send></participant>")]
    [InlineData("<participant id='p' session='s'><nameID aor='a'><name>n</name></nameID><send><id>m</id></send></participant>")]
    [InlineData("<participant><id>p</id><session>s</session><aor>a</aor><name> n </name><send><id>m</id></send></participant>")]
    [InlineData("<participant><participant_id>p</participant_id><session_id>s</session_id><nameID><aor>a</aor><name>n</name></nameID><send stream_id='m'/></participant>")]
    [InlineData("<participant id='p' aor='a'><name>n</name></participant><participantsessionassoc participant='p' session='s'/><participantstreamassoc id='p'><send>m</send></participantstreamassoc>")]
    public void Ids_names_and_streams_are_found_wherever_they_are_put(string xml)
    {
        var document = Read($"<recording>{xml}</recording>");

        Assert.Equal(("p", new MetadataName("a", "n")), (document.Participants[0].Id, document.Participants[0].Names[0]));
        Assert.Equal([new("p", "s", default)], document.ParticipantSessions);
        Assert.Equal([("p", "m")], document.ParticipantStreams.Select(a => (a.ParticipantId, string.Join(' ', a.Sends))));
    }

    [Theory]
    [InlineData("2024-01-02T03:04:05Z", "2024-01-02T03:04:05.000Z")]
    [InlineData("2024-01-02T03:04:05", "2024-01-02T03:04:05.000Z")]
    [InlineData("2024-01-02T03:04:05.678Z", "2024-01-02T03:04:05.678Z")]
    [InlineData("2024-01-02T03:04:05.123456789Z", "2024-01-02T03:04:05.123Z")]
    [InlineData("2024-01-02T03:04:05+02:00", "2024-01-02T01:04:05.000Z")]
    [InlineData("2024-01-02T03:04:05+0200", "2024-01-02T01:04:05.000Z")]
    [InlineData(" 2024-01-02T03:04:05-05:00 ", "2024-01-02T08:04:05.000Z")]
    [InlineData("1970-01-01T00:00:21Z", null)]
    [InlineData("yesterday", null)]
    [InlineData("", null)]
    public void Times_are_utc_or_unknown(string text, string? expected)
    {
        var time = Read($"<recording><group id='g'><associate-time>{text}</associate-time></group></recording>").Groups[0].Span.From;

        Assert.Equal(expected, time?.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
        Assert.Equal(TimeSpan.Zero, time?.Offset ?? TimeSpan.Zero);
    }

    [Fact]
    public void What_has_no_id_gets_one()
    {
        var document = Read("<recording><group/><session/><participant/><participant/><stream id=' '><label>5</label></stream><stream/></recording>");

        Assert.Equal(["group:1", "session:1", "participant:1", "participant:2", "label:5", "stream:2"],
            [.. document.Groups.Select(g => g.Id), .. document.Sessions.Select(s => s.Id), .. document.Participants.Select(p => p.Id), .. document.Streams.Select(s => s.Id)]);
    }

    [Fact]
    public void Elements_of_other_vocabularies_are_kept_as_they_came()
    {
        var document = Read("""
            <recording xmlns="urn:r" xmlns:a="urn:a"><session id="s"><a:data n="1 &lt; &quot;2&quot;">x<a:in/> &amp; y</a:data></session>
            <extensiondata parent="p" id="e"><b xmlns="urn:b">z</b></extensiondata></recording>
            """);

        Assert.Equal(
            [
                new("session", "s", "a:data", "urn:a", "<a:data n=\"1 &lt; &quot;2&quot;\">x<a:in/> &amp; y</a:data>"),
                new("recording", "p", "extensiondata", "urn:r", "<extensiondata parent=\"p\" id=\"e\"><b xmlns=\"urn:b\">z</b></extensiondata>"),
            ],
            document.Extensions);
    }

    [Theory]
    [InlineData("", MetadataDefect.Empty)]
    [InlineData(" \r\n", MetadataDefect.Empty)]
    [InlineData("hello", MetadataDefect.Malformed)]
    [InlineData("<recording>", MetadataDefect.Malformed)]
    [InlineData("<recording/><recording/>", MetadataDefect.Malformed)]
    [InlineData("<?xml version='1.0'?>", MetadataDefect.Malformed)]
    [InlineData("<recordings/>", MetadataDefect.UnknownRoot)]
    [InlineData("<!DOCTYPE recording><recording/>", MetadataDefect.DocumentType)]
    [InlineData("<?xml version='1.0'?><!doctype r [<!ENTITY a 'x'><!ENTITY b '&a;&a;'>]><recording>&b;</recording>", MetadataDefect.DocumentType)]
    [InlineData("<!DOCTYPE r [<!ENTITY f SYSTEM 'file:///etc/passwd'>]><recording>&f;</recording>", MetadataDefect.DocumentType)]
    public void A_defect_is_named(string xml, MetadataDefect expected) => Assert.Equal(expected, DefectOf(xml));

    [Fact]
    public void Every_length_and_list_has_its_limit()
    {
        Assert.Equal(MetadataDefect.TooLong, DefectOf(new string(' ', RecordingMetadataReader.MaxLength + 1)));
        Assert.Equal(MetadataDefect.TooDeep, DefectOf(string.Concat(Enumerable.Repeat("<a>", RecordingMetadataReader.MaxDepth + 1))));
        Assert.Equal(MetadataDefect.TooManyElements, DefectOf($"<recording>{string.Concat(Enumerable.Repeat("<a/>", RecordingMetadataReader.MaxElements))}</recording>"));
        Assert.Equal(MetadataDefect.TooManyAttributes, DefectOf($"<recording {string.Concat(Enumerable.Range(0, RecordingMetadataReader.MaxAttributes + 1).Select(i => $"a{i}='' "))}/>"));
        Assert.Equal(RecordingMetadataReader.MaxExtensions, Read($"<recording>{string.Concat(Enumerable.Repeat("<a/>", RecordingMetadataReader.MaxExtensions + 1))}</recording>").Extensions.Count);
    }

    [Fact]
    public void An_entity_that_nobody_declared_stays_as_it_is_written() =>
        Assert.Equal("a&nbsp;<b", Read("<recording><participant><name>a&nbsp;&lt;b</name></participant></recording>").Participants[0].Names[0].Name);

    [Fact]
    public void The_real_encoding_wins_over_the_declared_one()
    {
        const string Xml = "<?xml version='1.0' encoding='{0}'?><recording><participant id='p'><aor>a</aor><name>Zoë</name></participant></recording>";

        Assert.Equal("Zoë", NameOf(Encoding.UTF8.GetBytes(string.Format(CultureInfo.InvariantCulture, Xml, "ISO-8859-1"))));
        Assert.Equal("Zoë", NameOf(Encoding.Latin1.GetBytes(string.Format(CultureInfo.InvariantCulture, Xml, "UTF-8"))));
        Assert.Equal("Zoë", NameOf([0xFF, 0xFE, .. Encoding.Unicode.GetBytes(string.Format(CultureInfo.InvariantCulture, Xml, "UTF-16"))]));
        Assert.Equal("Zoë", NameOf([0xFE, 0xFF, .. Encoding.BigEndianUnicode.GetBytes(string.Format(CultureInfo.InvariantCulture, Xml, "x-unknown"))]));

        static string? NameOf(byte[] xml) => RecordingMetadataReader.TryRead(xml, out var document, out _) ? document.Participants[0].Names[0].Name : null;
    }

    [Fact]
    public void No_truncation_and_no_mutation_makes_the_reader_throw()
    {
        var bytes = Encoding.UTF8.GetBytes(Standard);
        for (var length = 0; length < bytes.Length; length++) Assert.False(RecordingMetadataReader.TryRead(bytes.AsMemory(0, length), out _, out _));

        var random = new Random(7865);
        for (var round = 0; round < 1000; round++)
        {
            var mutated = bytes.ToArray();
            for (var change = 0; change <= round % 4; change++) mutated[random.Next(mutated.Length)] = (byte)random.Next(256);
            if (RecordingMetadataReader.TryRead(mutated, out var document, out _)) _ = new RecordingMetadata().Apply(new(0), document);
        }
    }

    private static DateTimeOffset At(int second) => new(2024, 1, 2, 3, 4, second, TimeSpan.Zero);

    private static RecordingMetadataDocument Read(string xml) =>
        RecordingMetadataReader.TryRead(Encoding.UTF8.GetBytes(xml), out var document, out var defect) ? document : throw new FormatException(defect.ToString());

    private static MetadataDefect DefectOf(string xml)
    {
        _ = RecordingMetadataReader.TryRead(Encoding.UTF8.GetBytes(xml), out _, out var defect);
        return defect;
    }
}
