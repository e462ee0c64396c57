using SipNat.Media.RtpDump;
using SipNat.Wire;

namespace SipNat.Media.Streams;

/// <summary>
/// RTP packets on their way to a file, in the order in which they came, as records of the rtpdump format (its header is
/// left to whoever knows the time of day). A buffer holds whole records and follows the one before it, so that one
/// that is lost leaves a file that can be read.
/// </summary>
internal sealed class PacketLog
{
    // Bytes of packets that leave together.
    private const int BlockLength = WriteBuffer.LongLength;

    /// <summary>Writes that wait to be taken; more are refused and counted.</summary>
    public const int MaxPending = 64;

    private readonly Queue<TimelineWrite> _pending = new();
    private WriteBuffer? _block;
    private PacketCoverage _coverage;
    private Instant _startedAt;
    private Instant _lastArrival;
    private int _file;

    /// <summary>Whether a file has begun and not ended.</summary>
    public bool IsOpen { get; private set; }

    public Instant? FlushDue { get; private set; }

    /// <summary>Writes that found no room.</summary>
    public long Refused { get; private set; }

    /// <summary>Bytes of records in the file.</summary>
    public long Length { get; private set; }

    /// <summary>Packets and time of the file.</summary>
    public PacketCoverage Coverage => _coverage;

    public void Begin(int file, Instant startedAt)
    {
        (_file, _startedAt, _lastArrival, Length, IsOpen) = (file, startedAt, startedAt, 0, true);
        _coverage = default;
    }

    /// <summary>Whether a packet is older than the newest one of the file: it was overtaken on its way.</summary>
    public bool IsLate(in ReceivedFrame frame) =>
        IsOpen && _coverage.Highest is var (ssrc, sequence) && frame.Ssrc == ssrc && (short)((ushort)frame.Sequence - sequence) < 0;

    /// <summary>Adds a packet. False for one that is longer than a record takes.</summary>
    public bool TryAppend(in ReceivedFrame frame) => TryAppend(frame.Arrival, frame.Ssrc, (ushort)frame.Sequence, frame.Packet);

    /// <inheritdoc cref="TryAppend(in ReceivedFrame)"/>
    public bool TryAppend(Instant arrival, uint ssrc, ushort sequence, ReadOnlySpan<byte> packet)
    {
        if (packet.Length > RtpDumpRecord.MaxPacket) return false;

        // What was held for a while goes on from what stands in the file by then: time never goes back.
        if (arrival > _lastArrival) _lastArrival = arrival;
        var milliseconds = (uint)Math.Min((_lastArrival - _startedAt).Ticks / TimeSpan.TicksPerMillisecond, uint.MaxValue);
        var block = BlockFor(RtpDumpRecord.HeaderLength + packet.Length);
        var length = RtpDumpRecord.Write(block.Span[block.Length..], milliseconds, packet);
        block.Length += length;
        Length += length;
        _coverage.Add(milliseconds, ssrc, sequence);
        FlushDue ??= _lastArrival + WriteWindow.FlushAfter;
        return true;
    }

    /// <summary>Hands over what waits.</summary>
    public void Flush()
    {
        FlushDue = null;
        if (_block is not { } block) return;

        _block = null;
        if (_pending.Count < MaxPending)
        {
            _pending.Enqueue(new(_file, block));
            return;
        }

        Refused++;
        block.Dispose();
    }

    public void Close()
    {
        Flush();
        IsOpen = false;
    }

    public bool TryTake(out TimelineWrite write) => _pending.TryDequeue(out write);

    private WriteBuffer BlockFor(int length)
    {
        if (_block is { } open && open.Length + length > open.Capacity) Flush();
        return _block ??= WriteBuffer.Rent(Length, Math.Max(BlockLength, length));
    }
}
