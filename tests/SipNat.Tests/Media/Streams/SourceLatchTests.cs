using SipNat.Media.Rtp;
using SipNat.Media.Streams;
using SipNat.Wire;

namespace SipNat.Tests.Media.Streams;

public sealed class SourceLatchTests
{
    private static readonly TransportAddress Signalled = TransportAddress.Parse("198.51.100.7:40000");
    private static readonly TransportAddress SameHost = TransportAddress.Parse("198.51.100.7:41000");
    private static readonly TransportAddress SignallingSource = TransportAddress.Parse("203.0.113.9:5060");
    private static readonly TransportAddress BehindNat = TransportAddress.Parse("203.0.113.9:1234");
    private static readonly TransportAddress Allowed = TransportAddress.Parse("192.0.2.1:2000");
    private static readonly TransportAddress Stranger = TransportAddress.Parse("192.0.2.200:2000");

    [Theory]
    [InlineData(LatchPolicy.Off, true, false, false, false, false)]
    [InlineData(LatchPolicy.Signalling, true, true, true, false, false)]
    [InlineData(LatchPolicy.Allowed, true, true, true, true, false)]
    [InlineData(LatchPolicy.Any, true, true, true, true, true)]
    public void Policy_says_which_sources_are_recorded(
        LatchPolicy policy, bool signalled, bool sameHost, bool behindNat, bool allowed, bool stranger)
    {
        TransportAddress[] sources = [Signalled, SameHost, BehindNat, Allowed, Stranger];

        var verdicts = sources.Select(s => Judge(Latch(policy), 0, s, 1) is LatchVerdict.Accept);

        Assert.Equal([signalled, sameHost, behindNat, allowed, stranger], verdicts);
    }

    [Fact]
    public void First_packets_are_recorded_at_once_and_the_fifth_locks()
    {
        var latch = Latch();
        for (ushort i = 0; i < 5; i++)
        {
            Assert.True(latch.Locked.IsNone);
            Assert.Equal(Signalled, latch.Destination);
            Assert.Equal(LatchVerdict.Accept, Judge(latch, i * 20, BehindNat, i));
        }

        Assert.Equal(BehindNat, latch.Locked);
        Assert.Equal(BehindNat, latch.Destination);
    }

    [Fact]
    public void Packets_that_were_not_negotiated_or_do_not_rise_lock_nothing()
    {
        var latch = Latch();
        for (ushort i = 0; i < 20; i++) latch.Judge(At(i * 20), BehindNat, Packet(i, 1), isNegotiated: false);
        for (var i = 0; i < 20; i++) Judge(latch, 400 + (i * 20), BehindNat, 7);

        Assert.True(latch.Locked.IsNone);
    }

    [Fact]
    public void Learned_source_is_held_while_the_signalled_one_sends()
    {
        var latch = Latch();
        Judge(latch, 0, Signalled, 1);

        for (ushort i = 0; i < 10; i++) Assert.Equal(LatchVerdict.Probation, Judge(latch, i * 20, BehindNat, i, ssrc: 9));

        Assert.True(latch.Locked.IsNone);
        Assert.Equal(LatchVerdict.Accept, Judge(latch, 600, BehindNat, 10, ssrc: 9));
        Assert.Equal(BehindNat, latch.Locked);
    }

    [Fact]
    public void Signalled_address_takes_the_stream_back_with_its_first_packet()
    {
        var latch = Locked(SameHost);
        Assert.Equal(LatchVerdict.TookOver, Judge(latch, 90, Signalled, 700, ssrc: 2));
        Assert.Equal(Signalled, latch.Locked);
        for (ushort i = 5; i < 50; i++)
        {
            Assert.Equal(LatchVerdict.Probation, Judge(latch, i * 20, SameHost, i));
            Assert.Equal(LatchVerdict.Accept, Judge(latch, (i * 20) + 1, Signalled, (ushort)(700 + i), ssrc: 2));
        }
    }

    [Fact]
    public void Signalled_address_needs_no_proof_before_anybody_is_followed_either()
    {
        var latch = Latch();
        LatchVerdict[] verdicts = [Judge(latch, 0, SameHost, 1), Judge(latch, 1, Signalled, 700, ssrc: 2), Judge(latch, 2, SameHost, 2), Judge(latch, 21, Signalled, 701, ssrc: 2)];

        Assert.Equal([LatchVerdict.Accept, LatchVerdict.TookOver, LatchVerdict.Probation, LatchVerdict.Accept], verdicts);
    }

    [Fact]
    public void Signalled_address_takes_nothing_back_on_hold_or_with_a_payload_type_of_its_own()
    {
        var latch = Locked(SameHost);
        Assert.Equal(LatchVerdict.Probation, latch.Judge(At(90), Signalled, Packet(700, 2), isNegotiated: false));
        latch.IsHeld = true;
        Assert.Equal(LatchVerdict.Stray, Judge(latch, 100, Signalled, 701, ssrc: 2));
        Assert.Equal(SameHost, latch.Locked);
    }

    [Fact]
    public void Stray_packets_are_counted_and_never_followed()
    {
        var latch = Locked(Signalled);

        for (ushort i = 0; i < 100; i++) Assert.Equal(LatchVerdict.Stray, Judge(latch, 5000 + (i * 20), Stranger, i));

        Assert.Equal(Signalled, latch.Locked);
        Assert.Equal(100, latch.Strays);
        var seen = latch.Sources[^1];
        Assert.Equal(new SourceSeen(Stranger, 1, 0, At(5000), At(6980), 100, LatchVerdict.Stray), seen);
    }

    [Fact]
    public void Two_senders_at_once_change_nothing_and_are_told()
    {
        var latch = Locked(Signalled);
        for (ushort i = 5; i < 100; i++)
        {
            Assert.Equal(LatchVerdict.Accept, Judge(latch, i * 20, Signalled, i));
            Assert.Equal(LatchVerdict.Probation, Judge(latch, (i * 20) + 1, SameHost, i, ssrc: 2));
        }

        Assert.Equal(Signalled, latch.Locked);
        Assert.Equal(SameHost, latch.Contender);
    }

    [Fact]
    public void Silent_source_gives_way_to_one_that_passes_probation()
    {
        var latch = Locked(Signalled);
        var verdicts = new List<LatchVerdict>();
        for (ushort i = 0; i < 30; i++) verdicts.Add(Judge(latch, 100 + (i * 20), SameHost, (ushort)(30_000 + i), ssrc: 2));

        // The last packet of the first source came at 80 ms.
        Assert.Equal(Enumerable.Repeat(LatchVerdict.Probation, 24).Append(LatchVerdict.TookOver).Concat(Enumerable.Repeat(LatchVerdict.Accept, 5)), verdicts);
        Assert.Equal(SameHost, latch.Locked);
    }

    [Fact]
    public void Nobody_takes_over_on_hold()
    {
        var latch = Locked(Signalled);
        latch.IsHeld = true;

        for (ushort i = 0; i < 100; i++) Assert.Equal(LatchVerdict.Stray, Judge(latch, 10_000 + (i * 20), SameHost, i, ssrc: 2));

        Assert.Equal(Signalled, latch.Locked);
    }

    [Fact]
    public void Sender_whose_nat_binds_it_anew_is_recorded_without_a_pause()
    {
        var latch = Locked(BehindNat);

        for (ushort i = 5; i < 15; i++) Assert.Equal(LatchVerdict.Accept, Judge(latch, i * 20, BehindNat.WithPort(9999), i));

        Assert.Equal(BehindNat.WithPort(9999), latch.Locked);
    }

    [Fact]
    public void Fresh_offer_unlocks_and_a_repeated_one_does_not()
    {
        var latch = Locked(BehindNat);

        latch.SignalledChanged(Signalled, SignallingSource.WithPort(9));
        Assert.Equal(BehindNat, latch.Locked);

        latch.SignalledChanged(SameHost, SignallingSource);
        Assert.True(latch.Locked.IsNone);
        Assert.Equal(SameHost, latch.Destination);
        for (ushort i = 0; i < 5; i++) Judge(latch, 200 + (i * 20), SameHost, (ushort)(500 + i));
        Assert.Equal(SameHost, latch.Locked);
    }

    [Fact]
    public void Flood_of_forged_sources_pushes_out_its_own_kind_only()
    {
        var latch = Latch(LatchPolicy.Any);
        for (ushort i = 0; i < 5; i++) Judge(latch, i * 20, BehindNat, i);
        for (var i = 0; i < 1000; i++) Judge(latch, 200 + i, TransportAddress.Parse($"192.0.2.{i % 250}:{1000 + i}"), (ushort)i, (uint)i);

        Assert.Equal(SourceLatch.MaxSources, latch.Sources.Count);
        Assert.Equal((BehindNat, 5), (latch.Sources[0].Address, latch.Sources[0].Packets));
        Assert.Equal(BehindNat, latch.Locked);
    }

    [Fact]
    public void Control_packets_lock_on_their_second_one_and_give_way_after_three_intervals()
    {
        var latch = new SourceLatch(new LatchOptions().ForControl(), Signalled.WithPort(40001), SignallingSource);

        latch.JudgeControl(At(0), BehindNat, 1);
        latch.JudgeControl(At(5000), BehindNat, 1);
        Assert.Equal(BehindNat, latch.Locked);

        latch.JudgeControl(At(10_000), BehindNat.WithPort(7), 1);
        Assert.Equal(LatchVerdict.Probation, latch.JudgeControl(At(15_000), BehindNat.WithPort(7), 1));
        Assert.Equal(LatchVerdict.TookOver, latch.JudgeControl(At(20_000), BehindNat.WithPort(7), 1));
        Assert.Equal(-1, latch.Sources[0].PayloadType);
    }

    [Fact]
    public void Judging_allocates_nothing()
    {
        var latch = Locked(Signalled);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (ushort i = 5; i < 1000; i++)
        {
            Judge(latch, i * 20, Signalled, i);
            Judge(latch, i * 20, Stranger, i);
        }

        // The stranger's entry, once.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1000);
    }

    private static SourceLatch Latch(LatchPolicy policy = LatchPolicy.Signalling) =>
        new(new() { Policy = policy, AllowedNetworks = [NetworkPrefix.Parse("192.0.2.0/25")] }, Signalled, SignallingSource);

    private static SourceLatch Locked(TransportAddress source)
    {
        var latch = Latch();
        for (ushort i = 0; i < 5; i++) Judge(latch, i * 20, source, i);
        Assert.Equal(source, latch.Locked);
        return latch;
    }

    private static LatchVerdict Judge(SourceLatch latch, double atMs, TransportAddress from, ushort sequence, uint ssrc = 1) =>
        latch.Judge(At(atMs), from, Packet(sequence, ssrc), isNegotiated: true);

    [ThreadStatic]
    private static byte[]? _datagram;

    private static RtpPacket Packet(ushort sequence, uint ssrc)
    {
        _datagram ??= new byte[RtpPacket.HeaderLength];
        RtpWriter.Write(_datagram, new(0, sequence, sequence * 160u, ssrc), []);
        Assert.True(RtpPacket.TryRead(_datagram, out var packet, out _));
        return packet;
    }

    private static Instant At(double ms) => StreamUnderTest.At(ms);
}
