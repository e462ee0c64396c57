using SipNat.Endpoint.Diagnosis;
using SipNat.Simulation;
using SipNat.Tests.Endpoint.Signalling;
using SipNat.Wire;

namespace SipNat.Tests.Endpoint.Diagnosis;

/// <summary>Streams with a fault, each with all that is found of it.</summary>
public sealed class StreamFindingTests
{
    private const string NoMetadata = "metadata-missing: The INVITE brought no recording metadata.";

    private readonly RecorderScene _scene = new(seed: 200);

    private static ScriptedPeerOptions Peer => new() { Server = default, Streams = 1, Duration = TimeSpan.FromSeconds(10) };

    [Fact]
    [Plants(FindingCode.NoMedia)]
    public void A_stream_that_brings_nothing()
    {
        var client = ManualClient.AddTo(_scene);
        client.Establish(ManualClient.Sdp(streams: 1));
        client.RunFor(6);

        AssertFound(NoMetadata, "no-media: Stream 1: no packet in 5 s. The peer at 192.0.2.20 said that it sends from 192.0.2.20:40000, and was told to send to 198.51.100.10:10000 (the local address is public). Nothing here shows why: it does not send, or what it sends is dropped on the way.");
    }

    [Fact]
    [Plants(FindingCode.NoMedia)]
    public void A_stream_of_which_only_rtcp_arrives()
    {
        var client = ManualClient.AddTo(_scene);
        client.Establish(ManualClient.Sdp(streams: 1));
        client.SendSenderReport(0, packets: 150, Port(0).WithPort(10001));
        client.RunFor(6);

        AssertFound(NoMetadata, "no-media: Stream 1: no packet in 5 s. The peer at 192.0.2.20 said that it sends from 192.0.2.20:40000, and was told to send to 198.51.100.10:10000 (the local address is public). Its RTCP comes from 192.0.2.20:40001 and says that 150 packets were sent.");
    }

    [Fact]
    [Plants(FindingCode.MediaStopped)]
    public void A_stream_that_stops_without_a_word()
    {
        var client = ManualClient.AddTo(_scene);
        client.Establish(ManualClient.Sdp(streams: 1));
        client.Talk(0, 0, 50);
        client.RunFor(11);

        AssertFound(NoMetadata, "media-stopped: Stream 1: no packet for 9 s after 1 s of them, though the stream is not on hold.");
    }

    [Fact]
    [Plants(FindingCode.StrayMedia)]
    public void Packets_of_a_stranger_beside_the_stream()
    {
        var client = ManualClient.AddTo(_scene);
        var stranger = ManualClient.AddTo(_scene, "203.0.113.77");
        client.Establish(ManualClient.Sdp(streams: 1));
        client.Talk(0, 0, 300, i =>
        {
            client.SendFrame(0, i, Port(0));
            stranger.SendFrame(0, 5000 + i, Port(0));
        });

        AssertFound(NoMetadata, "stray-media: Stream 1: packets came from 203.0.113.77:40000 (240) and are not part of the stream, as Media:Latch is Signalling and the peer signals from 192.0.2.20 and said 192.0.2.20:40000. If they are the peer's, set Media:Latch to Allowed and put their network into Sip:AllowedNetworks.");
    }

    [Fact]
    [Plants(FindingCode.CodecKeptAsPackets)]
    [Plants(FindingCode.PacketsLost)]
    public void A_codec_that_is_not_decoded_with_packets_lost_and_of_another_type()
    {
        var client = ManualClient.AddTo(_scene);
        client.Establish(ManualClient.Sdp(streams: 1).Replace("RTP/AVP 0 101", "RTP/AVP 18 101", StringComparison.Ordinal));
        client.Talk(0, 0, 300, i =>
        {
            if (i % 20 != 7) client.SendFrame(0, i, Port(0), payloadType: i == 8 ? 77 : 18);
        });

        AssertFound(
            NoMetadata,
            "codec-kept-as-packets: Stream 1: G729 is not decoded here; its RTP packets are kept as they come, in a file that ends in .rtpdump. Offer PCMU or PCMA to have audio.",
            "unknown-payload-type: Stream 1: 1 packets with a payload type that was not agreed on, the last with 77; agreed on were 18, 101. They are kept with the other packets of the stream. Compare the codecs of the two legs at the peer.",
            "packets-lost: Stream 1: 12 of 240 packets were lost on the way (5.0 %); nothing stands in their place. Look for an overloaded link between the peer and this machine.");
    }

    [Fact]
    [Plants(FindingCode.CodecKeptAsPackets)]
    public void A_codec_that_is_decoded_by_an_export_alone()
    {
        var client = ManualClient.AddTo(_scene);
        client.Establish(ManualClient.Sdp(streams: 1).Replace("RTP/AVP 0 101", "RTP/AVP 9 101", StringComparison.Ordinal));
        client.Talk(0, 0, 300, i => client.SendFrame(0, i, Port(0), payloadType: 9));

        AssertFound(NoMetadata, "codec-kept-as-packets: Stream 1: G722 is kept as RTP packets as they come, in a file that ends in .rtpdump; 'recordings export' makes audio of them.");
    }

    [Fact]
    [Plants(FindingCode.MediaFromElsewhere)]
    public void Media_from_another_port_than_the_described_one()
    {
        _scene.AddClient(Peer with { SourcePortOffset = 50 });
        _scene.RunFor(8);

        AssertFound("media-from-elsewhere: Stream 1: media comes from 192.0.2.20:40050; the peer said 192.0.2.20:40000. It is recorded; a NAT before the peer is the usual reason.");
    }

    [Fact]
    [Plants(FindingCode.SecondSource)]
    public void A_second_source_that_sends_at_the_same_time()
    {
        var client = ManualClient.AddTo(_scene);
        client.Establish(ManualClient.Sdp(streams: 1));
        client.Talk(0, 0, 300, i =>
        {
            client.SendFrame(0, i, Port(0));
            client.SendFrame(0, 5000 + i, Port(0), sequence: (ushort)(30_000 + i), timestamp: (uint)(9_000_000 + (i * 160)), ssrc: 0xABCD);
        });

        AssertFound(NoMetadata, "second-source: Stream 1: SSRC 0000abcd of 192.0.2.20:40000 sent while SSRC 00001111 was recorded; 176 packets were kept apart and not mixed in. Two senders were told the same port: give each its own.");
    }

    [Fact]
    public void A_second_source_at_another_port_is_not_where_the_media_comes_from()
    {
        var client = ManualClient.AddTo(_scene);
        client.Establish(ManualClient.Sdp(streams: 1));
        client.Talk(0, 0, 300, i =>
        {
            client.SendFrame(0, i, Port(0));
            client.SendFrame(0, 5000 + i, Port(0), sequence: (ushort)(30_000 + i), timestamp: (uint)(9_000_000 + (i * 160)), ssrc: 0xABCD, portOffset: 1);
        });

        AssertFound(NoMetadata, "second-source: Stream 1: SSRC 0000abcd of 192.0.2.20:40001 sent while SSRC 00001111 was recorded; 239 packets were kept apart and not mixed in. Two senders were told the same port: give each its own.");
    }

    [Fact]
    [Plants(FindingCode.UnknownPayloadType)]
    public void A_payload_type_that_was_not_agreed_on()
    {
        var client = ManualClient.AddTo(_scene);
        client.Establish(ManualClient.Sdp(streams: 1));
        client.Talk(0, 0, 300, i => client.SendFrame(0, i, Port(0), payloadType: 8));

        AssertFound(NoMetadata, "unknown-payload-type: Stream 1: 240 packets with a payload type that was not agreed on, the last with 8; agreed on were 0, 101. They are recorded as what RFC 3551 makes of their number. Compare the codecs of the two legs at the peer.");
    }

    [Fact]
    [Plants(FindingCode.TimestampJump)]
    public void Timestamps_that_jump()
    {
        _scene.AddClient(Peer with { TimestampJumpAtFrame = 250, TimestampJump = 0x8000_0000 });
        _scene.RunFor(8);

        AssertFound("timestamp-jump: Stream 1: RTP timestamps jumped at second 5.000 of the file; from there audio is placed by its arrival.");
    }

    [Fact]
    [Plants(FindingCode.PacketsLost)]
    public void A_packet_in_twenty_that_is_lost()
    {
        var client = ManualClient.AddTo(_scene);
        client.Establish(ManualClient.Sdp(streams: 1));
        client.Talk(0, 0, 300, i =>
        {
            if (i % 20 != 10) client.SendFrame(0, i, Port(0));
        });

        AssertFound(NoMetadata, "packets-lost: Stream 1: 12 of 240 packets were lost on the way (5.0 %); silence stands in their place. Look for an overloaded link between the peer and this machine.");
    }

    [Fact]
    [Plants(FindingCode.MediaInterrupted)]
    public void A_path_that_is_interrupted_for_two_seconds()
    {
        var client = ManualClient.AddTo(_scene);
        client.Establish(ManualClient.Sdp(streams: 1));
        client.Talk(0, 0, 300, i =>
        {
            if (i is < 100 or >= 200) client.SendFrame(0, i, Port(0));
        });

        AssertFound(
            NoMetadata,
            "packets-lost: Stream 1: 100 of 240 packets were lost on the way (41.7 %); silence stands in their place. Look for an overloaded link between the peer and this machine.",
            "media-interrupted: Stream 1: 2.000 s of audio are missing from second 2.000 of file 1 on: the sender's numbers went on, and nothing arrived. The path was interrupted.");
    }

    [Fact]
    public void A_sender_that_suppresses_silence_is_no_interruption()
    {
        var client = ManualClient.AddTo(_scene);
        client.Establish(ManualClient.Sdp(streams: 1));
        client.Talk(0, 0, 300, i =>
        {
            if (i is < 100 or >= 200) client.SendFrame(0, i, Port(0), sequence: (ushort)(i < 100 ? i : i - 100));
        });

        AssertFound(NoMetadata);
    }

    [Theory]
    [InlineData(19.9, "5031 parts in a million fast: 377 ms in 75 s")]
    [InlineData(20.1, "4975 parts in a million slow: 323 ms in 65 s")]
    [Plants(FindingCode.ClockDrift)]
    public void A_sender_whose_clock_is_wrong(double milliseconds, string pace)
    {
        var client = ManualClient.AddTo(_scene);
        client.Establish(ManualClient.Sdp(streams: 1));
        for (var i = 0; i < 4600; i++)
        {
            client.SendFrame(0, i, Port(0));
            client.RunFor(milliseconds / 1000);
        }

        AssertFound(NoMetadata, $"clock-drift: Stream 1: the sender's clock is {pace}. The file follows it, so that its length is not the time that passed. Correct the clock of the device that sends.");
    }

    [Fact]
    public void What_is_wrong_with_a_call_of_two_seconds_is_found_at_its_end()
    {
        var client = ManualClient.AddTo(_scene);
        client.Establish(ManualClient.Sdp(streams: 1));
        client.Talk(0, 0, 100, i => client.SendFrame(0, i, Port(0), payloadType: 8));
        client.Send("BYE");
        client.RunFor(1);

        AssertFound(NoMetadata, "unknown-payload-type: Stream 1: 100 packets with a payload type that was not agreed on, the last with 8; agreed on were 0, 101. They are recorded as what RFC 3551 makes of their number. Compare the codecs of the two legs at the peer.");
    }

    [Fact]
    public void Six_thousand_packets_with_two_faults_are_two_findings()
    {
        var client = ManualClient.AddTo(_scene);
        client.Establish(ManualClient.Sdp(streams: 1));
        client.Talk(0, 0, 3000, i =>
        {
            client.SendFrame(0, i, Port(0), payloadType: 8);
            client.SendFrame(0, 5000 + i, Port(0), payloadType: 77, ssrc: 0xABCD);
        });

        Assert.Equal(["metadata-missing", "second-source", "unknown-payload-type"], _scene.Session.FindingTexts.Select(text => text.Split(':')[0]).Order(StringComparer.Ordinal));
    }

    private static TransportAddress Port(int stream) => TransportAddress.Parse(RecorderScene.PublicRecorder).WithPort(10000 + (2 * stream));

    private void AssertFound(params string[] findings) => FindingAssert.Are(findings, _scene.Session);
}
