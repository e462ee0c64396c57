using SipNat.Media.Wav;
using SipNat.Wire;

namespace SipNat.Media.Streams;

/// <summary>
/// The end of a file in memory: frames meet in one block, which leaves as one write when it is full or its time is over.
/// It is full at the end of a page of the file, so that the kernel neither fills up pages nor looks at one twice. What comes
/// for a place that has left is a write of its own. Long silence is not stored but made when it is taken.
/// </summary>
internal sealed class WriteWindow
{
    /// <summary>Bytes of a block at most: a page, or half a second.</summary>
    public const int BlockLength = WriteBuffer.PageLength;

    /// <summary>Writes that wait to be taken, a minute of audio; more are refused and counted.</summary>
    public const int MaxPending = 128;

    // Bytes of one write of silence.
    private const int SilenceLength = WriteBuffer.LongLength;

    /// <summary>
    /// How long audio waits for its block to fill. A killed process costs a second at most: what is left of it is for the
    /// way to the file.
    /// </summary>
    public static readonly TimeSpan FlushAfter = TimeSpan.FromMilliseconds(750);

    private readonly Queue<Output> _pending = new();
    private readonly Queue<TimelineEvent> _events = new();
    private WriteBuffer? _block;
    private long _silenceTaken;
    private int _file;
    private byte _silence;
    private bool _hasLeft;

    /// <summary>Bytes of audio in the file.</summary>
    public long End { get; private set; }

    public Instant? FlushDue { get; private set; }

    public long Refused { get; private set; }

    public void Begin(int file, byte silence)
    {
        (_file, _silence, End, _hasLeft) = (file, silence, 0, false);
        Open(0);
    }

    public void Append(Instant now, ReadOnlySpan<byte> audio)
    {
        while (!audio.IsEmpty)
        {
            var space = Space();
            var part = audio[..Math.Min(audio.Length, space.Length)];
            part.CopyTo(space);
            Advance(now, part.Length);
            audio = audio[part.Length..];
        }
    }

    /// <summary>Puts silence before the file's first byte; false once any of the file has left.</summary>
    public bool TryPrepend(long length)
    {
        if (_hasLeft || _block!.Offset != 0 || End + length > _block.Capacity - 1) return false;

        var lead = (int)length;
        var audio = (int)End;
        _block.Span[..audio].CopyTo(_block.Span[lead..]);
        _block.Span[..lead].Fill(_silence);
        End += length;
        return true;
    }

    /// <summary>Adds silence; whole blocks of it take no memory.</summary>
    public void AppendSilence(Instant now, long length)
    {
        while (length > 0)
        {
            if (End == _block!.Offset && length >= SilenceLength)
            {
                var blocks = length - (length % SilenceLength);
                AddPending(new(_file, null, End, blocks, _silence));
                End += blocks;
                length -= blocks;
                Reopen();
                continue;
            }

            var space = Space();
            var part = space[..(int)Math.Min(length, space.Length)];
            part.Fill(_silence);
            Advance(now, part.Length);
            length -= part.Length;
        }
    }

    /// <summary>Writes over a place before <see cref="End"/>: in the block, or by a write of its own.</summary>
    public void Patch(long position, ReadOnlySpan<byte> audio)
    {
        var before = (int)Math.Clamp(_block!.Offset - position, 0, audio.Length);
        if (before > 0) AddCopy(position, audio[..before]);
        if (before == audio.Length) return;

        audio[before..].CopyTo(_block.Span[(int)(position + before - _block.Offset)..]);
    }

    /// <summary>Hands over what has come since the last time.</summary>
    public void Flush()
    {
        if (End > _block!.Offset) Replace();
        FlushDue = null;
    }

    public void Close()
    {
        if (_block is null) return;

        Flush();
        _block.Dispose();
        _block = null;
    }

    public void Add(TimelineEvent timelineEvent) => _events.Enqueue(timelineEvent);

    public bool TryTakeEvent(out TimelineEvent timelineEvent) => _events.TryDequeue(out timelineEvent!);

    public bool TryTake(out TimelineWrite write)
    {
        write = default;
        if (!_pending.TryPeek(out var output)) return false;

        write = new(output.File, output.Buffer ?? TakeSilence(output));
        if (_silenceTaken == 0) _pending.Dequeue();
        return true;
    }

    private Span<byte> Space()
    {
        if (End == _block!.Offset + _block.Capacity) Replace();
        return _block.Span[(int)(End - _block.Offset)..];
    }

    private void Advance(Instant now, int length)
    {
        End += length;
        FlushDue ??= now + FlushAfter;
        if (End == _block!.Offset + _block.Capacity) Replace();
    }

    private void Replace()
    {
        var left = _block!;
        left.Length = (int)(End - left.Offset);
        AddPending(new(_file, left, left.Offset, left.Length, 0));
        Open(End);
    }

    private void Reopen()
    {
        _block!.Dispose();
        Open(End);
    }

    private void Open(long offset) => (_block, FlushDue) = (WriteBuffer.Rent(offset, BlockLength - (int)((WavHeader.Length + offset) % BlockLength)), null);

    private void AddCopy(long offset, ReadOnlySpan<byte> bytes)
    {
        var copy = WriteBuffer.Rent(offset, bytes.Length, bytes.Length);
        bytes.CopyTo(copy.Span);
        AddPending(new(_file, copy, offset, bytes.Length, 0));
    }

    private void AddPending(in Output output)
    {
        _hasLeft = true;
        if (_pending.Count == MaxPending)
        {
            Refused++;
            output.Buffer?.Dispose();
            return;
        }

        _pending.Enqueue(output);
    }

    // Silence stays at the head of the queue until its last block is taken.
    private WriteBuffer TakeSilence(in Output output)
    {
        var buffer = WriteBuffer.Rent(output.Offset + _silenceTaken, SilenceLength, SilenceLength);
        buffer.Span.Fill(output.Silence);
        _silenceTaken += SilenceLength;
        if (_silenceTaken >= output.Length) _silenceTaken = 0;
        return buffer;
    }

    private readonly record struct Output(int File, WriteBuffer? Buffer, long Offset, long Length, byte Silence);
}
