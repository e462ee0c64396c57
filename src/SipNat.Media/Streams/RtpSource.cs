using SipNat.Media.Rtcp;
using SipNat.Media.Rtp;
using SipNat.Wire;

namespace SipNat.Media.Streams;

/// <summary>What is known of one recorded SSRC (RFC 3550 §6.4.1, §A.3, §A.8).</summary>
internal sealed class RtpSource(uint ssrc)
{
    // Seconds: a timestamp this far from the last one belongs to another run of the sender.
    private const int MaxTimestampDistance = 60;

    // Seconds: a step this large is the sender's, not the network's.
    private const int MaxTransitStep = 2;

    private readonly SequenceTracker _tracker = new();
    private int _clockRate = new PayloadFormat().ClockRate;
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

    public TimeSpan Jitter => TimeSpan.FromSeconds(_jitter / _clockRate);

    /// <summary>Whether packets came since the last report block.</summary>
    public bool HasNews => _tracker.Received != _receivedPrior;

    public SequenceVerdict Admit(Instant arrival, ushort sequence, uint timestamp, PayloadFormat format, out long extended)
    {
        var isContinuous = _tracker.Highest < 0 || Math.Abs((long)(int)(timestamp - _highestTimestamp)) < (long)MaxTimestampDistance * _clockRate;
        var verdict = _tracker.Track(sequence, isContinuous, out extended);
        if (verdict is SequenceVerdict.Duplicate or SequenceVerdict.Suspect) return verdict;

        LastArrival = arrival;
        HasLeft = false;
        if (verdict is not SequenceVerdict.Reordered) _highestTimestamp = timestamp;
        if (format.Kind is PayloadKind.Audio or PayloadKind.Packets) MeasureJitter(arrival, timestamp, format.ClockRate);
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

    private void MeasureJitter(Instant arrival, uint timestamp, int clockRate)
    {
        // Transit times of two clocks cannot be compared (RFC 7160).
        if (clockRate != _clockRate) (_clockRate, _jitter, _hasTransit) = (clockRate, 0, false);

        // Modulo 2^32 as timestamps are, so that a wrap is no step.
        var transit = (uint)((arrival.Ticks / TimeSpan.TicksPerMicrosecond * clockRate / 1_000_000) - timestamp);
        var step = Math.Abs((long)(int)(transit - (uint)_transit));
        if (_hasTransit && step < (long)MaxTransitStep * clockRate) _jitter += (step - _jitter) / 16;
        (_transit, _hasTransit) = (transit, true);
    }
}
