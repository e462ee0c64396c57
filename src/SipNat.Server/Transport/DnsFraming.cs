using System.Buffers.Binary;

namespace SipNat.Server.Transport;

/// <summary>Messages of the DNS over TCP: two bytes of length before each (RFC 1035 §4.2.2), which stay with it.</summary>
internal sealed class DnsFraming : IStreamFramer
{
    private const int PrefixLength = 2;

    // One answer, and what came with it: the connection is closed after the answer.
    private byte[] _buffer = new byte[4096];
    private int _start;
    private int _end;

    public bool IsBroken => false;

    public void Push(ReadOnlySpan<byte> received)
    {
        _buffer.AsSpan(_start.._end).CopyTo(_buffer);
        (_start, _end) = (0, _end - _start);
        if (_buffer.Length - _end < received.Length) Array.Resize(ref _buffer, Math.Max(_buffer.Length * 2, _end + received.Length));

        received.CopyTo(_buffer.AsSpan(_end));
        _end += received.Length;
    }

    public bool TryTake(out ReadOnlySpan<byte> message, out ReadOnlySpan<byte> answer)
    {
        message = default;
        answer = default;
        var waiting = _buffer.AsSpan(_start.._end);
        if (waiting.Length < PrefixLength) return false;

        var length = PrefixLength + BinaryPrimitives.ReadUInt16BigEndian(waiting);
        if (waiting.Length < length) return false;

        message = waiting[..length];
        _start += length;
        return true;
    }
}
