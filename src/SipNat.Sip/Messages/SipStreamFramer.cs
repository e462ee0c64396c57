namespace SipNat.Sip.Messages;

/// <summary>What <see cref="SipStreamFramer.TryTake"/> found in the stream.</summary>
public enum SipFrameKind
{
    Message,

    /// <summary>A double line end between messages: one line end is to go back (RFC 5626 §3.5.1).</summary>
    Ping,
}

/// <summary>
/// Cuts the byte stream of one connection into messages by their Content-Length (RFC 3261 §18.3). It keeps one buffer
/// that grows up to <see cref="SipMessage.MaxLength"/>. After a <see cref="Defect"/> no boundary can be known any
/// more: what it still gives out is answered with an error, then the connection closes.
/// </summary>
public sealed class SipStreamFramer
{
    private const int InitialCapacity = 4096;

    private readonly SipHeaderIndex _index = new();
    private byte[] _buffer = new byte[InitialCapacity];
    private int _start;
    private int _end;

    // Bytes of the header block that hold no empty line, so that a slow sender is not searched from the start each time.
    private int _searched;
    private int _lineEnds;
    private int _headerLength;
    private int _messageLength;

    /// <summary>Why the stream cannot go on; None while it can.</summary>
    public SipDefect Defect { get; private set; }

    /// <summary>Adds what was received, of any length. Every message is to be taken before the next call.</summary>
    public void Push(ReadOnlySpan<byte> bytes)
    {
        if (Defect is not SipDefect.None) return;

        if (_start > 0)
        {
            _buffer.AsSpan(_start.._end).CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
        }

        if (_buffer.Length - _end < bytes.Length) Array.Resize(ref _buffer, Math.Max(_buffer.Length * 2, _end + bytes.Length));

        bytes.CopyTo(_buffer.AsSpan(_end));
        _end += bytes.Length;
    }

    /// <summary>
    /// Takes the next message or ping; the message is valid until the next call of either method. A request without a
    /// usable Content-Length is given as its header block alone, and <see cref="Defect"/> is set with it.
    /// </summary>
    public bool TryTake(out SipFrameKind kind, out ReadOnlySpan<byte> message)
    {
        message = default;
        kind = SipFrameKind.Ping;
        if (Defect is not SipDefect.None) return false;
        if (_headerLength == 0 && TakePing()) return true;
        if (_start == _end || (_headerLength == 0 && !FindHeaderEnd()) || _end - _start < _messageLength) return false;

        kind = SipFrameKind.Message;
        message = _buffer.AsSpan(_start, _messageLength);
        _start += _messageLength;
        _headerLength = _messageLength = _searched = 0;
        return true;
    }

    private bool TakePing()
    {
        while (_start < _end && _buffer[_start] is (byte)'\r' or (byte)'\n')
        {
            if (_buffer[_start++] != '\n') continue;
            if (++_lineEnds < 2) continue;

            _lineEnds = 0;
            return true;
        }

        if (_start < _end) _lineEnds = 0;
        return false;
    }

    private bool FindHeaderEnd()
    {
        var block = _buffer.AsSpan(_start.._end);
        var length = HeaderEnd(block, _searched);
        _searched = Math.Max(block.Length - 3, 0);
        if (length > SipMessage.MaxHeaderLength || (length < 0 && block.Length > SipMessage.MaxHeaderLength))
        {
            Defect = SipDefect.TooLong;
            return false;
        }

        if (length < 0) return false;

        (_headerLength, _messageLength) = (length, length);
        Defect = new SipMessageReader(block[..length], _index).ReadFraming(out var body);
        if (Defect is SipDefect.None) _messageLength += body;
        return true;
    }

    // The length of the header block with its empty line; -1 while that has not come. Each line ends with LF.
    private static int HeaderEnd(ReadOnlySpan<byte> block, int from)
    {
        while (true)
        {
            var lineEnd = block[from..].IndexOf((byte)'\n');
            if (lineEnd < 0) return -1;

            from += lineEnd + 1;
            if (block[from..] is [(byte)'\n', ..]) return from + 1;
            if (block[from..] is [(byte)'\r', (byte)'\n', ..]) return from + 2;
        }
    }
}
