namespace SipNat.Traversal.Turn;

/// <summary>
/// Gathers the byte stream of a connection to a TURN server and cuts it into whole messages (<see cref="TurnFrame"/>).
/// It keeps one buffer that grows up to <see cref="TurnFrame.MaxLength"/> and what was received with it. After
/// <see cref="IsBroken"/> no boundary can be known any more and the connection is to be closed.
/// </summary>
public sealed class TurnStreamFramer
{
    private const int InitialCapacity = 4096;

    private byte[] _buffer = new byte[InitialCapacity];
    private int _start;
    private int _end;

    /// <summary>Whether something came that no message begins with.</summary>
    public bool IsBroken { get; private set; }

    /// <summary>Adds what was received, of any length. Every message is to be taken before the next call.</summary>
    public void Push(ReadOnlySpan<byte> bytes)
    {
        if (IsBroken) return;

        if (_start > 0)
        {
            _buffer.AsSpan(_start.._end).CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
        }

        if (_buffer.Length - _end < bytes.Length) Array.Resize(ref _buffer, Math.Max(_buffer.Length * 2, _end + bytes.Length));

        bytes.CopyTo(_buffer.AsSpan(_end));
        _end += bytes.Length;
    }

    /// <summary>Takes the next message with its padding; it is valid until the next call of <see cref="Push"/>.</summary>
    public bool TryTake(out ReadOnlySpan<byte> message)
    {
        message = default;
        if (IsBroken) return false;

        var waiting = _buffer.AsSpan(_start.._end);
        if (!TurnFrame.TryMeasure(waiting, out var length))
        {
            IsBroken = true;
            return false;
        }

        if (length == 0 || length > waiting.Length) return false;

        message = waiting[..length];
        _start += length;
        return true;
    }
}
