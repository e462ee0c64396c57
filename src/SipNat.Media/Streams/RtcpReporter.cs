using System.Text;
using SipNat.Media.Rtcp;
using SipNat.Wire;

namespace SipNat.Media.Streams;

/// <summary>
/// Sends the reports of one stream, those of a sender where audio is sent, at the times of RFC 3550 §6.3. They open and keep the pinhole of the RTCP
/// port too, or of the RTP port where both share one (RFC 6263 §4.4).
/// </summary>
public sealed class RtcpReporter
{
    /// <summary>Peers that are counted; a stream of a recording has one or two.</summary>
    public const int MaxMembers = 32;

    // 5 % of 64 kbit/s, in bytes a second (RFC 3550 §6.2).
    private const double Bandwidth = 400;

    // RFC 3550 §6.3.1: what reconsideration shortens the mean interval by.
    private const double Compensation = Math.E - 1.5;
    private const int UdpIpOverhead = 28;
    private const double EarliestShare = 0.8;

    // A report that covers less of our audio, in packets, may have left before the first of them came.
    private const int FewestCovered = 50;

    private static readonly TimeSpan MinInterval = TimeSpan.FromSeconds(5);

    private readonly uint _ssrc;
    private readonly byte[] _cname;
    private readonly SendGate _gate;
    private readonly Random _random;
    private readonly List<uint> _members = [];
    private readonly List<uint> _senders = [];
    private readonly ReportBlock[] _blocks = new ReportBlock[RtpReceiver.MaxSources];
    private Instant _previous;
    private double _averageSize;
    private int _previousMembers = 1;
    private TransportAddress _claimed;
    private long _sentBefore;
    private long _sentBeforeThat;
    private long _sentWhenJudged;

    /// <param name="gate">One for all senders of a session.</param>
    public RtcpReporter(RtcpReporterOptions options, SendGate gate, Random random)
    {
        if (options.Cname.Length is 0 or > RtcpWriter.MaxCname)
            throw new ArgumentException($"A canonical name has 1 to {RtcpWriter.MaxCname} bytes.", nameof(options));

        (_ssrc, KeepaliveInterval, _gate, _random) = (options.Ssrc, options.KeepaliveInterval, gate, random);
        _cname = Encoding.ASCII.GetBytes(options.Cname);
        _averageSize = RtcpWriter.SizeOf(1, _cname.Length, goodbye: false) + UdpIpOverhead;
    }

    /// <summary>When <see cref="HandleTimeout"/> wants to run next; null before <see cref="Start"/> and after <see cref="Finish"/>.</summary>
    public Instant? Deadline { get; private set; }

    /// <summary>As <see cref="RtcpReporterOptions.KeepaliveInterval"/>; what it is set to counts from the next report on.</summary>
    public TimeSpan KeepaliveInterval { get; set; }

    public long Sent { get; private set; }

    /// <summary>What is sent beside; null where nothing is.</summary>
    public RtpSender? Audio { get; set; }

    /// <summary>What is told of the audio that was heard, with the next report (RFC 3611 §4.7); null where nothing is.</summary>
    public VoipMetrics? Metrics { get; set; }

    /// <summary>What the peer reported last of what we send; null before.</summary>
    public PeerReport? Heard { get; private set; }

    /// <summary>
    /// Reports of the peer in a row by which it has heard nobody since the one before (RFC 3550 §6.4.1: a block for each
    /// source that was heard), each covering a second of our audio or more.
    /// </summary>
    public int ReportsOfNobody { get; private set; }

    /// <summary>When the peer said last what it hears of us, be it nothing; null before.</summary>
    public Instant? JudgedAt { get; private set; }

    /// <summary>What the peer told last of how it hears us (RFC 3611 §4.7); null before.</summary>
    public VoipMetrics? HeardMetrics { get; private set; }

    // RFC 3550 §6.4: whoever has sent audio since the report before the last one is a sender.
    private bool IsSender => Audio?.Sent > _sentBeforeThat;

    private int Members => _members.Count + 1;

    /// <summary>Allows sending: the first report comes after half the minimum (RFC 3550 §6.2), 1.0 to 3.1 s.</summary>
    public void Start(Instant now)
    {
        _previous = now;
        Deadline = now + Interval();
    }

    /// <summary>A compound of the peer: its size and its members count in the interval.</summary>
    public void HandleCompound(Instant now, in RtcpCompound compound)
    {
        Average(compound.Length);
        var (isReport, hearsAnybody) = (false, false);
        foreach (var packet in compound)
        {
            if (packet.TryGetVoipMetrics(out var metrics) && metrics.Ssrc == _ssrc) HeardMetrics = metrics;
            for (var i = 0; i < packet.ReportCount; i++)
            {
                var block = packet.Report(i);
                if (block.Ssrc == _ssrc) (Heard, JudgedAt) = (PeerReport.Of(now, block), now);
                // Some fill the block of a source that they do not have with zeros.
                hearsAnybody |= block.Ssrc != 0;
            }

            for (var i = 0; i < packet.GoodbyeCount; i++) Leave(now, packet.GoodbyeSsrc(i));
            if (packet.Type is not RtcpPacketType.SenderReport and not RtcpPacketType.ReceiverReport) continue;

            isReport = true;
            Join(_members, packet.SenderSsrc);
            if (packet.Type is RtcpPacketType.SenderReport) Join(_senders, packet.SenderSsrc);
        }

        if (isReport) Judge(now, hearsAnybody);
    }

    /// <summary>Sends when due. On expiry the interval is drawn again, and a longer one is waited for (RFC 3550 §6.3.6).</summary>
    public void HandleTimeout(Instant now, RtpReceiver receiver, Outbox outbox, FlowId flow, TransportAddress destination)
    {
        if (Deadline is not { } due || now < due) return;

        if (destination.IsNone)
        {
            Deadline = now + MinInterval;
            return;
        }

        if (!_claimed.HasSameAddress(destination) && IsTooEarly(now, destination)) return;

        Send(now, receiver, outbox, flow, destination, goodbye: false);
        (_previous, _previousMembers, _claimed) = (now, Members, default);
        Deadline = now + Interval();
    }

    /// <summary>Ends with RR, CNAME and BYE where a report was sent before (RFC 3550 §6.3.7), and sends nothing after.</summary>
    public void Finish(Instant now, RtpReceiver receiver, Outbox outbox, FlowId flow, TransportAddress destination)
    {
        var isDue = Deadline is not null && Sent > 0 && !destination.IsNone;
        Deadline = null;
        if (isDue && _gate.Claim(now, destination) <= now) Send(now, receiver, outbox, flow, destination, goodbye: true);
    }

    private bool IsTooEarly(Instant now, TransportAddress destination)
    {
        var reconsidered = _previous + Interval();
        _previousMembers = Members;
        if (reconsidered > now)
        {
            Deadline = reconsidered;
            return true;
        }

        var place = _gate.Claim(now, destination);
        if (place <= now) return false;

        (Deadline, _claimed) = (place, destination);
        return true;
    }

    private void Judge(Instant now, bool hearsAnybody)
    {
        if (Audio is not { Sent: var sent } || (!hearsAnybody && sent - _sentWhenJudged < FewestCovered)) return;

        (_sentWhenJudged, ReportsOfNobody) = (sent, hearsAnybody ? 0 : ReportsOfNobody + 1);
        if (!hearsAnybody) JudgedAt = now;
    }

    // A host that has not proven itself gets no report blocks: they would make the packet longer than it may be.
    private void Send(Instant now, RtpReceiver receiver, Outbox outbox, FlowId flow, TransportAddress destination, bool goodbye)
    {
        var isProven = _gate.IsProven(destination);
        var (isSender, metrics) = (isProven && IsSender, isProven && !goodbye ? Metrics : null);
        var reports = isProven ? receiver.TakeReports(now, _blocks) : 0;
        var size = RtcpWriter.SizeOf(reports, _cname.Length, goodbye)
            + (isSender ? RtcpWriter.SenderExtra : 0) + (metrics is null ? 0 : RtcpWriter.MetricsLength);
        var writer = new RtcpWriter(outbox.Write(flow, destination, size));
        if (isSender) writer.WriteSenderReport(Described(now), _blocks.AsSpan(0, reports));
        else writer.WriteReceiverReport(_ssrc, _blocks.AsSpan(0, reports));
        writer.WriteCname(_ssrc, _cname);
        if (metrics is { } told) writer.WriteMetrics(_ssrc, told);
        (_sentBeforeThat, _sentBefore) = (_sentBefore, Audio?.Sent ?? 0);
        if (goodbye) writer.WriteGoodbye(_ssrc);
        Average(size);
        Sent++;
    }

    private SenderReport Described(Instant now) =>
        new(_ssrc, NtpTimestamp.Elapsed(now), Audio!.TimestampAt(now), (uint)Audio.Sent, (uint)Audio.Octets);

    // RFC 3550 §6.3.1. Of two that talk the senders are more than a quarter, so that they share with the others.
    private TimeSpan Interval()
    {
        var (members, bandwidth) = (Members, Bandwidth);
        if (!IsSender && _senders.Count <= Members / 4.0) (members, bandwidth) = (Members - _senders.Count, Bandwidth * 0.75);

        var minimum = Sent == 0 ? MinInterval / 2 : MinInterval;
        var calculated = TimeSpan.FromSeconds(_averageSize * members / bandwidth);
        var interval = (calculated > minimum ? calculated : minimum) * ((_random.NextDouble() + 0.5) / Compensation);
        var latest = KeepaliveInterval * (EarliestShare + ((1 - EarliestShare) * _random.NextDouble()));
        return interval < latest ? interval : latest;
    }

    private void Average(int size) => _averageSize += (size + UdpIpOverhead - _averageSize) / 16;

    private void Join(List<uint> list, uint ssrc)
    {
        if (ssrc != _ssrc && list.Count < MaxMembers && !list.Contains(ssrc)) list.Add(ssrc);
    }

    // Reverse reconsideration (RFC 3550 §6.3.4): fewer members, sooner reports.
    private void Leave(Instant now, uint ssrc)
    {
        _senders.Remove(ssrc);
        if (!_members.Remove(ssrc) || Deadline is not { } due || Members >= _previousMembers) return;

        var share = (double)Members / _previousMembers;
        Deadline = now + ((due - now) * share);
        _previous = now - ((now - _previous) * share);
        _previousMembers = Members;
    }
}

public sealed record RtcpReporterOptions
{
    public required uint Ssrc { get; init; }

    /// <summary>1 to <see cref="RtcpWriter.MaxCname"/> ASCII bytes, the same for all streams of a session (RFC 7022).</summary>
    public required string Cname { get; init; }

    /// <summary>No report comes later than this after the one before, and none needs to come before 80 % of it.</summary>
    public TimeSpan KeepaliveInterval { get; init; } = TimeSpan.FromSeconds(25);
}
