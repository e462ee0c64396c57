using System.Text;
using SipNat.Sip.Sdp;
using SipNat.Wire;

namespace SipNat.Tests.Sip.Sdp;

public sealed class OfferAnswerTests
{
    private const string TwoLegs =
        "v=0\r\no=src 1 1 IN IP4 198.51.100.1\r\ns=-\r\nc=IN IP4 198.51.100.1\r\nt=0 0\r\n"
        + "m=audio 40000 RTP/AVP 0 8 13 101\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:20\r\na=sendonly\r\na=label:96\r\n"
        + "m=audio 40002 RTP/AVP 8\r\na=sendonly\r\na=label:97\r\n";

    private readonly OfferAnswer _dialog = new(42, SdpCapabilities.G711);

    [Fact]
    public void Two_legs_are_answered_recvonly_with_their_labels() // RFC 7866 §7.1.1, §7.2
    {
        var review = _dialog.Review(Sdp(TwoLegs));
        var answer = _dialog.Answer(review, [Local(0, 10000), Local(1, 10002)]);

        Assert.Equal(
            "v=0\r\no=sipnat 42 1 IN IP4 203.0.113.5\r\ns=-\r\nc=IN IP4 203.0.113.5\r\nt=0 0\r\n"
            + "m=audio 10000 RTP/AVP 0 8 13 101\r\na=label:96\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:13 CN/8000\r\n"
            + "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:20\r\na=recvonly\r\n"
            + "m=audio 10002 RTP/AVP 8\r\na=label:97\r\na=rtpmap:8 PCMA/8000\r\na=recvonly\r\n",
            SdpWriter.WriteText(answer));
        Assert.Same(answer, _dialog.LocalDescription);
    }

    [Fact]
    public void A_review_says_where_media_comes_from_and_what_the_payload_types_mean()
    {
        var accepted = _dialog.Review(Sdp(TwoLegs)).Accepted.First();

        Assert.Equal((0, "96", SdpDirection.RecvOnly, 20, false, false),
            (accepted.Index, accepted.Label, accepted.Direction, accepted.Ptime, accepted.RtcpMux, accepted.IsHeld));
        Assert.Equal(TransportAddress.Parse("198.51.100.1:40000"), accepted.RemoteRtp);
        Assert.Equal(TransportAddress.Parse("198.51.100.1:40001"), accepted.RemoteRtcp);
        Assert.Equal(
            [new(0, PayloadFormat.Pcmu), new(8, PayloadFormat.Pcma), new(13, PayloadFormat.ComfortNoise), new(101, PayloadFormat.TelephoneEvent)],
            accepted.PayloadMap);
        Assert.Equal(PayloadFormat.TelephoneEvent, accepted.FormatOf(101));
        Assert.Null(accepted.FormatOf(18));
    }

    [Theory]
    [InlineData("m=audio 0 RTP/AVP 0", MediaRejection.PortZero)]
    [InlineData("m=video 4000 RTP/AVP 0", MediaRejection.UnsupportedMedium)]
    [InlineData("m=audio 4000 RTP/SAVP 0", MediaRejection.SecureTransport)]
    [InlineData("m=audio 4000 UDP/TLS/RTP/SAVPF 0", MediaRejection.DtlsTransport)]
    [InlineData("m=audio 4000 TCP/RTP/AVP 0", MediaRejection.UnsupportedTransport)]
    [InlineData("m=audio 4000 RTP/AVP 18 96", MediaRejection.NoCommonCodec)]
    [InlineData("m=audio 4000 RTP/AVP 13 101\r\na=rtpmap:101 telephone-event/8000", MediaRejection.NoCommonCodec)]
    [InlineData("m=audio 4000 RTP/AVP", MediaRejection.NoCommonCodec)]
    [InlineData("m=audio 4000 RTP/AVP 00 x 128", MediaRejection.NoCommonCodec)]
    [InlineData("m=audio 4000 RTP/AVP 0\r\na=rtpmap:0 PCMU/16000", MediaRejection.NoCommonCodec)]
    public void A_refused_medium_keeps_its_place_its_formats_and_its_label(string media, MediaRejection reason)
    {
        var offer = Sdp($"v=0\r\nc=IN IP4 198.51.100.1\r\n{media}\r\na=label:x\r\nm=audio 40000 RTP/AVP 0\r\n");
        var review = _dialog.Review(offer);
        var answer = _dialog.Answer(review, [Local(1, 10000)]);

        Assert.Equal([(0, "x", reason)], review.Rejected.Select(r => (r.Index, r.Label, r.Reason)));
        Assert.Equal([0, 10000], answer.Media.Select(m => m.Port));
        Assert.Equal("x", answer.Media[0].Label);
        Assert.Equal(offer.Media[0].Formats is [] ? ["0"] : offer.Media[0].Formats, answer.Media[0].Formats);
    }

    [Theory]
    [InlineData("18 96", "a=rtpmap:96 opus/48000/2", "18", "a=rtpmap:18 G729/8000")]
    [InlineData("96 18", "a=rtpmap:96 opus/48000/2|a=fmtp:96 useinbandfec=1;stereo=0", "96", "a=rtpmap:96 opus/48000/2|a=fmtp:96 useinbandfec=1;stereo=0")]
    [InlineData("18 101", "a=fmtp:18 annexb=no|a=rtpmap:101 telephone-event/8000|a=fmtp:101 0-15", "18 101", "a=rtpmap:18 G729/8000|a=rtpmap:101 telephone-event/8000|a=fmtp:18 annexb=no|a=fmtp:101 0-15")]
    [InlineData("96 101 102", "a=rtpmap:96 opus/48000/2|a=rtpmap:101 telephone-event/8000|a=rtpmap:102 telephone-event/48000", "96 102", "a=rtpmap:96 opus/48000/2|a=rtpmap:102 telephone-event/48000")]
    [InlineData("96 101", "a=rtpmap:96 AMR/8000|a=fmtp:96 octet-align=1; mode-set=0,2,5,7|a=rtpmap:101 TELEPHONE-EVENT/16000", "96 101", "a=rtpmap:96 AMR/8000|a=rtpmap:101 telephone-event/16000|a=fmtp:96 octet-align=1; mode-set=0,2,5,7")]
    [InlineData("98 99 9", "a=rtpmap:98 red/8000|a=rtpmap:99 CN/8000", "9", "a=rtpmap:9 G722/8000")]
    [InlineData("0", "a=rtpmap:0 PCMU/16000", "0", "a=rtpmap:0 PCMU/16000")]
    public void A_codec_that_is_not_decoded_is_answered_alone_with_its_parameters_and_the_keys(string formats, string lines, string answered, string expected) // RFC 3264 §6.1
    {
        var recorder = new OfferAnswer(42, SdpCapabilities.Recorder);
        var review = recorder.Review(Sdp($"v=0\r\nc=IN IP4 198.51.100.1\r\nm=audio 4000 RTP/AVP {formats}\r\n{lines.Replace("|", "\r\n", StringComparison.Ordinal)}\r\na=sendonly\r\na=label:x\r\n"));
        var answer = recorder.Answer(review, [Local(0, 10000)]);

        Assert.Equal(
            $"m=audio 10000 RTP/AVP {answered}|a=label:x|{expected}|a=recvonly|",
            SdpWriter.WriteText(answer)[SdpWriter.WriteText(answer).IndexOf("m=", StringComparison.Ordinal)..].Replace("\r\n", "|", StringComparison.Ordinal));
        Assert.Equal(expected.Split(' ')[1].Split('/')[0].Split('|')[0], review.Accepted.Single().KeptCodec?.Name);
    }

    [Theory]
    [InlineData("m=audio 4000 RTP/AVP 18 96 0\r\na=rtpmap:96 opus/48000/2", "0")]
    [InlineData("m=audio 4000 RTP/AVP 9 8 101\r\na=rtpmap:101 telephone-event/8000", "8 101")]
    public void G711_is_taken_wherever_it_is_offered(string media, string answered)
    {
        var recorder = new OfferAnswer(42, SdpCapabilities.Recorder);
        var review = recorder.Review(Sdp($"v=0\r\nc=IN IP4 198.51.100.1\r\n{media}\r\n"));

        Assert.Null(review.Accepted.Single().KeptCodec);
        Assert.Equal(answered, string.Join(' ', recorder.Answer(review, [Local(0, 10000)]).Media[0].Formats));
    }

    [Theory]
    [InlineData("m=audio 4000 RTP/AVP 96", MediaRejection.NoCommonCodec)]
    [InlineData("m=audio 4000 RTP/AVP 13 101\r\na=rtpmap:101 telephone-event/8000", MediaRejection.NoCommonCodec)]
    [InlineData("m=audio 4000 RTP/AVP", MediaRejection.NoCommonCodec)]
    [InlineData("m=audio 4000 RTP/SAVP 18", MediaRejection.SecureTransport)]
    [InlineData("m=video 4000 RTP/AVP 18", MediaRejection.UnsupportedMedium)]
    public void What_has_no_name_is_secured_or_is_no_audio_is_not_kept(string media, MediaRejection reason) =>
        Assert.Equal(reason, new OfferAnswer(42, SdpCapabilities.Recorder).Review(Sdp($"v=0\r\nc=IN IP4 198.51.100.1\r\n{media}\r\n")).Rejected.Single().Reason);

    [Fact]
    public void A_refusal_names_what_was_offered() =>
        Assert.Equal(["G729", "opus", "97", "x"], _dialog
            .Review(Sdp("m=audio 4000 RTP/AVP 18 96 97 x\r\na=rtpmap:96 opus/48000/2")).Rejected.Single().OfferedFormats);

    [Theory]
    [InlineData("a=sendonly", false, SdpDirection.RecvOnly)]
    [InlineData("a=sendrecv", false, SdpDirection.RecvOnly)]
    [InlineData("", false, SdpDirection.RecvOnly)]
    [InlineData("a=recvonly", true, SdpDirection.Inactive)]
    [InlineData("a=inactive", true, SdpDirection.Inactive)]
    [InlineData("c=IN IP4 0.0.0.0\r\na=sendonly", true, SdpDirection.Inactive)]
    [InlineData("c=IN IP6 ::", true, SdpDirection.Inactive)]
    public void The_direction_follows_the_offer_and_nothing_is_ever_sent(string lines, bool isHeld, SdpDirection expected)
    {
        var offer = Sdp($"v=0\r\nc=IN IP4 198.51.100.1\r\nm=audio 40000 RTP/AVP 0\r\n{lines}\r\n");
        var review = _dialog.Review(offer);
        var answer = _dialog.Answer(review, [Local(0, 10000)]);

        Assert.Equal((isHeld, expected), (review.Accepted.Single().IsHeld, answer.DirectionOf(answer.Media[0])));
        Assert.Equal(10000, answer.Media[0].Port);
        var paused = _dialog.Review(offer, SdpDirection.Inactive).Accepted.Single();
        Assert.Equal((isHeld, SdpDirection.Inactive), (paused.IsHeld, paused.Direction));
    }

    [Theory]
    [InlineData("a=sendrecv", SdpDirection.SendRecv, SdpDirection.SendRecv)]
    [InlineData("a=sendrecv", SdpDirection.SendOnly, SdpDirection.SendOnly)]
    [InlineData("a=sendonly", SdpDirection.SendRecv, SdpDirection.RecvOnly)]
    [InlineData("a=sendonly", SdpDirection.SendOnly, SdpDirection.Inactive)]
    [InlineData("a=recvonly", SdpDirection.SendRecv, SdpDirection.SendOnly)]
    [InlineData("a=recvonly", SdpDirection.RecvOnly, SdpDirection.Inactive)]
    [InlineData("a=inactive", SdpDirection.SendRecv, SdpDirection.Inactive)]
    [InlineData("c=IN IP4 0.0.0.0\r\na=sendrecv", SdpDirection.SendRecv, SdpDirection.RecvOnly)]
    public void In_a_call_each_side_does_what_both_want(string lines, SdpDirection wanted, SdpDirection expected) // RFC 3264 §6.1, §8.4
    {
        var offer = Sdp($"v=0\r\nc=IN IP4 198.51.100.1\r\nm=audio 40000 RTP/AVP 0\r\n{lines}\r\n");
        var answer = _dialog.Answer(_dialog.Review(offer, wanted), [Local(0, 10000)]);

        Assert.Equal(expected, answer.DirectionOf(answer.Media[0]));
    }

    [Fact]
    public void A_call_takes_the_first_stream_that_it_can()
    {
        var call = new OfferAnswer(42, SdpCapabilities.G711 with { MaxMedia = 1 });
        var review = call.Review(Sdp("v=0\r\nc=IN IP4 198.51.100.1\r\nm=video 4000 RTP/AVP 96\r\nm=audio 40000 RTP/AVP 0\r\nm=audio 40002 RTP/AVP 0\r\n"));

        Assert.Equal([1], review.Accepted.Select(m => m.Index));
        Assert.Equal([MediaRejection.UnsupportedMedium, MediaRejection.OneTooMany], review.Rejected.Select(m => m.Reason));
    }

    [Fact]
    public void The_version_grows_only_when_the_answer_differs() // RFC 3264 §8
    {
        var first = Answer(TwoLegs);
        var again = Answer(TwoLegs.Replace("o=src 1 1", "o=src 1 2", StringComparison.Ordinal));
        var held = Answer(TwoLegs.Replace("a=sendonly", "a=inactive", StringComparison.Ordinal));
        var back = Answer(TwoLegs);

        Assert.Same(first, again);
        Assert.Equal(["1", "1", "2", "3"], new[] { first, again, held, back }.Select(a => a.Origin!.SessionVersion));
        Assert.All([again, held, back], answer => Assert.True(answer.Origin!.IsSameSession(first.Origin!)));
        Assert.Equal(first with { Origin = null, Media = [] }, back with { Origin = null, Media = [] });
    }

    [Fact]
    public void A_reviewed_and_refused_offer_leaves_the_session_as_it_was()
    {
        var first = Answer(TwoLegs);
        _ = _dialog.Review(Sdp("v=0\r\nm=video 1 RTP/AVP 0"));

        Assert.Same(first, _dialog.LocalDescription);
        Assert.Same(first, Answer(TwoLegs));
    }

    [Fact]
    public void Media_may_be_added_and_removed_by_later_offers()
    {
        _ = Answer(TwoLegs);
        var more = Answer(TwoLegs + "m=audio 40004 RTP/AVP 0\r\na=label:98\r\n");
        var less = Answer(TwoLegs.Replace("m=audio 40002", "m=audio 0", StringComparison.Ordinal));

        Assert.Equal([10000, 10002, 10004], more.Media.Select(m => m.Port));
        Assert.Equal([(10000, "96"), (0, "97")], less.Media.Select(m => (m.Port, m.Label)));
    }

    [Fact]
    public void An_accepted_medium_without_sockets_is_refused()
    {
        var answer = _dialog.Answer(_dialog.Review(Sdp(TwoLegs)), [Local(1, 10002)]);

        Assert.Equal([0, 10002], answer.Media.Select(m => m.Port));
    }

    [Fact]
    public void An_offer_without_media_is_answered_without_media() =>
        Assert.Equal("v=0\r\no=sipnat 42 1 IN IP4 0.0.0.0\r\ns=-\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n",
            SdpWriter.WriteText(_dialog.Answer(_dialog.Review(Sdp("v=0")), [])));

    [Theory]
    [InlineData("203.0.113.5:10001", null)]
    [InlineData("203.0.113.5:20001", "20001")]
    [InlineData("203.0.113.6:10001", "10001 IN IP4 203.0.113.6")]
    [InlineData("[2001:db8::1]:7", "7 IN IP6 2001:db8::1")]
    public void Rtcp_is_named_where_it_is_not_next_to_rtp(string rtcp, string? expected) // RFC 3605 §2.1
    {
        var review = _dialog.Review(Sdp("v=0\r\nc=IN IP4 198.51.100.1\r\nm=audio 40000 RTP/AVP 0"));
        var answer = _dialog.Answer(review, [Local(0, 10000) with { Rtcp = TransportAddress.Parse(rtcp) }]);

        Assert.Equal(expected, answer.Media[0].Attributes.ValueOf("rtcp"));
    }

    [Fact]
    public void Rtcp_is_multiplexed_where_it_is_offered() // RFC 5761 §5.1.1
    {
        var review = _dialog.Review(Sdp("v=0\r\nc=IN IP4 198.51.100.1\r\nm=audio 40000 RTP/AVPF 0\r\na=rtcp-mux\r\na=rtcp:40001\r\n"));
        var media = _dialog.Answer(review, [Local(0, 10000)]).Media[0];

        Assert.Equal(review.Accepted.Single().RemoteRtp, review.Accepted.Single().RemoteRtcp);
        Assert.Equal(("RTP/AVPF", true, "10000"), (media.Protocol, media.RtcpMux, media.Attributes.ValueOf("rtcp")));
    }

    [Fact]
    public void One_address_stands_at_the_session_and_several_stand_at_their_media()
    {
        var review = _dialog.Review(Sdp(TwoLegs + "m=video 4000 RTP/AVP 31\r\n"));
        var same = _dialog.Answer(review, [Local(0, 10000), Local(1, 10002)]);
        var differing = _dialog.Answer(review, [Local(0, 10000), new(1, TransportAddress.Parse("[2001:db8::5]:10002"), TransportAddress.Parse("[2001:db8::5]:10003"))]);

        Assert.Equal("203.0.113.5", same.Connection?.Address);
        Assert.All(same.Media, media => Assert.Null(media.Connection));
        Assert.Null(differing.Connection);
        Assert.Equal(["203.0.113.5", "2001:db8::5", "203.0.113.5"], differing.Media.Select(m => m.Connection?.Address));
    }

    [Fact]
    public void What_belongs_to_others_is_not_returned()
    {
        var answer = Answer(
            "v=0\r\nc=IN IP4 198.51.100.1\r\na=group:BUNDLE 0\r\na=ice-lite\r\nm=audio 40000/2 RTP/AVP 0 101\r\nb=AS:64\r\na=rtpmap:101 telephone-event/48000\r\n"
            + "a=mid:0\r\na=ice-ufrag:x\r\na=candidate:1 1 UDP 1 198.51.100.1 40000 typ host\r\na=crypto:1 x inline:y\r\na=record:on\r\na=recordpref:on\r\n");

        Assert.Equal(
            "v=0\r\no=sipnat 42 1 IN IP4 203.0.113.5\r\ns=-\r\nc=IN IP4 203.0.113.5\r\nt=0 0\r\n"
            + "m=audio 10000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=recvonly\r\n",
            SdpWriter.WriteText(answer));
    }

    [Fact]
    public void Equal_labels_equal_ports_and_repeated_formats_are_accepted()
    {
        var answer = Answer("v=0\r\nc=IN IP4 198.51.100.1\r\nm=audio 4000 RTP/AVP 0 0\r\na=label:1\r\nm=audio 4000 RTP/AVP 0\r\na=label:1\r\nm=audio 4000 RTP/AVP 0\r\n");

        Assert.Equal([(10000, "1"), (10002, "1"), (10004, null)], answer.Media.Select(m => (m.Port, m.Label)));
        Assert.Equal(["0"], answer.Media[0].Formats);
    }

    [Fact]
    public void An_event_list_that_is_not_one_is_not_returned() =>
        Assert.False(Answer("v=0\r\nc=IN IP4 198.51.100.1\r\nm=audio 4000 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15;x=y\r\n")
            .Media[0].Attributes.Has("fmtp"));

    [Fact]
    public void A_delayed_offer_has_one_unlabelled_stream_for_each_pair_of_sockets()
    {
        var offer = _dialog.Offer([Local(0, 10000), Local(1, 10002)]);

        const string Formats = "a=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:13 CN/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=recvonly\r\n";
        Assert.Equal(
            "v=0\r\no=sipnat 42 1 IN IP4 203.0.113.5\r\ns=-\r\nc=IN IP4 203.0.113.5\r\nt=0 0\r\n"
            + $"m=audio 10000 RTP/AVP 0 8 13 101\r\n{Formats}m=audio 10002 RTP/AVP 0 8 13 101\r\n{Formats}",
            SdpWriter.WriteText(offer));
    }

    [Fact]
    public void The_answer_to_a_delayed_offer_gives_the_same_kind_of_review()
    {
        var offer = _dialog.Offer([Local(0, 10000), Local(1, 10002)]);
        var review = _dialog.ReviewAnswer(offer, Sdp(
            "v=0\r\nc=IN IP4 198.51.100.1\r\nm=audio 40000 RTP/AVP 8 0 97\r\na=rtpmap:97 telephone-event/8000\r\na=sendonly\r\na=label:7\r\nm=audio 0 RTP/AVP 0\r\n"));

        var accepted = review.Accepted.Single();
        Assert.Equal(("7", SdpDirection.RecvOnly, AnswerViolation.None), (accepted.Label, accepted.Direction, review.Violation));
        Assert.Equal([0, 8, 13, 101, 97], accepted.PayloadMap.Select(m => m.PayloadType));
        Assert.Equal([(1, MediaRejection.PortZero)], review.Rejected.Select(r => (r.Index, r.Reason)));
    }

    [Fact]
    public void An_answer_that_leaves_media_out_refuses_them()
    {
        var offer = _dialog.Offer([Local(0, 10000), Local(1, 10002)]);
        var review = _dialog.ReviewAnswer(offer, Sdp("v=0\r\nc=IN IP4 198.51.100.1\r\nm=audio 40000 RTP/AVP 0\r\na=rtcp-mux\r\n"));

        Assert.Equal(AnswerViolation.MediaCount, review.Violation);
        Assert.Equal([MediaRejection.NotAnswered], review.Rejected.Select(r => r.Reason));
        Assert.Equal((false, "198.51.100.1:40001"), (review.Accepted.Single().RtcpMux, review.Accepted.Single().RemoteRtcp?.ToString()));
    }

    [Fact]
    public void A_later_offer_of_ours_repeats_the_session()
    {
        var answer = Answer(TwoLegs + "m=video 4000 RTP/AVP 31\r\n");
        var refresh = _dialog.Offer([Local(0, 10000), Local(1, 10002)]);
        var pause = _dialog.Offer([Local(0, 10000), Local(1, 10002)], SdpDirection.Inactive);
        var moved = _dialog.Offer([Local(0, 10000), Local(1, 10010)]);

        Assert.Same(answer, refresh);
        Assert.Equal(["inactive", "inactive", null], pause.Media.Select(m => m.Attributes.Direction?.Text));
        Assert.Equal([("96", 10000), ("97", 10010), (null, 0)], moved.Media.Select(m => (m.Label, m.Port)));
        Assert.Equal(["1", "2", "3"], new[] { refresh, pause, moved }.Select(o => o.Origin!.SessionVersion));
        Assert.Throws<ArgumentException>(() => _dialog.Offer([Local(3, 10006)]));
    }

    [Theory]
    [InlineData("m=audio 1 RTP/AVP 0", AnswerViolation.None)]
    [InlineData("m=audio 0 RTP/AVP 9", AnswerViolation.None)]
    [InlineData("m=video 1 RTP/AVP 0", AnswerViolation.MediaKind)]
    [InlineData("m=audio 1 RTP/SAVP 0", AnswerViolation.Protocol)]
    [InlineData("m=audio 1 RTP/AVP 9", AnswerViolation.NoCommonFormat)]
    [InlineData("m=audio 1 RTP/AVP 0\na=recvonly", AnswerViolation.Direction)]
    [InlineData("m=audio 1 RTP/AVP 0\nm=audio 1 RTP/AVP 0", AnswerViolation.MediaCount)]
    public void An_answer_is_held_against_its_offer(string answer, AnswerViolation expected) =>
        Assert.Equal(expected, AnswerRules.Find(
            Sdp("m=audio 1 RTP/AVP 0 8\na=recvonly"),
            Sdp(answer.Contains("a=", StringComparison.Ordinal) ? answer : answer + "\na=sendonly")));

    [Fact]
    public void A_refused_stream_cannot_be_revived_by_the_answer() =>
        Assert.Equal(AnswerViolation.RefusedMediaRevived, AnswerRules.Find(Sdp("m=audio 0 RTP/AVP 0"), Sdp("m=audio 1 RTP/AVP 0")));

    [Theory]
    [InlineData("m=audio 1 RTP/AVP 0 9\na=label:1\na=recvonly", AnswerViolation.FormatNotOffered)]
    [InlineData("m=audio 1 RTP/AVP 0\na=recvonly", AnswerViolation.Label)]
    [InlineData("m=audio 1 RTP/AVP 0\na=label:1\na=recvonly", AnswerViolation.None)]
    public void An_answer_of_ours_keeps_stricter_rules(string answer, AnswerViolation expected) =>
        Assert.Equal(expected, AnswerRules.FindInOwn(Sdp("m=audio 1 RTP/AVP 0 8\na=label:1"), Sdp(answer)));

    [Fact]
    public void No_offer_that_can_be_read_makes_the_answer_fail()
    {
        var offer = Encoding.UTF8.GetBytes(TwoLegs + "m=audio 40004 RTP/AVPF 0 101\r\na=rtcp-mux\r\na=rtcp:5 IN IP4 1.2.3.4\r\na=recvonly\r\n");
        var random = new Random(3264);
        var answered = 0;
        for (var round = 0; round < 1200; round++)
        {
            var mutated = offer.ToArray();
            for (var change = 0; change <= round % 8; change++) mutated[random.Next(mutated.Length)] = (byte)random.Next(32, 127);
            if (!SdpReader.TryRead(mutated, out var session, out _)) continue;

            var answer = Answer(session);
            Assert.True(SdpReader.TryRead(SdpWriter.Write(answer), out var read, out _));
            Assert.Equal(AnswerViolation.None, AnswerRules.FindInOwn(session, read));
            answered++;
        }

        Assert.InRange(answered, 300, 1200);
    }

    private static SdpSession Sdp(string text) =>
        SdpReader.TryRead(Encoding.UTF8.GetBytes(text), out var session, out var defect) ? session : throw new FormatException(defect.ToString());

    private SdpSession Answer(string offer) => Answer(Sdp(offer));

    private SdpSession Answer(SdpSession offer) =>
        _dialog.Answer(_dialog.Review(offer), [.. offer.Media.Select((_, index) => Local(index, 10000 + (2 * index)))]);

    private static LocalMedia Local(int index, int port) =>
        new(index, TransportAddress.Parse($"203.0.113.5:{port}"), TransportAddress.Parse($"203.0.113.5:{port + 1}"));
}
