using System.Text;
using SipNat.Endpoint.Siprec;
using SipNat.Wire;

namespace SipNat.Tests.Endpoint.Siprec;

public sealed class RecordingMetadataTests
{
    private const string AliceAndBob = """
        <session session_id="s"><group-ref>g</group-ref></session>
        <participant participant_id="a"><nameID aor="sip:alice@x"><name>Alice</name></nameID></participant>
        <participant participant_id="b"><nameID aor="sip:bob@x"/></participant>
        <stream stream_id="1" session_id="s"><label>96</label></stream>
        <stream stream_id="2" session_id="s"><label>97</label></stream>
        <participantsessionassoc participant_id="a" session_id="s"/>
        <participantsessionassoc participant_id="b" session_id="s"/>
        <participantstreamassoc participant_id="a"><send>1</send><recv>2</recv></participantstreamassoc>
        <participantstreamassoc participant_id="b"><send>2</send><recv>1</recv></participantstreamassoc>
        """;

    private readonly RecordingMetadata _metadata = new();

    [Fact]
    public void A_complete_document_begins_everything_once()
    {
        Assert.Equal(
            ["SessionStarted s", "ParticipantJoined a s", "ParticipantJoined b s", "StreamAdded 1 96", "StreamAdded 2 97", "SendingStarted a 1", "SendingStarted b 2"],
            Changes(Complete(1, AliceAndBob)));
        Assert.Empty(Changes(Complete(2, AliceAndBob)));

        Assert.Equal(7, _metadata.History.Count);
        Assert.All(_metadata.History, entry => Assert.Equal(new Instant(1), entry.At));
        Assert.Equal(["Alice"], _metadata.SendersOf("96").Select(p => p.Name));
        Assert.Equal(["sip:bob@x"], _metadata.CurrentSendersOf("97").Select(p => p.Aor));
        Assert.Empty(_metadata.SendersOf("98"));
        Assert.Equal(["1", "2"], _metadata.Streams.Select(s => s.Id));
        Assert.Equal([("s", "g")], _metadata.CommunicationSessions.Select(s => (s.Id, string.Join(' ', s.Groups))));
    }

    [Fact]
    public void A_complete_document_ends_what_it_does_not_name()
    {
        _ = Complete(1, AliceAndBob);
        var changes = Changes(Complete(5, """
            <session session_id="s"><group-ref>g</group-ref></session>
            <participant participant_id="a"><nameID aor="sip:alice@x"><name>Alice</name></nameID></participant>
            <stream stream_id="1" session_id="s"><label>96</label></stream>
            <participantsessionassoc participant_id="a" session_id="s"/>
            <participantstreamassoc participant_id="a"><send>1</send></participantstreamassoc>
            """));

        Assert.Equal(["ParticipantLeft b s", "StreamRemoved 2 97", "SendingStopped b 2"], changes);
        Assert.Equal([null, new Instant(5)], _metadata.Participants.Select(p => p.LeftAt));
        Assert.Equal(["sip:bob@x"], _metadata.SendersOf("97").Select(p => p.Aor));
        Assert.Empty(_metadata.CurrentSendersOf("97"));
    }

    [Fact]
    public void A_partial_document_changes_only_what_it_names()
    {
        _ = Complete(1, AliceAndBob);
        var update = Partial(5, """
            <participant participant_id="c"><nameID aor="sip:carol@x"/></participant>
            <participantsessionassoc participant_id="c" session_id="s"><associate-time>2024-01-01T00:00:05Z</associate-time></participantsessionassoc>
            <participantsessionassoc participant_id="b" session_id="s"><disassociate-time>2024-01-01T00:00:04Z</disassociate-time></participantsessionassoc>
            <participantstreamassoc participant_id="c"><send>2</send></participantstreamassoc>
            """);

        Assert.False(update.NeedsSnapshot);
        Assert.Equal(["ParticipantJoined c s", "ParticipantLeft b s", "SendingStarted c 2", "SendingStopped b 2"], Changes(update));
        Assert.Equal([5, 4, null, null], update.Changes.Select(c => c.StatedAt?.Second));
        Assert.Equal(["sip:bob@x", "sip:carol@x"], _metadata.SendersOf("97").Select(p => p.Aor));
        Assert.Equal(["sip:carol@x"], _metadata.CurrentSendersOf("97").Select(p => p.Aor));
        Assert.Equal(["Alice"], _metadata.CurrentSendersOf("96").Select(p => p.Name));
    }

    [Fact]
    public void Hold_and_resume_stop_and_start_sending()
    {
        _ = Complete(1, AliceAndBob);

        Assert.Equal(["SendingStopped a 1"], Changes(Partial(2, "<participantstreamassoc participant_id='a'><recv>2</recv></participantstreamassoc>")));
        Assert.Equal(["SendingStarted a 1"], Changes(Partial(3, "<participantstreamassoc participant_id='a'><send>1</send></participantstreamassoc>")));
        Assert.Equal(["SendingStopped a 1"], Changes(Partial(
            4, "<participantstreamassoc participant_id='a'><send>1</send><disassociate-time>2024-01-01T00:00:00Z</disassociate-time></participantstreamassoc>")));
        Assert.Equal(["SendingStopped b 2"], Changes(Partial(
            5, "<participantstreamassoc participant_id='b'><disassociate-time>2024-01-01T00:00:00Z</disassociate-time></participantstreamassoc>")));
    }

    [Fact]
    public void Several_associations_of_one_participant_in_one_document_add_up()
    {
        _ = Complete(1, AliceAndBob + "<participantstreamassoc participant_id='a'><send>2</send></participantstreamassoc>");

        Assert.Equal(["sip:alice@x", "sip:bob@x"], _metadata.CurrentSendersOf("97").Select(p => p.Aor));
        Assert.Equal(["Alice"], _metadata.CurrentSendersOf("96").Select(p => p.Name));
    }

    [Fact]
    public void A_participant_may_come_back_and_change_names()
    {
        _ = Complete(1, AliceAndBob);
        _ = Partial(2, "<participantsessionassoc participant_id='b'><disassociate-time>2024-01-01T00:00:00Z</disassociate-time></participantsessionassoc>");
        Assert.Equal(new Instant(2), _metadata.Participants[1].LeftAt);

        Assert.Equal(["ParticipantChanged b Robert", "ParticipantJoined b s"], Changes(Partial(3, """
            <participant participant_id="b"><nameID aor="sip:bob@x"><name>Robert</name></nameID></participant>
            <participantsessionassoc participant_id="b" session_id="s"/>
            """)));
        Assert.Equal((new Instant(1), null, "Robert"), (_metadata.Participants[1].JoinedAt, _metadata.Participants[1].LeftAt, _metadata.Participants[1].Name));
    }

    [Fact]
    public void An_ended_session_takes_its_participants_and_streams_along()
    {
        _ = Complete(1, AliceAndBob);
        var changes = Changes(Partial(9, "<session session_id='s'><stop-time>2024-01-01T00:00:09Z</stop-time><reason>bye</reason></session>"));

        Assert.Equal(
            ["ParticipantLeft a s", "ParticipantLeft b s", "StreamRemoved 1 96", "StreamRemoved 2 97", "SessionEnded s bye", "SendingStopped a 1", "SendingStopped b 2"],
            changes);
        Assert.Equal((new Instant(9), "bye", "g"),
            (_metadata.CommunicationSessions[0].EndedAt, _metadata.CommunicationSessions[0].Reason, _metadata.CommunicationSessions[0].Groups[0]));
        Assert.Empty(Changes(Partial(10, "<session session_id='s'><stop-time>2024-01-01T00:00:09Z</stop-time></session>")));
        Assert.Empty(Changes(Partial(10, "<sessionrecordingassoc session_id='s'><disassociate-time>2024-01-01T00:00:09Z</disassociate-time></sessionrecordingassoc>")));
        Assert.Equal(["SessionStarted s"], Changes(Partial(11, "<session session_id='s'/>")));
    }

    [Fact]
    public void A_recording_that_is_disassociated_ends_the_session()
    {
        _ = Complete(1, AliceAndBob);

        Assert.Contains("SessionEnded s ", Changes(Partial(
            2, "<sessionrecordingassoc session_id='s'><disassociate-time>2024-01-01T00:00:00Z</disassociate-time></sessionrecordingassoc>")));
    }

    [Fact]
    public void A_transfer_replaces_the_session_of_the_same_group()
    {
        _ = Complete(1, AliceAndBob);
        var changes = Changes(Complete(2, AliceAndBob.Replace("\"s\"", "\"t\"", StringComparison.Ordinal)));

        Assert.Equal(
            [
                "SessionStarted t", "ParticipantLeft a s", "ParticipantLeft b s", "StreamRemoved 1 96", "StreamRemoved 2 97", "SessionEnded s ",
                "ParticipantJoined a t", "ParticipantJoined b t", "StreamAdded 1 96", "StreamAdded 2 97",
            ],
            changes);
        Assert.All(_metadata.Participants, participant => Assert.Null(participant.LeftAt));
        Assert.Equal(["g", "g"], _metadata.CommunicationSessions.Select(s => s.Groups.Single()));
    }

    [Fact]
    public void Labels_and_session_identifiers_may_change()
    {
        _ = Complete(1, AliceAndBob);

        Assert.Equal(["StreamChanged 1 98"], Changes(Partial(2, "<stream stream_id='1'><label>98</label></stream>")));
        Assert.Equal(["SessionChanged s"], Changes(Partial(3, "<session session_id='s'><sipSessionID>x</sipSessionID></session>")));
        Assert.Equal(["StreamRemoved 1 98", "SendingStopped a 1"], Changes(Partial(4, "<stream stream_id='1'><disassociate-time>2024-01-01T00:00:00Z</disassociate-time></stream>")));
    }

    [Theory]
    [InlineData("<participantsessionassoc participant_id='z' session_id='s'/>")]
    [InlineData("<participantsessionassoc participant_id='a' session_id='z'/>")]
    [InlineData("<participantsessionassoc participant_id='z'><disassociate-time>2024-01-01T00:00:00Z</disassociate-time></participantsessionassoc>")]
    [InlineData("<participantstreamassoc participant_id='z'><send>1</send></participantstreamassoc>")]
    [InlineData("<participantstreamassoc participant_id='a'><send>z</send></participantstreamassoc>")]
    [InlineData("<stream stream_id='3' session_id='z'/>")]
    [InlineData("<sessionrecordingassoc session_id='z'/>")]
    public void A_partial_document_that_names_the_unknown_needs_a_snapshot(string xml)
    {
        _ = Complete(1, AliceAndBob);

        Assert.True(Partial(2, xml).NeedsSnapshot);
    }

    [Fact]
    public void A_partial_document_without_a_complete_one_is_taken_and_needs_a_snapshot()
    {
        Assert.True(Partial(1, AliceAndBob).NeedsSnapshot);
        Assert.Equal(2, _metadata.Participants.Count);
        Assert.False(Complete(2, AliceAndBob).NeedsSnapshot);
        Assert.False(Partial(3, "").NeedsSnapshot);
    }

    [Fact]
    public void Participants_without_associations_are_in_the_only_session()
    {
        Assert.Equal(["SessionStarted s", "ParticipantJoined a s"], Changes(Complete(1, "<session id='s'/><participant id='a'/>")));
        Assert.Equal(["ParticipantJoined b s"], Changes(Partial(2, "<participant id='b'/>")));
        Assert.Empty(Changes(Partial(3, "<participant id='b'/>")));
    }

    [Fact]
    public void Metadata_is_held_against_the_labels_of_the_description()
    {
        Assert.Empty(_metadata.Compare(["96", null]));

        _ = Complete(1, AliceAndBob + "<stream stream_id='3' session_id='s'/><participantstreamassoc participant_id='b'><send>9</send></participantstreamassoc>");
        Assert.Equal(
            [
                new MetadataFinding.MediaWithoutLabel(1),
                new MetadataFinding.MediaWithoutStream(2, "98"),
                new MetadataFinding.DuplicateMediaLabel(3, "96"),
                new MetadataFinding.StreamWithoutMedia("2", "97"),
                new MetadataFinding.StreamWithoutLabel("3"),
                new MetadataFinding.StreamWithoutSender("3", null),
                new MetadataFinding.UnknownStream("b", "9"),
            ],
            _metadata.Compare(["96", null, "98", "96"]));
        Assert.All(_metadata.Compare(["96", null, "98", "96"]), finding => Assert.EndsWith(".", finding.Explain(), StringComparison.Ordinal));
    }

    [Fact]
    public void A_party_that_left_is_no_finding()
    {
        _ = Complete(1, AliceAndBob);
        _ = Partial(2, "<stream stream_id='2'><disassociate-time>2024-01-01T00:00:00Z</disassociate-time></stream>");

        Assert.Empty(_metadata.Compare(["96", "97"]));
    }

    [Fact]
    public void History_and_everything_tracked_have_limits()
    {
        for (var round = 0; round < RecordingMetadata.MaxTracked; round++) _ = Partial(round, $"<participant id='p{round}'/><session id='s{round}'/>");
        Assert.Equal(0, _metadata.Untracked);

        Assert.Equal(["StreamAdded m 1"], Changes(Partial(1, "<participant id='x'/><session id='y'/><stream id='m'><label>1</label></stream>")));
        Assert.Equal((RecordingMetadata.MaxTracked, RecordingMetadata.MaxTracked, 2), (_metadata.Participants.Count, _metadata.CommunicationSessions.Count, _metadata.Untracked));

        for (var round = 0; round < RecordingMetadata.MaxHistory; round++) _ = Partial(round, $"<stream id='m'><label>{round % 2}</label></stream>");
        Assert.Equal(RecordingMetadata.MaxHistory, _metadata.History.Count);
        Assert.Equal((2 * RecordingMetadata.MaxTracked) + 1, _metadata.HistoryDropped);
    }

    private MetadataUpdate Complete(long ticks, string xml) => Apply(ticks, "complete", xml);

    private MetadataUpdate Partial(long ticks, string xml) => Apply(ticks, "partial", xml);

    private MetadataUpdate Apply(long ticks, string mode, string xml)
    {
        var bytes = Encoding.UTF8.GetBytes($"<recording><datamode>{mode}</datamode>{xml}</recording>");
        Assert.True(RecordingMetadataReader.TryRead(bytes, out var document, out _));
        return _metadata.Apply(new(ticks), document);
    }

    private static string[] Changes(MetadataUpdate update) => [.. update.Changes.Select(entry => entry.Change switch
    {
        MetadataChange.SessionStarted c => $"SessionStarted {c.SessionId}",
        MetadataChange.SessionChanged c => $"SessionChanged {c.SessionId}",
        MetadataChange.SessionEnded c => $"SessionEnded {c.SessionId} {c.Reason}",
        MetadataChange.ParticipantJoined c => $"ParticipantJoined {c.ParticipantId} {c.SessionId}",
        MetadataChange.ParticipantChanged c => $"ParticipantChanged {c.ParticipantId} {c.Names[0].Name}",
        MetadataChange.ParticipantLeft c => $"ParticipantLeft {c.ParticipantId} {c.SessionId}",
        MetadataChange.StreamAdded c => $"StreamAdded {c.StreamId} {c.Label}",
        MetadataChange.StreamChanged c => $"StreamChanged {c.StreamId} {c.Label}",
        MetadataChange.StreamRemoved c => $"StreamRemoved {c.StreamId} {c.Label}",
        MetadataChange.SendingStarted c => $"SendingStarted {c.ParticipantId} {c.StreamId}",
        MetadataChange.SendingStopped c => $"SendingStopped {c.ParticipantId} {c.StreamId}",
        _ => entry.Change.ToString(),
    })];
}
