using SipNat.Simulation;
using SipNat.Wire;

namespace SipNat.Tests.Endpoint.Signalling;

/// <summary>Streams that do what streams should not, and what of it is in the file.</summary>
public sealed class StreamFaultTests
{
    private readonly RecorderScene _scene = new(seed: 110);

    private static ScriptedPeerOptions Peer => new() { Server = default, Duration = TimeSpan.FromSeconds(10) };

    [Fact]
    public void A_timestamp_that_jumps_by_half_of_its_range_costs_nothing_but_a_finding()
    {
        var peer = _scene.AddClient(Peer with { TimestampJumpAtFrame = 250, TimestampJump = 0x8000_0000 });
        _scene.RunFor(15);

        _scene.AssertRecordedWhole(peer);
        Assert.Equal(["timestamp-jump"], _scene.Session.Findings);
    }

    [Theory]
    [InlineData(1u)]
    [InlineData(8000u)]
    [InlineData(0x7FFF_FFFFu)]
    [InlineData(0xFFFF_0000u)]
    public void A_timestamp_that_jumps_at_all_costs_no_frame(uint jump)
    {
        var peer = _scene.AddClient(Peer with { TimestampJumpAtFrame = 250, TimestampJump = jump });
        _scene.RunFor(15);

        Assert.All(_scene.Session.Files, f => Assert.Equal(Enumerable.Range(0, 500), f.Frames().Select(frame => frame.Frame)));
        Assert.All(_scene.Session.Files, f => Assert.InRange(f.Length, 500 * 160, (500 * 160) + 16_000));
        Assert.Equal(1000, peer.Sent.Count);
    }

    [Fact]
    public void An_ssrc_that_changes_goes_on_at_its_place()
    {
        var peer = _scene.AddClient(Peer with { SsrcChangeAtFrame = 250, Gaps = [new(0, 225, 25), new(1, 225, 25)] });
        _scene.RunFor(15);

        _scene.AssertRecordedWhole(peer);
        Assert.All(_scene.Session.Snapshot.Streams, s => Assert.Equal(2, s.Report!.Stream.Ssrcs.Count));
    }

    [Fact]
    public void An_ssrc_that_changes_without_a_pause_loses_nothing()
    {
        _scene.AddClient(Peer with { SsrcChangeAtFrame = 250 });
        _scene.RunFor(15);

        Assert.All(_scene.Session.Files, f => Assert.Equal(Enumerable.Range(0, 500), f.Frames().Select(frame => frame.Frame)));
    }

    [Fact]
    public void Sequence_numbers_and_timestamps_that_wrap_are_nothing_special()
    {
        var peer = _scene.AddClient(Peer with { FirstSequenceNumber = 65_400, FirstTimestamp = 0xFFFF_F000 });
        _scene.RunFor(15);

        _scene.AssertRecordedWhole(peer);
        Assert.Equal([], _scene.Session.Findings);
        Assert.All(_scene.Session.Snapshot.Streams, s => Assert.Equal((500, 0), (s.Report!.Stream.Packets, s.Report.Stream.Lost)));
    }

    [Fact]
    public void Lost_and_discontinuous_frames_leave_silence_and_not_a_shorter_file()
    {
        var peer = _scene.AddClient(Peer with { Gaps = [new(0, 0, 3), new(0, 100, 1), new(0, 200, 150), new(1, 499, 1)] });
        _scene.RunFor(15);

        _scene.AssertRecordedWhole(peer);
        Assert.Equal([497, 500], _scene.Session.Files.Select(f => f.Length / ScriptedFrame.Length));
    }

    [Fact]
    public void Media_from_another_port_than_the_described_one_is_recorded()
    {
        var peer = _scene.AddClient(Peer with { SourcePortOffset = 50 });
        _scene.RunFor(15);

        _scene.AssertRecordedWhole(peer);
        Assert.Equal(["media-from-elsewhere"], _scene.Session.Findings);
    }

    [Fact]
    public void Audio_with_a_payload_type_that_was_not_agreed_on_is_recorded_where_it_is_known()
    {
        var client = ManualClient.AddTo(_scene);
        client.Establish(ManualClient.Sdp(streams: 1));
        client.Talk(0, 0, 250, i => client.SendFrame(0, i, To(client), payloadType: i < 125 ? 0 : 8));
        client.RunFor(6);
        client.Send("BYE");
        client.RunFor(1);

        // PCMA was not agreed on: RFC 3551 says what its number means all the same.
        Assert.Equal([(0, 125), (1, 125)], _scene.Session.Files.Select(f => (f.Index, f.Frames().Count)));
        Assert.Contains("unknown-payload-type", _scene.Session.Findings);
    }

    [Fact]
    public void A_second_source_at_the_same_time_is_counted_and_never_mixed_in()
    {
        var client = ManualClient.AddTo(_scene);
        client.Establish(ManualClient.Sdp(streams: 1));
        client.Talk(0, 0, 400, i =>
        {
            client.SendFrame(0, i, To(client));
            client.SendFrame(0, 5000 + i, To(client), sequence: (ushort)(30_000 + i), timestamp: (uint)(9_000_000 + (i * 160)), ssrc: 0xABCD);
        });
        client.RunFor(6);
        client.Send("BYE");
        client.RunFor(1);

        Assert.Equal(Enumerable.Range(0, 400), _scene.Session.FileOf(0).Frames().Select(f => f.Frame));
        Assert.Contains("second-source", _scene.Session.Findings);
    }

    [Fact]
    public void A_stranger_that_sends_into_a_stream_is_counted_and_not_recorded()
    {
        var client = ManualClient.AddTo(_scene);
        var stranger = ManualClient.AddTo(_scene, "203.0.113.77");
        client.Establish(ManualClient.Sdp(streams: 1));
        client.Talk(0, 0, 400, i =>
        {
            client.SendFrame(0, i, To(client));
            stranger.SendFrame(0, 5000 + i, To(client), ssrc: 0x1111);
        });
        client.RunFor(6);
        client.Send("BYE");
        client.RunFor(1);

        Assert.Equal(Enumerable.Range(0, 400), _scene.Session.FileOf(0).Frames().Select(f => f.Frame));
        Assert.Equal(400, _scene.Session.Snapshot.Streams[0].Report!.Stream.Strays);
        Assert.Contains("stray-media", _scene.Session.Findings);
        Assert.Empty(stranger.Media);
    }

    [Fact]
    public void Packets_that_come_before_the_200_are_not_lost()
    {
        var client = ManualClient.AddTo(_scene);
        client.Send("INVITE", ManualClient.Sdp(streams: 1));
        client.RunFor(0.0101);
        for (var i = 0; i < 5; i++) client.SendFrame(0, i, TransportAddress.Parse("198.51.100.10:10000"));
        client.RunFor(0.1);
        client.Acknowledge();
        client.Talk(0, 5, 50);
        client.Send("BYE");
        client.RunFor(1);

        Assert.Equal(Enumerable.Range(0, 55), _scene.Session.FileOf(0).Frames().Select(f => f.Frame));
    }

    [Fact]
    public void Noise_on_the_media_ports_harms_nothing()
    {
        var random = new Random(111);
        var peer = _scene.AddClient(Peer);
        _scene.RunFor(1);
        var noise = new DatagramProbe();
        var host = _scene.Network.AddHost("192.0.2.21", noise);
        var flow = host.OpenUdp(4000);
        for (var i = 0; i < 2000; i++)
        {
            var bytes = new byte[random.Next(0, 200)];
            random.NextBytes(bytes);
            if (bytes.Length > 0 && i % 2 == 0) bytes[0] = 0x80;
            host.Run(_ => noise.Outbox.Add(flow, peer.Answers[i % 2].Rtp.WithPort(10000 + (i % 4)), bytes));
            _scene.RunFor(0.004);
        }

        _scene.RunFor(10);
        _scene.AssertRecordedWhole(peer);
        _scene.Network.AssertNothingRented();
    }

    private static TransportAddress To(ManualClient client) => ScriptedAnswer.Read(client.Responses.Last(r => r.Body.Length > 0).Body)[0].Rtp;
}
