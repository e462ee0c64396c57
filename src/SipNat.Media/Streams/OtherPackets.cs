using SipNat.Wire;

namespace SipNat.Media.Streams;

/// <summary>
/// What came to a stream's port and is not part of it: packets of a second SSRC, or of a source that may not be
/// followed. They are kept in a file of their own, up to a bound, so that a wrong judgement of who is the speaker costs
/// no audio.
/// </summary>
public sealed class OtherPackets
{
    /// <summary>The index of their file; those of the stream begin with 0.</summary>
    public const int FileIndex = -1;

    /// <summary>Bytes that are kept for a stream: 19 minutes of G.711.</summary>
    public const long MaxLength = 10 * 1024 * 1024;

    private readonly PacketLog _log = new();
    private StreamFile? _file;

    /// <summary>When <see cref="Flush"/> has something to hand over; null when nothing waits.</summary>
    public Instant? FlushDue => _log.FlushDue;

    /// <summary>Their file as it is by now; null where nothing is kept.</summary>
    public StreamFile? File => _file is { } file ? file with { Length = _log.Length, Packets = _log.Coverage } : null;

    /// <summary>Packets past <see cref="MaxLength"/>.</summary>
    public long Unkept { get; private set; }

    /// <summary>Writes that found no room because nobody took the earlier ones.</summary>
    public long WritesRefused => _log.Refused;

    /// <summary>Nothing is kept or counted: the stream is that of a call.</summary>
    internal bool IsOff { get; set; }

    /// <summary>What arrived until then came in a pause, and is not kept.</summary>
    internal Instant? PausedUntil { get; set; }

    /// <summary>Takes the next write; the caller owns its buffer.</summary>
    public bool TryTake(out TimelineWrite write) => _log.TryTake(out write);

    internal void Add(Instant arrival, uint ssrc, ushort sequence, ReadOnlySpan<byte> packet)
    {
        if (IsOff || arrival <= PausedUntil) return;

        if (_file is null)
        {
            _file = new(FileIndex, FileCodec.Various, arrival, 0);
            _log.Begin(FileIndex, arrival);
        }

        if (_log.Length >= MaxLength || !_log.IsOpen || !_log.TryAppend(arrival, ssrc, sequence, packet)) Unkept++;
    }

    internal void Flush(Instant now)
    {
        if (FlushDue <= now) _log.Flush();
    }

    internal void Finish() => _log.Close();
}
