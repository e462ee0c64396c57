using System.Text;
using SipNat.Endpoint.Siprec;
using SipNat.Sip.Sdp;
using SipNat.Wire;

namespace SipNat.Tests.Endpoint.Siprec;

/// <summary>One body for each kind of recording client, with everything that is to be made of it.</summary>
public sealed class SiprecCorpusTests
{
    [Theory]
    [InlineData("cisco-cube", """
        media 1: inactive 0 101; media 2: inactive 0 101
        session cFkqk01IEeqC3dJj6Y+AJA== (d4b3b0a85ab05bd3b2a2d0c3c1a0e1f5;remote=5f0e9f7d00105000a0002c3ecf872a5b) in ()
        sip:3478@198.51.100.71 'none', sip:98765@198.51.100.72 'none'
        1 from (), 2 from ()
        """)]
    [InlineData("cisco-cube-network", """
        media none: recvonly 0 101; media none: recvonly 0 101
        no metadata
        """)]
    [InlineData("oracle", """
        StrayBoundary
        media 65804: recvonly 0; media 65805: recvonly 0
        session BYiC7uSZQGN3VQdzWI1HWw== () in ()
        sip:sipp@198.51.100.31 'sipp', sip:service@198.51.100.32 'service'
        65804 from (sip:sipp@198.51.100.31), 65805 from ()
        The m-line 2 with the label 65805 has no stream in the metadata.
        The participant Z0PQ1uZqT1tmcVqIhFWCeg== sends the stream K+notlisted+stream+id/A==, which the metadata does not list.
        session BYiC7uSZQGN3VQdzWI1HWw==: extensiondata of urn:ietf:params:xml:ns:recording
        """)]
    [InlineData("avaya", """
        media 11: recvonly 0 8; media 12: recvonly 0 8
        session OGQ1NWZhNTEtZmY0 () in (ZTc2YjUxNzAtMGQ3)
        sip:7001@avaya.example 'Agent Seven', sip:+15551234@avaya.example 'none'
        11 from (sip:7001@avaya.example), 12 from ()
        The m-line 2 with the label 12 has no stream in the metadata.
        The metadata's stream label:13 has the label 13, which no m-line of the session description has.
        Nobody is said to send the stream label:13 (label 13).
        """)]
    [InlineData("broadworks", """
        media 1: recvonly 8 0 101
        session urn:uuid:08d46cef-4858-4658-8388-ebb7ad4b1dab () in (urn:uuid:9529b910-87b6-4299-a6fe-350f0dcb1f5e)
        02075550100 'none', sip:07945550101@broadworks.example;user=phone 'none'
        1 from (02075550100, sip:07945550101@broadworks.example;user=phone)
        group urn:uuid:9529b910-87b6-4299-a6fe-350f0dcb1f5e: initiator of urn:ietf:params:xml:ns:siprec
        """)]
    [InlineData("metaswitch", """
        media mixed: recvonly 8
        session ses-1 () in (grp/0+1==)
        sip:+12015550111@ms.example 'R&D', tel:+12015550112 'none'
        mixed from (sip:+12015550111@ms.example, tel:+12015550112)
        """)]
    [InlineData("ribbon", """
        media 0: recvonly 0; media 1: recvonly 0
        session c2VzcyAx () in (NTI1ODk3)
        4442@198.51.100.71 'none', 5551@198.51.100.72 'none'
        0 from (4442@198.51.100.71), 1 from (5551@198.51.100.72)
        group NTI1ODk3: ns1:callData of urn:ietf:params:xml:ns:callData
        """)]
    [InlineData("opensips", """
        media 0: recvonly 8 101; media 1: recvonly 8 101
        session y5I25Gf2RuG9NQJyJkL1rw== (3848276298220188511@atlanta.example) in ()
        sip:+123@198.51.100.81;transport=udp;user=phone '+123', sip:+321@198.51.100.82;transport=udp;user=phone '+321'
        0 from (), 1 from ()
        The m-line 1 with the label 0 has no stream in the metadata.
        The m-line 2 with the label 1 has no stream in the metadata.
        """)]
    [InlineData("audiocodes", """
        media 1: inactive 8 96; media 2: inactive 8 96
        session 0000-0000-0000-0000-1e7bb9a2dc41c88a () in (00000000-0000-0000-0000-00007003ea08)
        1000@198.51.100.91 'none', 2000@198.51.100.92 'none'
        1 from (1000@198.51.100.91), 2 from (2000@198.51.100.92)
        """)]
    [InlineData("sems", """
        MissingLastBoundary
        media a_leg: recvonly 0; media b_leg: SecureTransport
        session s () in ()
        sip:a@sems.example 'none', sip:b@sems.example 'none'
        a_leg from (sip:a@sems.example), b_leg from (sip:b@sems.example)
        """)]
    [InlineData("netsapiens", """
        media caller: recvonly 0; media callee: recvonly 0
        session ns-2 () in (20240301101500012345)
        sip:101@ns.example 'Front Desk', sip:102@ns.example 'Support'
        caller from (sip:101@ns.example), callee from (sip:102@ns.example)
        group 20240301101500012345: sequence of urn:ietf:params:xml:ns:recording:1
        """)]
    public void A_body_of_the_field_is_understood_with_any_line_ends(string name, string expected)
    {
        Assert.Equal(expected.ReplaceLineEndings("\n"), OutcomeOf(name, "\r\n"));
        Assert.Equal(expected.ReplaceLineEndings("\n"), OutcomeOf(name, "\n"));
    }

    [Fact]
    public void An_update_with_metadata_alone_moves_a_stream_to_another_participant()
    {
        var metadata = new RecordingMetadata();
        _ = metadata.Apply(new(0), DocumentOf(Load("avaya", "\r\n")));
        var update = metadata.Apply(new(10), DocumentOf(Load("avaya-update", "\r\n")));

        Assert.False(update.NeedsSnapshot);
        Assert.Equal(
            [
                new(new(10), Utc(18, 30), new MetadataChange.ParticipantJoined("Y2Fyb2w", "OGQ1NWZhNTEtZmY0", metadata.Participants[2].Names)),
                new(new(10), Utc(18, 29), new MetadataChange.ParticipantLeft("YWxpY2U", "OGQ1NWZhNTEtZmY0")),
                new(new(10), Utc(18, 30), new MetadataChange.SendingStarted("Y2Fyb2w", "c3RyZWFtLTEx")),
                new(new(10), null, new MetadataChange.SendingStopped("YWxpY2U", "c3RyZWFtLTEx")),
            ],
            update.Changes);
        Assert.Equal(["Agent Seven", "Carol"], metadata.SendersOf("11").Select(p => p.Name));
        Assert.Equal(["Carol"], metadata.CurrentSendersOf("11").Select(p => p.Name));

        static DateTimeOffset Utc(int minute, int second) => new(2024, 3, 1, 10, minute, second, TimeSpan.Zero);
    }

    [Fact]
    public void Metadata_in_a_bye_ends_the_participants()
    {
        var metadata = new RecordingMetadata();
        _ = metadata.Apply(new(0), DocumentOf(Load("ribbon", "\r\n")));
        var update = metadata.Apply(new(6000), DocumentOf(Load("ribbon-bye", "\r\n")));

        Assert.False(update.NeedsSnapshot);
        Assert.All(metadata.Participants, participant => Assert.Equal(
            (new Instant(6000), new DateTimeOffset(2024, 10, 22, 12, 26, 48, TimeSpan.Zero)), (participant.LeftAt, participant.Stated.Until)));
        Assert.Empty(metadata.CurrentSendersOf("0"));
    }

    [Fact]
    public void No_truncation_of_a_body_makes_anything_fail()
    {
        foreach (var name in (string[])["cisco-cube", "oracle", "broadworks", "ribbon"])
        {
            var (type, disposition, body) = Message(name, "\r\n");
            for (var length = 0; length < body.Length; length += 3) _ = Outcome(MultipartReader.Read(type, disposition, body.AsMemory(0, length)));
        }
    }

    [Fact]
    public void No_mutation_of_a_body_makes_anything_fail()
    {
        var random = new Random(7866);
        foreach (var name in (string[])["avaya", "metaswitch", "opensips", "netsapiens"])
        {
            var (type, disposition, body) = Message(name, "\n");
            for (var round = 0; round < 300; round++)
            {
                var mutated = body.ToArray();
                for (var change = 0; change <= round % 16; change++) mutated[random.Next(mutated.Length)] = (byte)random.Next(256);
                _ = Outcome(MultipartReader.Read(type, disposition, mutated));
            }
        }
    }

    private static string OutcomeOf(string name, string lineEnd) => Outcome(Load(name, lineEnd));

    private static string Outcome(SiprecBody body)
    {
        var lines = new List<string>();
        if (body.Defects.Count > 0) lines.Add(string.Join(", ", body.Defects));

        string?[] labels = [];
        if (body.Sdp is { } sdp && SdpReader.TryRead(sdp.Span, out var session, out _))
        {
            var review = new OfferAnswer(1, SdpCapabilities.Recorder).Review(session);
            lines.Add(string.Join("; ", review.Media.Select(Text)));
            labels = [.. review.Media.Select(m => m.Label)];
        }

        if (body.Metadata is null || !RecordingMetadataReader.TryRead(body.Metadata.Value, out var document, out _)) return string.Join('\n', [.. lines, "no metadata"]);

        var metadata = new RecordingMetadata();
        _ = metadata.Apply(new(0), document);
        lines.AddRange(metadata.CommunicationSessions.Select(s => $"session {s.Id} ({string.Join(' ', s.SipSessionIds)}) in ({string.Join(' ', s.Groups)})"));
        lines.Add(string.Join(", ", metadata.Participants.Select(p => $"{p.Aor} '{p.Name ?? "none"}'")));
        lines.Add(string.Join(", ", labels.OfType<string>().Select(l => $"{l} from ({string.Join(", ", metadata.SendersOf(l).Select(p => p.Aor))})")));
        lines.AddRange(metadata.Compare(labels).Select(f => f.Explain()));
        lines.AddRange(document.Extensions.Where(e => e.Owner is not "recording").Select(e => $"{e.Owner} {e.OwnerId}: {e.Name} of {e.Namespace}"));
        return string.Join('\n', lines);
    }

    private static string Text(MediaReview media) => $"media {media.Label ?? "none"}: " + media switch
    {
        AcceptedMedia accepted => $"{accepted.Direction.Text} {string.Join(' ', accepted.PayloadMap.Select(m => m.PayloadType))}",
        RejectedMedia rejected => rejected.Reason.ToString(),
        _ => string.Empty,
    };

    private static RecordingMetadataDocument DocumentOf(SiprecBody body) =>
        RecordingMetadataReader.TryRead(body.Metadata!.Value, out var document, out var defect) ? document : throw new FormatException(defect.ToString());

    private static SiprecBody Load(string name, string lineEnd)
    {
        var (type, disposition, body) = Message(name, lineEnd);
        return MultipartReader.Read(type, disposition, body);
    }

    // A file is the message's content headers, a blank line, and the body.
    private static (byte[] Type, byte[] Disposition, byte[] Body) Message(string name, string lineEnd)
    {
        var text = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "corpora", "siprec", $"{name}.txt"));
        var blank = text.IndexOf("\n\n", StringComparison.Ordinal);
        var headers = text[..blank].Replace("\n ", " ", StringComparison.Ordinal).Split('\n');
        return (Header("Content-Type: "), Header("Content-Disposition: "), Encoding.UTF8.GetBytes(text[(blank + 2)..].ReplaceLineEndings(lineEnd)));

        byte[] Header(string prefix) => Encoding.UTF8.GetBytes(
            headers.FirstOrDefault(h => h.StartsWith(prefix, StringComparison.Ordinal))?[prefix.Length..] ?? string.Empty);
    }
}
