using SipNat.Media.Codecs;
using SipNat.Media.Rtcp;
using SipNat.Media.Rtp;
using SipNat.Media.Streams;
using SipNat.Wire;

namespace SipNat.Tests.Media.Streams;

public sealed class SenderTests
{
    private static readonly FlowId Flow = new(3);
    private static readonly TransportAddress Peer = TransportAddress.Parse("198.51.100.7:40000");
    private static readonly Instant Start = new(TimeSpan.TicksPerHour);

    [Fact]
    public void Keepalive_opens_quickly_and_then_comes_within_its_bound() // RFC 6263 §4.6
    {
        var gate = new SendGate();
        var keepalive = new KeepaliveSender(7, 20, TimeSpan.FromSeconds(25), gate, new Random(1));
        Assert.Null(keepalive.Deadline);
        keepalive.Start(Start);

        var times = Run(120, keepalive);

        Assert.Equal([0, 1, 3, 7, 15], times.Take(5).Select(t => t.Seconds));
        Assert.All(times.Skip(5).Zip(times.Skip(6)), pair => Assert.InRange(pair.Second.Seconds - pair.First.Seconds, 20, 25));
    }

    [Fact]
    public void Keepalives_are_empty_rtp_packets_that_rise()
    {
        var gate = new SendGate();
        gate.Prove(Peer);
        var keepalive = new KeepaliveSender(7, 20, TimeSpan.FromSeconds(10), gate, new Random(1));
        keepalive.Start(Start);

        var sent = Run(100, keepalive);

        Assert.InRange(sent.Count, 10, 13);
        foreach (var (first, second) in sent.Zip(sent.Skip(1)))
        {
            Assert.InRange(second.Seconds - first.Seconds, 8, 10);
            Assert.True(RtpPacket.TryRead(first.Bytes, out var one, out _));
            Assert.True(RtpPacket.TryRead(second.Bytes, out var two, out _));
            Assert.Equal((12, 20, 7u, true), (second.Bytes.Length, two.PayloadType, two.Ssrc, two.Payload.IsEmpty));
            Assert.Equal((ushort)(one.SequenceNumber + 1), two.SequenceNumber);
            Assert.InRange(two.Timestamp - one.Timestamp - ((second.Seconds - first.Seconds) * 8000), -1, 1);
        }

        Assert.Equal(sent.Count, keepalive.Sent);
        keepalive.Stop();
        Assert.Null(keepalive.Deadline);
    }

    [Fact]
    public void Host_that_sent_nothing_gets_one_small_packet_a_second_from_all_senders_together()
    {
        var gate = new SendGate();
        var random = new Random(2);
        var options = new RtcpReporterOptions { Ssrc = 7, Cname = "0123456789abcdef", KeepaliveInterval = TimeSpan.FromSeconds(4) };
        var receiver = new RtpReceiver(new(), new());
        var senders = new List<(Func<Instant?> Deadline, Action<Instant, Outbox> Handle)>();
        var sends = new List<Func<long>>();
        for (var i = 0; i < 3; i++)
        {
            var keepalive = new KeepaliveSender((uint)i, 20, TimeSpan.FromSeconds(4), gate, random);
            var reporter = new RtcpReporter(options, gate, random);
            keepalive.Start(Start);
            reporter.Start(Start);
            var destination = Peer.WithPort(1000 + i);
            senders.Add((() => keepalive.Deadline, (now, outbox) => keepalive.HandleTimeout(now, outbox, Flow, destination)));
            senders.Add((() => reporter.Deadline, (now, outbox) => reporter.HandleTimeout(now, receiver, outbox, Flow, destination)));
            sends.Add(() => keepalive.Sent);
            sends.Add(() => reporter.Sent);
        }

        var times = Run(60, [.. senders]);

        Assert.All(times.Zip(times.Skip(1)), pair => Assert.True(pair.Second.Seconds - pair.First.Seconds >= 1));
        Assert.All(times, t => Assert.InRange(t.Bytes.Length, 1, SendGate.MaxUnprovenLength));
        Assert.All(sends, s => Assert.InRange(s(), 5, 20));
    }

    [Fact]
    public void Without_a_destination_nothing_is_sent_and_the_deadline_moves_on()
    {
        var gate = new SendGate();
        var keepalive = new KeepaliveSender(7, 20, TimeSpan.FromSeconds(4), gate, new Random(1));
        var reporter = new RtcpReporter(new() { Ssrc = 1, Cname = "x" }, gate, new Random(1));
        var outbox = new Outbox();
        keepalive.Start(Start);
        reporter.Start(Start);
        var due = reporter.Deadline!.Value;

        keepalive.HandleTimeout(Start, outbox, Flow, default);
        reporter.HandleTimeout(due, new(new(), new()), outbox, Flow, default);

        Assert.Equal(0, outbox.Count);
        Assert.Equal(Start + TimeSpan.FromSeconds(1), keepalive.Deadline);
        Assert.True(reporter.Deadline > due);
    }

    [Fact]
    public void Keepalive_takes_a_payload_type_that_the_offer_does_not()
    {
        var payloads = new PayloadMap();
        Assert.Equal(20, KeepaliveSender.ChoosePayloadType(payloads));

        for (var type = 20; type <= 24; type++) payloads.Negotiate(type, PayloadFormat.Audio(AudioCodec.Pcmu));
        payloads.Negotiate(96, PayloadFormat.TelephoneEvent);
        Assert.Equal(97, KeepaliveSender.ChoosePayloadType(payloads));
    }

    [Fact]
    public void Reports_come_at_the_rfcs_randomised_times() // RFC 3550 §6.3.1, §6.2
    {
        var gate = new SendGate();
        gate.Prove(Peer);
        var firsts = new List<double>();
        var intervals = new List<double>();
        for (var seed = 0; seed < 50; seed++)
        {
            var reporter = new RtcpReporter(new() { Ssrc = 7, Cname = "abc" }, gate, new Random(seed));
            var receiver = new RtpReceiver(new(), new());
            reporter.Start(Start);
            var times = Run(120, (() => reporter.Deadline, (now, outbox) => reporter.HandleTimeout(now, receiver, outbox, Flow, Peer)));
            firsts.Add(times[0].Seconds);
            intervals.AddRange(times.Zip(times.Skip(1), (a, b) => b.Seconds - a.Seconds));
        }

        // 0.5 to 1.5 times 5 s (2.5 s at first), divided by e − 1.5; reconsideration only lengthens the draw.
        Assert.All(firsts, t => Assert.InRange(t, 1.02, 3.08));
        Assert.All(intervals, t => Assert.InRange(t, 2.05, 6.16));
        Assert.Equal(5, intervals.Average(), 0.35);
    }

    [Fact]
    public void Report_is_a_compound_of_receiver_report_and_name()
    {
        var gate = new SendGate();
        gate.Prove(Peer);
        var stream = new StreamUnderTest();
        for (var i = 0; i < 5; i++) stream.Send(i * 20, i);
        var reporter = new RtcpReporter(new() { Ssrc = 7, Cname = "abc" }, gate, new Random(1));
        var outbox = new Outbox();
        reporter.Start(Start);

        var now = Start;
        while (outbox.Count == 0) reporter.HandleTimeout(now = reporter.Deadline!.Value, stream.Stream.Receiver, outbox, Flow, Peer);

        Assert.True(outbox.TryTake(out var transmit));
        Assert.Equal((Flow, Peer), (transmit.Flow, transmit.Destination));
        Assert.True(RtcpCompound.TryRead(transmit.Payload, out var compound, out _));
        var seen = new List<string>();
        foreach (var packet in compound)
        {
            seen.Add($"{packet.Type} {packet.Count}");
            if (packet.ReportCount == 1) Assert.Equal(new ReportBlock(1, 0, 0, 1004, 0, 0, 0), packet.Report(0));
            if (packet.TryGetCname(out var ssrc, out var cname)) Assert.Equal((7u, true), (ssrc, cname.SequenceEqual("abc"u8)));
        }

        Assert.Equal(["ReceiverReport 1", "SourceDescription 1"], seen);
        outbox.Release(transmit);
        Assert.Equal(0, outbox.Rented);
    }

    [Fact]
    public void Goodbye_is_said_once_and_only_where_a_report_was_sent() // RFC 3550 §6.3.7
    {
        var gate = new SendGate();
        gate.Prove(Peer);
        var receiver = new RtpReceiver(new(), new());
        var outbox = new Outbox();

        var silent = new RtcpReporter(new() { Ssrc = 7, Cname = "abc" }, gate, new Random(1));
        silent.Start(Start);
        silent.Finish(Start, receiver, outbox, Flow, Peer);
        Assert.Equal(0, outbox.Count);

        var reporter = new RtcpReporter(new() { Ssrc = 7, Cname = "abc" }, gate, new Random(1));
        reporter.Start(Start);
        while (reporter.Sent == 0) reporter.HandleTimeout(reporter.Deadline!.Value, receiver, outbox, Flow, Peer);
        reporter.Finish(Start + TimeSpan.FromSeconds(9), receiver, outbox, Flow, Peer);
        reporter.Finish(Start + TimeSpan.FromSeconds(9), receiver, outbox, Flow, Peer);

        Assert.Equal(2, outbox.Count);
        Assert.Null(reporter.Deadline);
        Assert.True(outbox.TryTake(out var report));
        outbox.Release(report);
        Assert.True(outbox.TryTake(out var last));
        Assert.Equal([0x81, 203, 0, 1, 0, 0, 0, 7], last.Payload[^8..].ToArray());
        outbox.Release(last);
    }

    [Fact]
    public void Peers_that_leave_bring_the_next_report_nearer() // RFC 3550 §6.3.4
    {
        var reporter = new RtcpReporter(new() { Ssrc = 7, Cname = "abc" }, new(), new Random(1));
        var receiver = new RtpReceiver(new(), new());
        reporter.Start(Start);
        for (byte i = 1; i <= 3; i++)
        {
            Assert.True(RtcpCompound.TryRead([0x80, 201, 0, 1, 0, 0, 0, i], out var compound, out _));
            reporter.HandleCompound(Start, compound);
        }

        while (reporter.Sent == 0) reporter.HandleTimeout(reporter.Deadline!.Value, receiver, new(), Flow, Peer);
        var now = reporter.Deadline!.Value - TimeSpan.FromSeconds(2);
        Assert.True(RtcpCompound.TryRead([0x82, 203, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2], out var goodbye, out _));
        reporter.HandleCompound(now, goodbye);

        Assert.Equal(now + TimeSpan.FromSeconds(1), reporter.Deadline);
    }

    [Fact]
    public void Proven_host_is_spared_no_longer_and_another_one_still_is()
    {
        var gate = new SendGate();
        var other = TransportAddress.Parse("192.0.2.1:1");

        Assert.Equal(Start, gate.Claim(Start, Peer));
        Assert.Equal(Start + TimeSpan.FromSeconds(1), gate.Claim(Start, Peer.WithPort(9)));
        Assert.Equal(Start + TimeSpan.FromSeconds(2), gate.Claim(Start, Peer));
        gate.Prove(Peer.WithPort(1));

        Assert.True(gate.IsProven(Peer));
        Assert.Equal(Start, gate.Claim(Start, Peer));
        Assert.False(gate.IsProven(other));
        Assert.Equal(Start, gate.Claim(Start, other));
        Assert.Equal(Start + TimeSpan.FromSeconds(1), gate.Claim(Start, other));
    }

    private static List<(double Seconds, byte[] Bytes)> Run(int seconds, KeepaliveSender keepalive) =>
        Run(seconds, (() => keepalive.Deadline, (now, outbox) => keepalive.HandleTimeout(now, outbox, Flow, Peer)));

    private static List<(double Seconds, byte[] Bytes)> Run(int seconds, params (Func<Instant?> Deadline, Action<Instant, Outbox> Handle)[] senders)
    {
        var outbox = new Outbox();
        var sent = new List<(double, byte[])>();
        while (senders.Min(s => s.Deadline()) is { } now && now < Start + TimeSpan.FromSeconds(seconds))
        {
            foreach (var (_, handle) in senders) handle(now, outbox);
            while (outbox.TryTake(out var transmit))
            {
                sent.Add(((now - Start).TotalSeconds, transmit.Payload.ToArray()));
                outbox.Release(transmit);
            }
        }

        Assert.Equal(0, outbox.Rented);
        return sent;
    }
}
