namespace SipNat.Media.Streams;

/// <summary>
/// The last anchors of a file. A segment is the part of a stream in which one anchor ties timestamps to places; a late
/// frame is placed by the segment that its sequence number belongs to.
/// </summary>
internal sealed class SegmentTable
{
    /// <summary>Segments that late frames may still belong to.</summary>
    public const int Capacity = 8;

    // How far before the first frame of an SSRC one may belong that was overtaken by it.
    private const int MaxLead = 2 * 8000;

    private readonly Segment[] _segments = new Segment[Capacity];
    private int _count;

    /// <summary>The segment of the last anchor; only while <see cref="IsEmpty"/> is false.</summary>
    public ref Segment Current => ref _segments[_count - 1];

    public bool IsEmpty => _count == 0;

    public void Clear() => _count = 0;

    public void Add(in Segment segment)
    {
        if (_count == Capacity)
        {
            Array.Copy(_segments, 1, _segments, 0, Capacity - 1);
            _count--;
        }

        _segments[_count++] = segment;
    }

    /// <summary>Everything stands so many samples later.</summary>
    public void Shift(long samples)
    {
        for (var i = 0; i < _count; i++) _segments[i].Shift(samples);
    }

    /// <summary>Whether a frame is older than the newest one of its SSRC, so that some earlier anchor places it.</summary>
    public bool IsLate(in ReceivedFrame frame)
    {
        for (var i = _count - 1; i >= 0; i--)
        {
            if (_segments[i].Ssrc == frame.Ssrc) return frame.Sequence <= _segments[i].Highest;
        }

        return false;
    }

    /// <summary>The place of a late frame in the file; false when no remembered segment has one for it.</summary>
    public bool TryLocate(in ReceivedFrame frame, out long position)
    {
        position = 0;
        var next = -1;
        for (var i = _count - 1; i >= 0; i--)
        {
            if (_segments[i].Ssrc != frame.Ssrc) continue;
            if (_segments[i].First <= frame.Sequence)
            {
                var end = i + 1 < _count ? _segments[i + 1].Position : _segments[i].End;
                position = _segments[i].PositionOf(frame.Timestamp);
                return (position >= _segments[i].Position && position + frame.Payload.Length <= end)
                    || (next >= 0 && TryLead(frame, next, _segments[i].End, out position));
            }

            next = i;
        }

        return next >= 0 && TryLead(frame, next, _segments[next].Position - MaxLead, out position);
    }

    // A frame that the first one of its segment overtook belongs right before it.
    private bool TryLead(in ReceivedFrame frame, int index, long earliest, out long position)
    {
        position = _segments[index].PositionOf(frame.Timestamp);
        return position >= earliest && position + frame.Payload.Length <= _segments[index].Position;
    }
}

/// <summary>One anchor and what it covers. Places are samples from the file's start.</summary>
internal struct Segment
{
    public uint Ssrc { get; init; }

    public int Run { get; init; }

    /// <summary>Extended sequence number of the frame that was anchored.</summary>
    public long First { get; init; }

    public long Highest { get; private set; }

    public uint Timestamp { get; init; }

    public long Position { get; set; }

    /// <summary>Where the audio of this segment ends.</summary>
    public long End { get; private set; }

    // Timestamps wrap after six days at 8000 a second: they are counted from the newest one.
    private long _newest;

    public void Shift(long samples) => (Position, End) = (Position + samples, End + samples);

    public readonly long PositionOf(uint timestamp) => Position + Unwrap(timestamp);

    public void Extend(in ReceivedFrame frame, long end)
    {
        _newest = Unwrap(frame.Timestamp);
        (Highest, End) = (frame.Sequence, end);
    }

    private readonly long Unwrap(uint timestamp) => _newest + (int)(timestamp - (Timestamp + (uint)_newest));
}
