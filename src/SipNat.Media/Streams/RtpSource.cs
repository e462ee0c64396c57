using SipNat.Media.Rtcp;
using SipNat.Media.Rtp;
using SipNat.Wire;

namespace SipNat.Media.Streams;

/// <summary>What is known of one recorded SSRC (RFC 3550 §6.4.1, §A.3, §A.8).</summary>
internal sealed class RtpSource(uint ssrc, int clockRate)
{
    // A timestamp this far from the last one belongs to another run of the sender: one minute.
    private const int MaxTimestampDistance = 60 * 8000;

    // A step this large is the sender's, not the network's.
    private const int MaxTransitStep = 2 * 8000;

    private readonly SequenceTracker _tracker = new();
    private long _transit;
    private bool _hasTransit;
    private double _jitter;
    private uint _highestTimestamp;
    private long _expectedPrior;
    private long _receivedPrior;
    private NtpTimestamp _senderReport;
    private Instant _senderReportAt;

    public uint Ssrc => ssrc;

    public SequenceTracker Sequence => _tracker;

    public Instant LastArrival { get; private set; }

    /// <summary>A BYE came for it, and nothing since.</summary>
    public bool HasLeft { get; set; }

    public TimeSpan Jitter => TimeSpan.FromSeconds(_jitter / clockRate);

    /// <summary>Whether packets came since the last report block.</summary>
    public bool HasNews => _tracker.Received != _receivedPrior;

    public SequenceVerdict Admit(Instant arrival, ushort sequence, uint timestamp, PayloadKind kind, out long extended)
    {
        var isContinuous = _tracker.Highest < 0 || Math.Abs((long)(int)(timestamp - _highestTimestamp)) < MaxTimestampDistance;
        var verdict = _tracker.Track(sequence, isContinuous, out extended);
        if (verdict is SequenceVerdict.Duplicate or SequenceVerdict.Suspect) return verdict;

        LastArrival = arrival;
        HasLeft = false;
        if (verdict is not SequenceVerdict.Reordered) _highestTimestamp = timestamp;
        if (kind is PayloadKind.Audio) MeasureJitter(arrival, timestamp);
        return verdict;
    }

    public void HandleSenderReport(Instant arrival, in SenderReport report) => (_senderReport, _senderReportAt) = (report.Ntp, arrival);

    public ReportBlock TakeReport(Instant now)
    {
        var (expected, received) = (_tracker.Expected, _tracker.Received);
        var interval = expected - _expectedPrior;
        var lost = interval - (received - _receivedPrior);
        var fraction = interval <= 0 || lost <= 0 ? 0 : Math.Min(255, (lost << 8) / interval);
        (_expectedPrior, _receivedPrior) = (expected, received);

        var delay = _senderReport.IsNone ? 0 : (now - _senderReportAt).TotalSeconds * 65536;
        return new(
            ssrc,
            (byte)fraction,
            (int)Math.Clamp(_tracker.Lost, int.MinValue, int.MaxValue),
            _tracker.ReportedHighest,
            (uint)_jitter,
            _senderReport.Middle,
            (uint)Math.Clamp(delay, 0, uint.MaxValue));
    }

    private void MeasureJitter(Instant arrival, uint timestamp)
    {
        // Modulo 2^32 as timestamps are, so that a wrap is no step.
        var transit = (uint)((arrival.Ticks * clockRate / TimeSpan.TicksPerSecond) - timestamp);
        var step = Math.Abs((long)(int)(transit - (uint)_transit));
        if (_hasTransit && step < MaxTransitStep) _jitter += (step - _jitter) / 16;
        (_transit, _hasTransit) = (transit, true);
    }
}
