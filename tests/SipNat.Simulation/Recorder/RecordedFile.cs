using SipNat.Media.Codecs;
using SipNat.Media.Streams;

namespace SipNat.Simulation.Recorder;

/// <summary>An audio file in memory, without a header: bytes at their offsets.</summary>
public sealed class RecordedFile(int stream, int index, AudioCodec codec)
{
    private const int FirstCapacity = 32_768;

    private byte[] _bytes = [];
    private int _length;

    /// <summary>The m-line's index, from 0.</summary>
    public int Stream => stream;

    /// <summary>Its place among the files of the stream.</summary>
    public int Index => index;

    public AudioCodec Codec => codec;

    /// <summary>Whether its end was told; nothing is written to it afterwards.</summary>
    public bool IsComplete { get; private set; }

    public ReadOnlySpan<byte> Audio => _bytes.AsSpan(0, _length);

    /// <summary>The frames of a scripted peer that stand in the file, with the byte at which each begins.</summary>
    public IReadOnlyList<(int Frame, int Offset)> Frames()
    {
        var frames = new List<(int, int)>();
        for (var at = 0; at + ScriptedFrame.Length <= _length;)
        {
            if (ScriptedFrame.TryRead(Audio[at..], out var origin, out var frame) && origin == stream)
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
        if (IsComplete) throw new InvalidOperationException($"File {index} of stream {stream} is complete, and is written to.");

        var end = (int)buffer.Offset + buffer.Length;
        if (end > _bytes.Length) Array.Resize(ref _bytes, Math.Max(end, Math.Max(FirstCapacity, 2 * _bytes.Length)));
        buffer.Written.Span.CopyTo(_bytes.AsSpan((int)buffer.Offset));
        _length = Math.Max(_length, end);
    }

    internal void Complete(long length)
    {
        if (IsComplete || length != _length) throw new InvalidOperationException($"File {index} of stream {stream} ends at {length} and has {_length} bytes.");

        IsComplete = true;
    }
}
