using SipNat.Sip.Messages;

namespace SipNat.Server.Transport;

/// <summary>
/// The messages of a WebSocket, one of SIP in each (RFC 7118 §4.2). A double line end is a ping of RFC 5626 §4.4.1, for
/// scripts in browsers, which have no ping of their own.
/// </summary>
internal sealed class WebSocketFraming : IStreamFramer
{
    private const int InitialCapacity = 4096;

    private byte[] _buffer = new byte[InitialCapacity];
    private int _length;

    /// <summary>Whether what was received last is the end of a message; set before it is pushed.</summary>
    public bool IsWhole { get; set; }

    public bool IsBroken { get; private set; }

    public void Push(ReadOnlySpan<byte> received)
    {
        if (received.Length > SipMessage.MaxLength - _length)
        {
            IsBroken = true;
            return;
        }

        if (received.Length > _buffer.Length - _length) Array.Resize(ref _buffer, Math.Max(_buffer.Length * 2, _length + received.Length));
        received.CopyTo(_buffer.AsSpan(_length));
        _length += received.Length;
    }

    public bool TryTake(out ReadOnlySpan<byte> message, out ReadOnlySpan<byte> answer)
    {
        message = answer = default;
        if (IsBroken || !IsWhole || _length == 0) return false;

        message = _buffer.AsSpan(0, _length);
        if (message.SequenceEqual("\r\n\r\n"u8)) answer = "\r\n"u8;
        _length = 0;
        return true;
    }
}
