using System.Text;
using SipNat.Endpoint;
using SipNat.Endpoint.Siprec;
using SipNat.Sip.Messages;
using SipNat.Wire;

namespace SipNat.Tests.Endpoint.Siprec;

/// <summary>By which names recordings of one call find each other.</summary>
public sealed class RecordingLinksTests
{
    private static readonly RecordingLink Link = new(LinkKinds.Group, "group-1");
    private static readonly SessionId First = new("first");
    private static readonly SessionId Second = new("second");
    private static readonly Instant Start = new(0);

    [Fact]
    public void Sessions_with_one_name_are_found_and_none_is_related_to_itself()
    {
        var links = new RecordingLinks(maxSessions: 10_000);

        Assert.Empty(links.Add(Start, Link, First));
        Assert.Empty(links.Add(Start, Link, First));
        Assert.Equal([First], links.Add(Start, Link, Second));
        Assert.Empty(links.Add(Start, new(LinkKinds.Gcid, "group-1"), Second));
        Assert.Equal([Second], links.Add(Start, Link, First));
    }

    [Fact]
    public void A_name_is_forgotten_an_hour_after_it_was_heard_last()
    {
        var links = new RecordingLinks(maxSessions: 10_000);
        links.Add(Start, Link, First);
        links.Add(Start + TimeSpan.FromMinutes(50), Link, First);

        Assert.Equal([First], links.Add(Start + TimeSpan.FromMinutes(110), Link, Second));
        Assert.Empty(links.Add(Start + TimeSpan.FromMinutes(171), Link, new("third")));
    }

    [Fact]
    public void No_flood_of_names_or_of_sessions_grows_without_end()
    {
        var links = new RecordingLinks(maxSessions: 10_000);
        for (var i = 0; i < 60_000; i++) links.Add(Start, new(LinkKinds.Group, $"{i}"), First);

        Assert.Empty(links.Add(Start, new(LinkKinds.Group, "0"), Second));
        Assert.Equal([First], links.Add(Start, new(LinkKinds.Group, "59999"), Second));

        for (var i = 0; i < 1_000; i++) links.Add(Start, Link, new($"{i}"));

        Assert.Equal(64, links.Add(Start, Link, Second).Count);
    }

    [Theory]
    [InlineData("From: <sip:3001@192.0.2.1;x-nearend;x-refci=27298698>;tag=1", "x-refci 27298698")]
    [InlineData("From: <sip:a@192.0.2.1>;tag=1\r\nUser-to-User: 00FA080018803b69810c6d;encoding=hex", "ucid 0018803B69810C6D")]
    [InlineData("From: <sip:a@192.0.2.1>;tag=1\r\nUser-to-User: 00FA0800188;encoding=hex", "")]
    [InlineData("From: <sip:a@192.0.2.1>;tag=1\r\nUser-to-User: 48656c6c6f;encoding=hex", "")]
    [InlineData("From: <sip:a@192.0.2.1>;tag=1\r\nCall-Info: <http://cc.example/conversations/c-1>;purpose=Goog-ContactCenter-Conversation", "conversation http://cc.example/conversations/c-1")]
    [InlineData("From: <sip:a@192.0.2.1>;tag=1\r\nCall-Info: <http://cc.example/icon.png>;purpose=icon", "")]
    [InlineData("From: <sip:a@192.0.2.1;x-refci=7>;tag=1", "")] // too short to be a name
    public void Headers_have_the_names_that_clients_put_there(string headers, string expected)
    {
        var text = $"INVITE sip:r@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nMax-Forwards: 70\r\n{headers}\r\nTo: <sip:r@192.0.2.2>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n";
        Assert.True(StoredSipMessage.TryRead(Encoding.UTF8.GetBytes(text), out var message));

        Assert.Equal(expected, Text(LinkReader.InHeaders(message!)));
    }

    [Theory]
    [InlineData("<group group_id=\"grp/0+1==\"/><session session_id=\"0123456789\"><group-ref>grp/0+1==</group-ref></session>", "group grp/0+1==, session 0123456789, group grp/0+1==")]
    [InlineData("<session session_id=\"s\"/>", "")]
    [InlineData("<session/>", "")] // no id of its own
    [InlineData("<session session_id=\"0123456789\"><sipSessionID>AB30317F1A784DC48FF824D0D3715D86;remote=00000000000000000000000000000000</sipSessionID></session>", "session 0123456789, sip-session-id ab30317f1a784dc48ff824d0d3715d86")]
    [InlineData("<session session_id=\"0123456789\"><x:data><x:gcid>525897</x:gcid></x:data></session>", "session 0123456789, gcid 525897")]
    [InlineData("<participant participant_id=\"p\"><b><extTrackingID>18:1</extTrackingID></b></participant>", "ext-tracking-id 18:1")]
    public void Metadata_has_its_own_names_and_those_of_its_extensions(string content, string expected)
    {
        Assert.True(RecordingMetadataReader.TryRead(Encoding.UTF8.GetBytes($"<recording>{content}</recording>"), out var document, out _));

        Assert.Equal(expected, Text(LinkReader.InMetadata(document)));
    }

    private static string Text(IEnumerable<RecordingLink> links) => string.Join(", ", links.Select(l => $"{l.Kind} {l.Value}"));
}
