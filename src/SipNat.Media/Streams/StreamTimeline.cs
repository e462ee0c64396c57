using SipNat.Media.Codecs;
using SipNat.Media.Rtcp;
using SipNat.Wire;

namespace SipNat.Media.Streams;

/// <summary>
/// Places the audio of one stream in its file or files, so that the length of what is on the disk is the time that
/// passed, whatever was lost, reordered, paused or forged.
/// </summary>
/// <remarks>
/// A file starts at its first frame. From an anchor on, the RTP timestamp places frames as long as it agrees with the
/// time of arrival within <see cref="Tolerance"/>; otherwise, and after a restart, another SSRC or a hold, the next
/// frame is an anchor and its arrival places it. Gaps are filled with the codec's silence, and no gap gets more of it
/// than time has passed (and <see cref="JitterAllowance"/>). Frames that come late are written at their place, and one
/// that the first frame of a file had overtaken on its way moves the file's start. Of a codec that is not decoded there
/// is nothing to place: its packets go to a file of their own as they came (<see cref="PacketLog"/>).
/// </remarks>
public sealed class StreamTimeline
{
    /// <summary>Bytes of the block in which frames meet, at most.</summary>
    public const int BlockLength = WriteWindow.BlockLength;

    /// <summary>Files of one stream; frames of yet another change of codec are counted as unplaced.</summary>
    public const int MaxFiles = 64;

    public const int MaxGapsListed = 64;

    public const int MaxAnchorsListed = 64;

    /// <summary>How far timestamp and arrival may part before the arrival decides.</summary>
    public static readonly TimeSpan Tolerance = TimeSpan.FromSeconds(2);

    /// <summary>Delay variation that is no pause: an anchor so near to where the audio goes on is put there.</summary>
    public static readonly TimeSpan JitterAllowance = TimeSpan.FromMilliseconds(100);

    // Every codec that is placed has 8000 one-byte samples a second.
    private const int SamplesPerSecond = 8000;
    private const int ToleranceSamples = 2 * SamplesPerSecond;
    private const int AllowanceSamples = SamplesPerSecond / 10;

    private readonly WriteWindow _window = new();
    private readonly PacketLog _packets = new();
    private readonly SegmentTable _segments = new();
    private readonly ArrivalLine _line = new(SamplesPerSecond);
    private readonly ActiveTime _active = new();
    private readonly GapList _gaps = new(MaxGapsListed);
    private readonly List<StreamAnchor> _anchors = [];
    private readonly List<StreamFile> _files = [];
    private Instant _lastArrival;
    private long _closedLength;
    private int _frameLength;
    private long _drift;
    private bool _isResuming;
    private bool _isFinished;

    /// <summary>When <see cref="Flush"/> has something to hand over; null when nothing waits.</summary>
    public Instant? FlushDue => Instant.Earlier(_window.FlushDue, _packets.FlushDue);

    /// <summary>Arrival of the first frame, less what another one brought that it had overtaken; null before it.</summary>
    public Instant? StartedAt => _files.Count == 0 ? null : _files[0].StartedAt;

    /// <summary>The sender's wall clock at the first sample of the first file; none until an SR has told it.</summary>
    public NtpTimestamp SenderStart { get; private set; }

    /// <summary>Bytes of audio in all files, silence included; those of packets do not count.</summary>
    public long Length => _closedLength + (IsOpen ? _window.End : 0);

    /// <summary>Samples that came from the wire.</summary>
    public long RecordedSamples { get; private set; }

    /// <summary>Samples of silence that were put where nothing came.</summary>
    public long SilenceFilled => Length - RecordedSamples;

    /// <summary>Frames that came after their place had been passed, and were written there.</summary>
    public long LateWritten { get; private set; }

    /// <summary>Frames without a place.</summary>
    public long Unplaced { get; private set; }

    private bool HasBegun => _files.Count > 0 && !_isFinished;

    private bool IsOpen => HasBegun && !_packets.IsOpen;

    private int FileIndex => _files.Count - 1;

    /// <summary>Takes a frame that the receiver let through. Only audio is placed: comfort noise is silence (RFC 3389),
    /// and silence is what the next frame's timestamp leaves. Where packets are kept, all of the stream are.</summary>
    public void Place(in ReceivedFrame frame)
    {
        if (_isFinished) return;
        if (IsKept(frame))
        {
            Keep(frame);
            return;
        }

        if (frame.Format.Kind is not PayloadKind.Audio || frame.Payload.IsEmpty) return;

        // A packet that was held may be older than what stands in the file by now: it goes on from there, so that no time
        // is counted twice.
        var placed = frame.Arrival < _lastArrival ? frame with { Arrival = _lastArrival } : frame;
        if (_segments.IsLate(frame)) PlaceLate(frame);
        else if (IsOpen && frame.Format.Codec == _files[^1].Codec.Known) PlaceNext(placed);
        else if (_files.Count < MaxFiles) StartFile(placed);
        else Unplaced++;
    }

    /// <summary>An SR of the recorded source ties the file's start to the sender's wall clock (RFC 3550 §6.4.1).</summary>
    public void HandleSenderReport(Instant arrival, in SenderReport report)
    {
        if (!SenderStart.IsNone || report.Ntp.IsNone || _files.Count != 1 || _segments.IsEmpty || _isFinished) return;
        if (_segments.Current.Ssrc != report.Ssrc) return;

        var position = _segments.Current.PositionOf(report.RtpTimestamp);
        if (Math.Abs(position - _line.Predict(arrival)) > ToleranceSamples) return;

        SenderStart = report.Ntp + -ToTime(position);
    }

    /// <summary>The stream is on hold or inactive: nothing is expected from here on.</summary>
    public void Hold(Instant now) => _active.Hold(now);

    /// <summary>The hold is over: the next frame is anchored by its arrival, unless the sender's clock ran on.</summary>
    public void Resume(Instant now) => _isResuming |= _active.TryResume(now);

    /// <summary>Hands over what is due. The owner calls it at <see cref="FlushDue"/>.</summary>
    public void Flush(Instant now)
    {
        if (_window.FlushDue <= now) _window.Flush();
        if (_packets.FlushDue <= now) _packets.Flush();
    }

    /// <summary>Ends the stream: silence up to the last moment at which it was active, then the end of the file.</summary>
    /// <param name="lastActive">The BYE, or the hold that it ended in; what is later than <paramref name="now"/> is cut.</param>
    public void Finish(Instant now, Instant lastActive)
    {
        if (_isFinished) return;

        var end = lastActive < now ? lastActive : now;
        _active.Finish(end);
        if (IsOpen && end > _lastArrival) AppendSilence(end, Math.Min(_line.Predict(end) - _window.End, ToSamples(end - _lastArrival)));
        if (HasBegun) EndFile();

        _isFinished = true;
    }

    /// <summary>Takes the next write; the caller owns its buffer. Writes come in the order in which they must be done.</summary>
    public bool TryTake(out TimelineWrite write) => _window.TryTake(out write) || _packets.TryTake(out write);

    /// <summary>Takes the next event. Events run ahead of writes: a file is closed when its writes have been taken.</summary>
    public bool TryTakeEvent(out TimelineEvent timelineEvent) => _window.TryTakeEvent(out timelineEvent);

    internal StreamReport AddTo(StreamReport report, Instant now)
    {
        List<StreamFile> files = HasBegun ? [.. _files.SkipLast(1), OpenFile] : [.. _files];
        var kept = new TimeSpan(files.Sum(file => file.Packets.Duration.Ticks));
        var covered = new TimeSpan(files.Sum(file => file.Packets.Covered.Ticks));
        return report with
        {
            StartedAt = StartedAt,
            SenderStart = SenderStart,
            Late = LateWritten,
            Unplaced = Unplaced,
            WritesRefused = report.WritesRefused + _window.Refused + _packets.Refused,
            Expected = _active.Until(now),
            Recorded = ToTime(RecordedSamples) + covered,
            Duration = ToTime(Length) + kept,
            PacketsMissing = kept - covered,
            Drift = ToTime(_drift),
            Files = files,
            Gaps = _gaps.Snapshot(),
            GapCount = _gaps.Count,
            Anchors = [.. _anchors],
            AnchorCount = AnchorCount,
        };
    }

    /// <summary>All anchors but the starts of files.</summary>
    public long AnchorCount { get; private set; }

    // The file that grows, as it is by now.
    private StreamFile OpenFile => _packets.IsOpen
        ? _files[^1] with { Length = _packets.Length, Packets = _packets.Coverage }
        : _files[^1] with { Length = _window.End };

    // With the packets of a codec go the keys and all else that came between them; audio that they overtook, too.
    private bool IsKept(in ReceivedFrame frame) =>
        frame.Format.Kind is PayloadKind.Packets || (_packets.IsOpen && (frame.Format.Kind is not PayloadKind.Audio || _packets.IsLate(frame)));

    private void Keep(in ReceivedFrame frame)
    {
        var isCodec = frame.Format.Kind is PayloadKind.Packets;
        var goesOn = _packets.IsOpen && (!isCodec || FileCodec.Packets(frame.Format) == _files[^1].Codec || _packets.IsLate(frame));
        if (!goesOn && (_files.Count == MaxFiles || _segments.IsLate(frame)))
        {
            Unplaced++;
            return;
        }

        if (!goesOn)
        {
            BeginFile(FileCodec.Packets(frame.Format), frame.Arrival);
            _packets.Begin(FileIndex, frame.Arrival);
        }

        if (!_packets.TryAppend(frame)) Unplaced++;
    }

    private void StartFile(in ReceivedFrame frame)
    {
        var codec = frame.Format.Codec;
        BeginFile(codec, frame.Arrival);
        _window.Begin(FileIndex, codec.Silence);
        _line.Set(frame.Arrival, 0);
        AddSegment(frame, 0);
        Append(frame, isContiguous: true);
    }

    private void BeginFile(FileCodec codec, Instant at)
    {
        if (HasBegun) EndFile();

        _files.Add(new(_files.Count, codec, at, 0));
        _segments.Clear();
        _window.Add(new TimelineEvent.FileStarted(FileIndex, codec, at));
        _active.Begin(at);
        _isResuming = false;
    }

    private void EndFile()
    {
        var ended = _files[^1] = OpenFile;
        if (_packets.IsOpen)
        {
            _packets.Close();
        }
        else
        {
            _window.Close();
            _closedLength += ended.Length;
        }

        _window.Add(new TimelineEvent.FileEnded(FileIndex, ended.Length));
    }

    private void PlaceNext(in ReceivedFrame frame)
    {
        ref var segment = ref _segments.Current;
        if (segment.Ssrc != frame.Ssrc) Anchor(frame, AnchorReason.SourceChanged, 0);
        else if (segment.Run != frame.Run) Anchor(frame, AnchorReason.Restarted, 0);
        else if (_isResuming && !RanOn(frame, segment)) Anchor(frame, AnchorReason.Resumed, segment.Highest);
        else PlaceByTimestamp(frame, segment.PositionOf(frame.Timestamp), segment.Highest);
    }

    // A media clock that ran through the hold places the frame better than a jittered arrival does.
    private bool RanOn(in ReceivedFrame frame, in Segment segment) =>
        Math.Abs(segment.PositionOf(frame.Timestamp) - _line.Predict(frame.Arrival)) <= AllowanceSamples;

    private void PlaceByTimestamp(in ReceivedFrame frame, long position, long previous)
    {
        var predicted = _line.Predict(frame.Arrival);
        var gap = position - _window.End;
        var isCovered = gap <= Math.Max(ToSamples(frame.Arrival - _lastArrival), predicted - _window.End) + AllowanceSamples;
        if (gap < 0 || (gap > 0 && !isCovered) || Math.Abs(position - predicted) > ToleranceSamples)
        {
            Anchor(frame, AnchorReason.TimestampJump, previous);
            return;
        }

        AddGap(frame.Arrival, gap, isLoss: frame.Sequence - previous > 1 && !_isResuming);
        _isResuming = false;
        Append(frame, gap == 0);
    }

    // Arrival places the frame, unless it says no more than that the audio simply goes on.
    private void Anchor(in ReceivedFrame frame, AnchorReason reason, long previous)
    {
        var isLoss = previous > 0 && frame.Sequence - previous > 1 && !_isResuming;
        _isResuming = false;
        var missing = previous == 0 ? 0 : (frame.Sequence - previous - 1) * _frameLength;
        var expected = _window.End + missing;
        var predicted = _line.Predict(frame.Arrival);
        var goesOn = Math.Abs(predicted - expected) <= AllowanceSamples;
        var elapsed = Math.Max(0, ToSamples(frame.Arrival - _lastArrival));
        var gap = goesOn
            ? Math.Clamp(expected - _window.End, 0, elapsed + AllowanceSamples)
            : Math.Clamp(predicted - _window.End, 0, elapsed);
        var position = _window.End + gap;
        if (Math.Abs(position - predicted) > AllowanceSamples) _line.Set(frame.Arrival, position);

        AddGap(frame.Arrival, gap, isLoss);
        ReportAnchor(new(FileIndex, frame.Arrival, position, gap, reason));
        AddSegment(frame, position);
        Append(frame, gap == 0);
    }

    private void ReportAnchor(StreamAnchor anchor)
    {
        AnchorCount++;
        if (_anchors.Count == MaxAnchorsListed) return;

        _anchors.Add(anchor);
        _window.Add(new TimelineEvent.Anchored(anchor));
    }

    private void AddSegment(in ReceivedFrame frame, long position) => _segments.Add(new()
    {
        Ssrc = frame.Ssrc,
        Run = frame.Run,
        First = frame.Sequence,
        Timestamp = frame.Timestamp,
        Position = position,
    });

    private void AddGap(Instant now, long length, bool isLoss)
    {
        if (length <= 0) return;

        _gaps.Add(new(FileIndex, _window.End, length, isLoss));
        AppendSilence(now, length);
    }

    private void AppendSilence(Instant now, long length)
    {
        if (length > 0) _window.AppendSilence(now, length);
    }

    private void Append(in ReceivedFrame frame, bool isContiguous)
    {
        var position = _window.End;
        _line.Observe(frame.Arrival, position, isContiguous);
        _drift = position - ToSamples(frame.Arrival - _files[^1].StartedAt);
        _window.Append(frame.Arrival, frame.Payload);
        _segments.Current.Extend(frame, _window.End);
        _lastArrival = frame.Arrival;
        _frameLength = frame.Payload.Length;
        RecordedSamples += frame.Payload.Length;
    }

    private void PlaceLate(in ReceivedFrame frame)
    {
        var isOfFile = IsOpen && frame.Format.Codec == _files[^1].Codec.Known;
        if (!isOfFile || !_segments.TryLocate(frame, out var position) || position + frame.Payload.Length > _window.End || !TryMakeRoom(ref position))
        {
            Unplaced++;
            return;
        }

        LateWritten++;
        RecordedSamples += frame.Payload.Length;
        _gaps.Fill(FileIndex, position, frame.Payload.Length);
        _window.Patch(position, frame.Payload);
    }

    // The network overtakes within a few packets: while the file's first block is in memory, its start can still move.
    private bool TryMakeRoom(ref long position)
    {
        if (position >= 0) return true;

        var lead = -position;
        if (lead > AllowanceSamples || !_window.TryPrepend(lead)) return false;

        var time = ToTime(lead);
        _segments.Shift(lead);
        _gaps.Shift(FileIndex, lead);
        _line.Shift(lead);
        _files[^1] = _files[^1] with { StartedAt = _files[^1].StartedAt - time };
        if (!SenderStart.IsNone) SenderStart += -time;
        _gaps.Add(new(FileIndex, 0, lead, IsLoss: true));
        position = 0;
        return true;
    }

    private static long ToSamples(TimeSpan span) => span.Ticks * SamplesPerSecond / TimeSpan.TicksPerSecond;

    private static TimeSpan ToTime(long samples) => TimeSpan.FromTicks(samples * TimeSpan.TicksPerSecond / SamplesPerSecond);
}
