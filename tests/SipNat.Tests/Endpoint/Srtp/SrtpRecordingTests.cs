using System.Buffers.Binary;
using SipNat.Endpoint.Diagnosis;
using SipNat.Simulation;
using SipNat.Sip.Sdp;
using SipNat.Tests.Endpoint.Diagnosis;
using SipNat.Tests.Endpoint.Signalling;
using SipNat.Wire;

namespace SipNat.Tests.Endpoint.Srtp;

/// <summary>Recordings of clients that encrypt.</summary>
public sealed class SrtpRecordingTests
{
    private const string MetadataFinding = "metadata-missing: The INVITE brought no recording metadata.";
    private const string KeysFinding = "srtp-keys-unencrypted: The audio is encrypted, and its keys were told over SIP that is not: whoever reads that on the way can read the audio too. Let the client use TLS.";

    private readonly RecorderScene _scene = new(seed: 310);

    [Theory]
    [InlineData("AES_CM_128_HMAC_SHA1_80", null)]
    [InlineData("AES_CM_128_HMAC_SHA1_32", null)]
    [InlineData("AES_192_CM_HMAC_SHA1_80", null)]
    [InlineData("AES_192_CM_HMAC_SHA1_32", "AES_CM_192_HMAC_SHA1_32")]
    [InlineData("AES_256_CM_HMAC_SHA1_80", "AES_CM_256_HMAC_SHA1_80")]
    [InlineData("AES_256_CM_HMAC_SHA1_32", null)]
    [InlineData("AEAD_AES_128_GCM", null)]
    [InlineData("AEAD_AES_256_GCM", null)]
    [Plants(FindingCode.SrtpKeysUnencrypted)]
    public void An_encrypted_call_is_recorded_whole_and_answered_in_kind(string suite, string? name)
    {
        SrtpClient client = new(_scene, suite, name);
        client.Sip.Establish(client.Offer());
        for (var i = 0; i < 100; i++)
        {
            for (var stream = 0; stream < 2; stream++) SendFrame(client, stream, i);
            if (i % 50 == 0) client.Sip.SendSenderReport(0, (uint)i, Rtcp(client.Target(0)));
            client.Sip.RunFor(0.02);
        }

        client.Sip.RunFor(4);
        client.Sip.Send("BYE");
        client.Sip.RunFor(1);

        Assert.All(client.AnsweredLines, line => Assert.StartsWith($"3 {name ?? suite} inline:", line, StringComparison.Ordinal));
        Assert.Equal(4, client.AnsweredLines.Concat(SrtpClient.LinesOf(client.Offer()).Where(l => l[0] == '3')).Select(l => l.Split("inline:")[1]).Distinct().Count());
        Assert.Equal(2, client.LastDescription.Split("\r\n").Count(l => l.StartsWith("m=", StringComparison.Ordinal) && l.Contains(" RTP/SAVP 0 101", StringComparison.Ordinal)));
        AssertFrames(Enumerable.Range(0, 100));
        AssertProtected(client);
        Assert.All(_scene.Session.Snapshot.Streams, s => Assert.Equal((suite, 0L, 0L, 0L), (s.Report!.Srtp!.Suite, s.Report.Srtp.AuthenticationFailed, s.Report.Srtp.Replayed, s.Report.Srtp.Refused)));
        Assert.Equal([102, 100], _scene.Session.Snapshot.Streams.Select(s => s.Report!.Srtp!.Accepted));
        FindingAssert.Are([MetadataFinding, KeysFinding], _scene.Session);
    }

    [Theory]
    [InlineData("AES_CM_128_HMAC_SHA1_80")]
    [InlineData("AEAD_AES_128_GCM")]
    public void The_roll_over_counter_is_kept_over_offers_and_moves(string suite)
    {
        SrtpClient client = new(_scene, suite, mki: [0, 7]);
        client.Sip.Establish(client.Offer(streams: 1));
        client.Sip.Talk(0, 0, 100, i => SendFrame(client, 0, i));
        var ours = client.AnsweredLines[0];

        client.OfferAgain(client.Offer(streams: 1, port: ManualClient.MediaPort + 4));
        client.Sip.Talk(0, 100, 50, i => SendFrame(client, 0, i, portOffset: 4));
        client.OfferAgain(client.Offer(streams: 1).Replace("a=sendonly", "a=inactive", StringComparison.Ordinal));
        client.OfferAgain(client.Offer(streams: 1));
        client.Sip.Talk(0, 150, 50, i => SendFrame(client, 0, i));
        client.Sip.RunFor(4);
        client.Sip.Send("BYE");
        client.Sip.RunFor(1);

        Assert.Equal(Enumerable.Range(0, 200), _scene.Session.FileOf(0).Frames().Select(f => f.Frame));
        Assert.Equal(ours, client.AnsweredLines[0]);
        AssertProtected(client);
        Assert.Equal(0, _scene.Session.Snapshot.Streams[0].Report!.Srtp!.AuthenticationFailed);
    }

    [Fact]
    public void A_peer_whose_nat_binds_it_anew_goes_on_without_a_word()
    {
        SrtpClient client = new(_scene);
        client.Sip.Establish(client.Offer(streams: 1));
        client.Sip.Talk(0, 0, 40, i => SendFrame(client, 0, i));
        client.Sip.Talk(0, 40, 40, i => SendFrame(client, 0, i, portOffset: 4)); // the numbers roll over behind the other port
        client.Sip.Send("BYE");
        client.Sip.RunFor(1);

        Assert.Equal(Enumerable.Range(0, 80), _scene.Session.FileOf(0).Frames().Select(f => f.Frame));
        Assert.Equal("192.0.2.20:40004", $"{_scene.Session.Snapshot.Streams[0].Report!.Remote}");
    }

    [Fact]
    public void A_new_key_begins_anew_and_what_was_under_way_under_the_old_one_is_recorded()
    {
        SrtpClient client = new(_scene);
        client.Sip.Establish(client.Offer(streams: 1));
        client.Sip.Talk(0, 0, 10, i => SendFrame(client, 0, i));
        var former = client.Sender(0);

        client.ChangeKey(0, seed: 9);
        client.OfferAgain(client.Offer(streams: 1));
        client.Sip.SendMedia(0, former.Protect(Frame(0, 10)), client.Target(0));
        client.Sip.RunFor(0.02);
        client.Sip.Talk(0, 11, 300, i => SendFrame(client, 0, i));
        client.Sip.SendMedia(0, former.Protect(Frame(0, 311)), client.Target(0));
        client.Sip.RunFor(0.02);
        client.Sip.Send("BYE");
        client.Sip.RunFor(1);

        Assert.Equal(Enumerable.Range(0, 311), _scene.Session.FileOf(0).Frames().Select(f => f.Frame));
        Assert.Equal(1, _scene.Session.Snapshot.Streams[0].Report!.Srtp!.AuthenticationFailed);
    }

    [Fact]
    [Plants(FindingCode.SrtpAuthFailed)]
    public void What_is_not_genuine_is_not_recorded_not_followed_and_found()
    {
        SrtpClient client = new(_scene);
        client.Sip.Establish(client.Offer(streams: 1));
        client.Sip.Talk(0, 0, 20, i =>
        {
            SendFrame(client, 0, i);
            client.Sip.SendMedia(0, Frame(0, 5000 + i), client.Target(0), portOffset: 4);
            client.Sip.SendMedia(0, client.Sender(0).Protect(Frame(0, i)), client.Target(0));
        });
        client.Sip.Send("BYE");
        client.Sip.RunFor(1);

        var report = _scene.Session.Snapshot.Streams[0].Report!;
        Assert.Equal(Enumerable.Range(0, 20), _scene.Session.FileOf(0).Frames().Select(f => f.Frame));
        Assert.Equal((20L, 20L, 20L, 0L), (report.Srtp!.Accepted, report.Srtp.AuthenticationFailed, report.Srtp.Replayed, report.Srtp.Refused));
        Assert.Equal("192.0.2.20:40000", $"{report.Remote}");
        Assert.Single(report.Stream.Sources);
        FindingAssert.Are(
            [
                MetadataFinding,
                KeysFinding,
                "srtp-auth-failed: Stream 1: 20 packets fail authentication by AES_CM_128_HMAC_SHA1_80 and are dropped, the last from 192.0.2.20:40004. 20 packets have passed: the peer began its roll-over counter anew, as some do after a re-INVITE or a change of address, or changed its key without a word, or somebody else sends to this port.",
            ],
            _scene.Session);
    }

    [Fact]
    public void A_peer_that_agreed_on_encryption_and_does_without_is_found_and_not_heard()
    {
        SrtpClient client = new(_scene);
        client.Sip.Establish(client.Offer(streams: 1));
        client.Sip.Talk(0, 0, 300, i => client.Sip.SendMedia(0, Frame(0, i), client.Target(0)));

        Assert.Empty(_scene.Session.Files);
        Assert.Equal(["metadata-missing", "no-media", "srtp-auth-failed", "srtp-keys-unencrypted"], _scene.Session.Findings);
        Assert.Contains(_scene.Session.FindingTexts, text => text.EndsWith(
            "the last from 192.0.2.20:40000. No packet has passed: the peer sends under another key, suite or identifier (MKI) than its description says, or does not encrypt at all.", StringComparison.Ordinal));
    }

    [Fact]
    public void A_peer_that_names_another_key_than_it_told_is_found()
    {
        SrtpClient client = new(_scene, mki: [0, 7]);
        client.Sip.Establish(client.Offer(streams: 1).Replace("|7:2", "|8:2", StringComparison.Ordinal));
        client.Sip.Talk(0, 0, 10, i => SendFrame(client, 0, i));
        client.Sip.Send("BYE");
        client.Sip.RunFor(1);

        Assert.Equal(10, _scene.Session.Snapshot.Streams[0].Report!.Srtp!.Refused);
        Assert.Contains("srtp-auth-failed", _scene.Session.Findings);
    }

    [Fact]
    public void Encryption_that_is_given_up_and_taken_up_again_has_another_key_of_ours()
    {
        SrtpClient client = new(_scene);
        client.Sip.Establish(client.Offer(streams: 1));
        client.Sip.Talk(0, 0, 10, i => SendFrame(client, 0, i));
        var first = client.AnsweredLines[0];

        client.OfferAgain(ManualClient.Sdp(streams: 1));
        Assert.Empty(client.AnsweredLines);
        SendFrame(client, 0, 10); // was under way
        client.Sip.RunFor(0.02);
        client.Sip.Talk(0, 11, 300, i => client.Sip.SendMedia(0, Frame(0, i), client.Target(0)));
        client.OfferAgain(client.Offer(streams: 1));
        client.Sip.Talk(0, 311, 10, i => SendFrame(client, 0, i));
        client.Sip.Send("BYE");
        client.Sip.RunFor(1);

        Assert.NotEqual(first, client.AnsweredLines[0]);
        Assert.Equal(Enumerable.Range(0, 321), _scene.Session.FileOf(0).Frames().Select(f => f.Frame));
    }

    [Fact]
    public void Packets_that_are_kept_are_kept_as_the_peer_made_them()
    {
        SrtpClient client = new(_scene);
        client.Sip.Establish(client.Offer(streams: 1, formats: "18"));
        client.Sip.Talk(0, 0, 10, i => client.Sip.SendMedia(0, client.Sender(0).Protect(Frame(0, i, payloadType: 18)), client.Target(0)));
        client.Sip.Send("BYE");
        client.Sip.RunFor(1);

        var kept = _scene.Session.FileOf(0).Audio();
        Assert.All(Enumerable.Range(0, 10), i => Assert.True(kept.AsSpan().IndexOf(Frame(0, i, payloadType: 18)) >= 0));
    }

    [Fact]
    public void A_key_is_in_nothing_that_is_told_of_the_session()
    {
        SrtpClient client = new(_scene);
        client.Sip.Establish(client.Offer());
        client.Sip.Talk(0, 0, 10, i => SendFrame(client, 0, i));
        client.OfferAgain(client.Offer());

        var snapshot = _scene.Session.Snapshot;
        var told = string.Join('\n', [$"{snapshot}", .. snapshot.Timeline.Select(e => $"{e}"), .. snapshot.Streams.Select(s => $"{s}"), .. snapshot.Findings.Select(f => $"{f}")]);
        Assert.DoesNotContain("inline", told, StringComparison.OrdinalIgnoreCase);
        Assert.All(client.AnsweredLines.Concat(SrtpClient.LinesOf(client.Offer())), line => Assert.DoesNotContain(line.Split("inline:")[1], told, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(SrtpMode.Off, "RTP/SAVP", "medium 1: SRTP is switched off (Media:Srtp); offer RTP/AVP")]
    [InlineData(SrtpMode.Required, "RTP/AVP plain", "medium 1: RTP without encryption is refused (Media:Srtp is Required); offer RTP/SAVP with a=crypto")]
    [InlineData(SrtpMode.Required, "none", "Media:Srtp is Required, and an INVITE without an offer asks for our key over SIP that is not encrypted; offer RTP/SAVP with a=crypto, or use TLS")]
    public void What_the_settings_rule_out_is_refused_with_their_name(SrtpMode mode, string offer, string why)
    {
        SrtpClient client = new(new(seed: 311, new() { Srtp = mode }));
        client.Sip.Send("INVITE", offer is "none" ? null : offer is "RTP/SAVP" ? client.Offer() : ManualClient.Sdp(streams: 1));
        client.Sip.RunFor(0.1);

        Assert.Equal((488, $"399 SipNat \"{why}\""), (client.Sip.LastResponse.Status, client.Sip.LastResponse.Header("Warning")?.Split("; medium 2")[0].TrimEnd('"') + "\""));
    }

    [Theory]
    [InlineData(SrtpMode.Off, false)]
    [InlineData(SrtpMode.Offered, false)]
    [InlineData(SrtpMode.BestEffort, true)]
    [InlineData(SrtpMode.Required, true)]
    public void A_key_beside_rtp_avp_is_answered_only_where_that_is_set(SrtpMode mode, bool isEncrypted)
    {
        RecorderScene scene = new(seed: 312, new() { Srtp = mode });
        SrtpClient client = new(scene);
        client.Sip.Establish(client.Offer(streams: 1, protocol: "RTP/AVP"));
        client.Sip.Talk(0, 0, 10, i => client.Sip.SendMedia(0, isEncrypted ? client.Sender(0).Protect(Frame(0, i)) : Frame(0, i), client.Target(0)));
        client.Sip.Send("BYE");
        client.Sip.RunFor(1);

        Assert.Equal(isEncrypted ? 1 : 0, client.AnsweredLines.Count);
        Assert.Contains("m=audio 10000 RTP/AVP 0 101\r\n", client.LastDescription, StringComparison.Ordinal);
        Assert.Equal(Enumerable.Range(0, 10), scene.Session.FileOf(0).Frames().Select(f => f.Frame));
    }

    private void AssertFrames(IEnumerable<int> expected)
    {
        for (var stream = 0; stream < 2; stream++) Assert.Equal(expected, _scene.Session.FileOf(stream).Frames().Select(f => f.Frame));
    }

    // Everything that the recorder sent to a media port opens by the key that it told, and no index of it comes twice.
    private static void AssertProtected(SrtpClient client)
    {
        Assert.Contains(client.Sip.Media, m => m.Kind is ReceivedMediaKind.Rtcp);
        Assert.Contains(client.Sip.Media, m => m.Kind is ReceivedMediaKind.Rtp);
        foreach (var group in client.Sip.Media.GroupBy(m => m.Stream / 2 % 2))
        {
            var receiver = client.Receiver(Math.Min(group.Key, client.AnsweredLines.Count - 1));
            Assert.All(group, m => Assert.NotNull(m.Kind is ReceivedMediaKind.Rtcp ? receiver.UnprotectControl(m.Bytes) : receiver.Unprotect(m.Bytes)));
            Assert.Equal(group.Count(), group.Select(m => Convert.ToHexString(m.Bytes)).Distinct().Count());
        }
    }

    private static void SendFrame(SrtpClient client, int stream, int index, int portOffset = 0) =>
        client.Sip.SendMedia(stream, client.Sender(stream).Protect(Frame(stream, index)), client.Target(stream), portOffset);

    // The numbers roll over at frame 50.
    private static byte[] Frame(int stream, int index, int payloadType = 0)
    {
        var packet = new byte[12 + ScriptedFrame.Length];
        (packet[0], packet[1]) = (0x80, (byte)payloadType);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), unchecked((ushort)(65_486 + index)));
        BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(4), (uint)(50_000 + (index * ScriptedFrame.Length)));
        BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(8), (uint)(0x1111 * (stream + 1)));
        ScriptedFrame.Fill(stream, index, packet.AsSpan(12));
        return packet;
    }

    private static TransportAddress Rtcp(TransportAddress rtp) => rtp.WithPort(rtp.Port + 1);
}
