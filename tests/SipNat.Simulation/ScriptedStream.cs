using System.Buffers.Binary;
using System.Text;
using SipNat.Wire;

namespace SipNat.Simulation;

/// <summary>Sends the RTP and the sender reports of one stream of a scripted peer, paced from its own start.</summary>
internal sealed class ScriptedStream
{
    private const int RtpHeaderLength = 12;
    private const uint NtpSecondsAtStart = 3_976_214_400; // 2026-01-01 in seconds since 1900 (RFC 3550 §4)

    private readonly ScriptedPeerOptions _options;
    private readonly int _stream;
    private readonly Random _random;
    private Instant _startedAt;
    private uint _ssrc;
    private ushort _sequenceNumber;
    private uint _timestampBase;
    private uint _packets;
    private int _index;
    private bool _isMarked = true;
    private bool _wasSent;
    private Instant _nextReport;

    public ScriptedStream(ScriptedPeerOptions options, int stream, Random random)
    {
        (_options, _stream, _random) = (options, stream, random);
        _ssrc = (uint)random.NextInt64(1, uint.MaxValue);
        _sequenceNumber = options.FirstSequenceNumber ?? (ushort)random.Next(0x10000);
        _timestampBase = options.FirstTimestamp ?? (uint)random.NextInt64(uint.MaxValue);
    }

    public bool IsRunning { get; private set; }

    /// <summary>Frames pass by unsent while it is paused; their places in time stay theirs.</summary>
    public bool IsPaused { get; private set; }

    public FlowId RtpFlow { get; set; }

    public FlowId RtcpFlow { get; set; }

    public ScriptedAnswer? Answer { get; set; }

    public Instant? Deadline => IsRunning ? Instant.Earlier(IsPaused ? null : FrameDue, ReportDue) : null;

    private Instant FrameDue => _startedAt + (ScriptedFrame.Span * _index);

    private Instant? ReportDue => _options.RtcpInterval is null ? null : _nextReport;

    public void Start(Instant now)
    {
        (IsRunning, _startedAt) = (true, now);
        _nextReport = now + (_options.RtcpInterval ?? TimeSpan.Zero);
    }

    public void Stop() => IsRunning = false;

    public void Pause(Instant now, bool isPaused)
    {
        if (IsPaused) PassBy(now);
        IsPaused = isPaused;
    }

    public void HandleTimeout(Instant now, Outbox outbox, List<SentFrame> sent)
    {
        if (IsPaused) PassBy(now);
        while (IsRunning && FrameDue <= now)
        {
            Turn();
            if (IsDue(out var to)) Send(now, to, outbox, sent);
            else _isMarked = true;
            _index++;
        }

        while (IsRunning && ReportDue <= now)
        {
            _nextReport += _options.RtcpInterval!.Value;
            if (!IsPaused && _wasSent && Answer is { } answer && !answer.Rtcp.IsNone) outbox.Add(RtcpFlow, answer.Rtcp, Report(now));
        }
    }

    private void PassBy(Instant now)
    {
        for (; IsRunning && FrameDue <= now; _index++)
        {
            Turn();
            _isMarked = true;
        }
    }

    private bool IsDue(out TransportAddress to)
    {
        to = Answer?.Rtp ?? default;
        return !to.IsNone && !_options.Gaps.Any(gap => gap.Stream == _stream && _index >= gap.First && _index < gap.First + gap.Count);
    }

    // What the options have in store for this frame.
    private void Turn()
    {
        if (_index == _options.TimestampJumpAtFrame) _timestampBase += _options.TimestampJump;
        if (_index != _options.SsrcChangeAtFrame) return;

        _ssrc = (uint)_random.NextInt64(1, uint.MaxValue);
        _sequenceNumber = (ushort)_random.Next(0x10000);
        _timestampBase = (uint)_random.NextInt64(uint.MaxValue);
        (_packets, _isMarked) = (0, true);
    }

    private void Send(Instant now, TransportAddress to, Outbox outbox, List<SentFrame> sent)
    {
        var timestamp = unchecked(_timestampBase + (uint)(_index * ScriptedFrame.Length));
        var packet = outbox.Write(RtpFlow, to, RtpHeaderLength + ScriptedFrame.Length);
        packet[0] = 0x80;
        packet[1] = (byte)(_options.PayloadType | (_isMarked ? 0x80 : 0));
        BinaryPrimitives.WriteUInt16BigEndian(packet[2..], _sequenceNumber);
        BinaryPrimitives.WriteUInt32BigEndian(packet[4..], timestamp);
        BinaryPrimitives.WriteUInt32BigEndian(packet[8..], _ssrc);
        ScriptedFrame.Fill(_stream, _index, packet[RtpHeaderLength..]);

        sent.Add(new(_stream, _index, now, to, _ssrc, _sequenceNumber, timestamp));
        (_isMarked, _wasSent) = (false, true);
        _sequenceNumber++;
        _packets++;
    }

    // A sender report with a CNAME (RFC 3550 §6.4.1 and §6.5.1).
    private byte[] Report(Instant now)
    {
        var name = Encoding.ASCII.GetBytes($"stream{_stream}@peer");
        var chunk = (4 + 2 + name.Length + 1 + 3) & ~3;
        var report = new byte[28 + 4 + chunk];
        (report[0], report[1], report[3]) = (0x80, 200, 6);
        BinaryPrimitives.WriteUInt32BigEndian(report.AsSpan(4), _ssrc);
        BinaryPrimitives.WriteUInt32BigEndian(report.AsSpan(8), NtpSecondsAtStart + (uint)(now.Ticks / TimeSpan.TicksPerSecond));
        BinaryPrimitives.WriteUInt32BigEndian(report.AsSpan(12), (uint)(((ulong)(now.Ticks % TimeSpan.TicksPerSecond) << 32) / TimeSpan.TicksPerSecond));
        BinaryPrimitives.WriteUInt32BigEndian(report.AsSpan(16), unchecked(_timestampBase + (uint)((now - _startedAt).TotalMilliseconds * 8)));
        BinaryPrimitives.WriteUInt32BigEndian(report.AsSpan(20), _packets);
        BinaryPrimitives.WriteUInt32BigEndian(report.AsSpan(24), _packets * ScriptedFrame.Length);
        (report[28], report[29], report[31]) = (0x81, 202, (byte)(chunk / 4));
        BinaryPrimitives.WriteUInt32BigEndian(report.AsSpan(32), _ssrc);
        (report[36], report[37]) = (1, (byte)name.Length);
        name.CopyTo(report, 38);
        return report;
    }
}
