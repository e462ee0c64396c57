using SipNat.Media.Streams;
using SipNat.Tests.Media.RtpDump;
using SipNat.Wire;

namespace SipNat.Tests.Media.Streams;

/// <summary>What comes to a stream's port and is no part of it is kept apart.</summary>
public sealed class OtherPacketsTests
{
    private static readonly TransportAddress Neighbour = TransportAddress.Parse("198.51.100.99:40000");
    private static readonly TransportAddress Stranger = TransportAddress.Parse("203.0.113.9:40000");

    private readonly StreamUnderTest _stream = new(new() { AllowedNetworks = [NetworkPrefix.Parse("198.51.100.0/24")] });

    [Fact]
    public void Second_ssrc_beside_the_recorded_one_is_kept_whole()
    {
        for (var i = 0; i < 200; i++)
        {
            _stream.Send(i * 20, i);
            _stream.Send((i * 20) + 5, i, sequence: 7000, ssrc: 2);
        }

        var report = _stream.Finish(4000);

        Assert.Equal(Enumerable.Range(0, 200), _stream.Frames());
        Assert.Equal((200, 200, 0), (report.Secondary, report.Others?.Packets.Packets, report.OthersUnkept));
        Assert.Equal(Enumerable.Range(7000, 200), Others().Select(p => (int)DumpedPackets.Sequence(p.Packet)));
        Assert.Equal(StreamUnderTest.Audio(199), Others()[^1].Packet[12..]);
        Assert.Equal(_stream.Others.Count, report.Others!.Value.Length);
        Assert.Equal(StreamUnderTest.At(5), report.Others.Value.StartedAt);
    }

    [Fact]
    public void Sources_that_may_not_be_followed_are_kept_from_allowed_networks_only()
    {
        for (var i = 0; i < 50; i++)
        {
            _stream.Send(i * 20, i);
            _stream.Send((i * 20) + 1, i, sequence: 100, ssrc: 2, from: Neighbour);
            _stream.Send((i * 20) + 2, i, sequence: 200, ssrc: 3, from: Stranger);
        }

        var report = _stream.Finish(1000);

        Assert.Equal(100, report.Strays);
        Assert.Equal(Enumerable.Range(100, 50), Others().Select(p => (int)DumpedPackets.Sequence(p.Packet)));
        Assert.Equal([(0u, 2), (20u, 2)], Others().Take(2).Select(p => (p.Milliseconds, (int)p.Packet[11])));
    }

    [Fact]
    public void Packet_too_long_to_be_held_is_kept_at_once()
    {
        for (var i = 0; i < 10; i++) _stream.Send(i * 20, i);
        _stream.SendPayload(200, 1, 0, new byte[1400], ssrc: 2);

        Assert.Equal((1, 1L), (_stream.Finish(220).Secondary, _stream.Stream.Report(StreamUnderTest.At(220)).Others?.Packets.Packets));
        Assert.Equal(1412, Assert.Single(Others()).Packet.Length);
    }

    [Fact]
    public void Source_that_takes_over_leaves_nothing_beside_the_stream()
    {
        for (var i = 0; i < 50; i++) _stream.Send(i * 20, i);
        for (var i = 50; i < 150; i++) _stream.Send(i * 20, i, sequence: 30_000, timestamp: 1, ssrc: 2, from: StreamUnderTest.Peer.WithPort(50_000));

        Assert.Null(_stream.Finish(3000).Others);
        Assert.Equal(Enumerable.Range(0, 150), _stream.Frames());
    }

    [Fact]
    public void No_more_is_kept_than_the_bound()
    {
        var payload = new byte[1388];
        for (var i = 0; i < 8000; i++) _stream.SendPayload(i, (ushort)i, 0, payload, from: Neighbour);

        var report = _stream.Finish(8000);

        var kept = (OtherPackets.MaxLength / 1408) + 1;
        Assert.Equal((kept, 8000 - kept, kept * 1408), (report.Others!.Value.Packets.Packets, report.OthersUnkept, report.Others.Value.Length));
    }

    [Fact]
    public void Nothing_that_comes_in_a_pause_is_kept_also_not_what_was_held_in_it()
    {
        var other = StreamUnderTest.Peer.WithPort(50_000);
        for (var i = 0; i < 50; i++) _stream.Send(i * 20, i);
        _stream.Stream.IsPaused = true;
        for (var i = 50; i < 75; i++)
        {
            _stream.Send(i * 20, i);
            _stream.Send(i * 20, i, sequence: 30_000, timestamp: 1, ssrc: 2, from: other);
            _stream.Send(i * 20, i, ssrc: 3, from: Neighbour);
        }

        _stream.Stream.IsPaused = false;

        // The other source goes on alone, and takes over: what was held of it came in the pause in part.
        for (var i = 75; i < 150; i++) _stream.Send(i * 20, i, sequence: 30_000, timestamp: 1, ssrc: 2, from: other);
        var report = _stream.Finish(3000);

        Assert.Null(report.Others);
        Assert.Equal([.. Enumerable.Range(0, 50), .. Enumerable.Repeat(-1, 25), .. Enumerable.Range(75, 75)], _stream.Frames());
    }

    [Fact]
    public void Packets_leave_after_three_quarters_of_a_second()
    {
        _stream.Send(0, 0, from: Neighbour);
        Assert.Equal(StreamUnderTest.At(750), _stream.Stream.Deadline);
        Assert.Empty(_stream.Others);

        _stream.Stream.HandleTimeout(StreamUnderTest.At(750));
        _stream.Drain();

        Assert.Single(Others());
        Assert.Null(_stream.Stream.Deadline);
    }

    private List<(uint Milliseconds, byte[] Packet)> Others() => DumpedPackets.Read([.. _stream.Others]);
}
