using SipNat.Endpoint.Media;
using SipNat.Media.Codecs;
using SipNat.Media.Streams;

namespace SipNat.Simulation.Recorder;

/// <summary>
/// A file in memory, without a header: bytes at their offsets. Blocks of silence take no memory, so that a hold of a day
/// costs none; what was passed over and never written is zero, as on a disk.
/// </summary>
public sealed class RecordedFile(int stream, RecordingFile begun)
{
    private const int BlockLength = 8192;

    // A block that is null is silence; the bytes of packets have none.
    private readonly byte _silence = begun.Codec.Known?.Silence ?? 0;
    private readonly List<byte[]?> _blocks = [];

    /// <summary>The m-line's index, from 0.</summary>
    public int Stream => stream;

    /// <summary>Its place among the files of the stream.</summary>
    public int Index => begun.Index;

    public FileCodec Codec => begun.Codec;

    /// <summary>What was told of it when it began.</summary>
    public RecordingFile Begun => begun;

    /// <summary>Bytes.</summary>
    public long Length { get; private set; }

    /// <summary>Whether its end was told; nothing is written to it afterwards.</summary>
    public bool IsComplete { get; private set; }

    /// <summary>A copy of all bytes.</summary>
    public byte[] Audio()
    {
        var audio = new byte[Length];
        for (var i = 0; i < _blocks.Count; i++)
        {
            var part = audio.AsSpan(i * BlockLength, (int)Math.Min(BlockLength, Length - ((long)i * BlockLength)));
            if (_blocks[i] is { } block) block.AsSpan(0, part.Length).CopyTo(part);
            else part.Fill(_silence);
        }

        return audio;
    }

    /// <summary>The frames of a scripted peer that stand in the file, with the byte at which each begins.</summary>
    public IReadOnlyList<(int Frame, int Offset)> Frames()
    {
        var audio = Audio();
        var frames = new List<(int, int)>();
        for (var at = 0; at + ScriptedFrame.Length <= audio.Length;)
        {
            if (ScriptedFrame.TryRead(audio.AsSpan(at), out var origin, out var frame) && origin == stream)
            {
                frames.Add((frame, at));
                at += ScriptedFrame.Length;
            }
            else
            {
                at++;
            }
        }

        return frames;
    }

    internal void Write(WriteBuffer buffer)
    {
        if (IsComplete) throw new InvalidOperationException($"File {begun.Index} of stream {stream} is complete, and is written to.");

        Span<byte> zeros = stackalloc byte[256];
        zeros.Clear();
        while (Length < buffer.Offset) Write(Length, zeros[..(int)Math.Min(zeros.Length, buffer.Offset - Length)]);
        Write(buffer.Offset, buffer.Written.Span);
    }

    internal void Complete(long length)
    {
        if (IsComplete || length != Length) throw new InvalidOperationException($"File {begun.Index} of stream {stream} ends at {length} and has {Length} bytes.");

        IsComplete = true;
    }

    private void Write(long offset, ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var (at, start) = ((int)(offset / BlockLength), (int)(offset % BlockLength));
            var part = bytes[..Math.Min(bytes.Length, BlockLength - start)];
            if (at == _blocks.Count) _blocks.Add(null);
            if (_blocks[at] is not null || part.ContainsAnyExcept(_silence)) part.CopyTo(BlockOf(at).AsSpan(start));
            offset += part.Length;
            bytes = bytes[part.Length..];
            Length = Math.Max(Length, offset);
        }
    }

    private byte[] BlockOf(int at)
    {
        if (_blocks[at] is { } known) return known;

        var block = new byte[BlockLength];
        block.AsSpan().Fill(_silence);
        return _blocks[at] = block;
    }
}
