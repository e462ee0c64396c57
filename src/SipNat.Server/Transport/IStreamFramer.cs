using SipNat.Sip.Messages;
using SipNat.Traversal.Turn;

namespace SipNat.Server.Transport;

/// <summary>Cuts what a connection brings into messages.</summary>
internal interface IStreamFramer
{
    /// <summary>Whether the stream has no further boundaries.</summary>
    bool IsBroken { get; }

    /// <summary>Adds what was received. Every message is to be taken before the next call.</summary>
    void Push(ReadOnlySpan<byte> received);

    /// <summary>Takes the next message; it is valid until the next call of either method.</summary>
    /// <param name="message">The message.</param>
    /// <param name="answer">What goes back at once in place of handing a message over; empty for a message.</param>
    bool TryTake(out ReadOnlySpan<byte> message, out ReadOnlySpan<byte> answer);
}

/// <summary>What the connections of a host carry.</summary>
public enum StreamFraming
{
    Sip,

    /// <summary>STUN and ChannelData messages, to a TURN server (RFC 8656 §12.5).</summary>
    Turn,

    /// <summary>Messages of the DNS with their length before them (RFC 1035 §4.2.2).</summary>
    Dns,
}

internal static class StreamFramings
{
    extension(StreamFraming framing)
    {
        public IStreamFramer Create() => framing switch
        {
            StreamFraming.Turn => new TurnFraming(),
            StreamFraming.Dns => new DnsFraming(),
            _ => new SipFraming(),
        };
    }
}

internal sealed class SipFraming : IStreamFramer
{
    private readonly SipStreamFramer _framer = new();

    public bool IsBroken => _framer.Defect is not SipDefect.None;

    public void Push(ReadOnlySpan<byte> received) => _framer.Push(received);

    public bool TryTake(out ReadOnlySpan<byte> message, out ReadOnlySpan<byte> answer)
    {
        answer = default;
        if (!_framer.TryTake(out var kind, out message)) return false;
        if (kind is SipFrameKind.Ping) answer = "\r\n"u8;
        return true;
    }
}

internal sealed class TurnFraming : IStreamFramer
{
    private readonly TurnStreamFramer _framer = new();

    public bool IsBroken => _framer.IsBroken;

    public void Push(ReadOnlySpan<byte> received) => _framer.Push(received);

    public bool TryTake(out ReadOnlySpan<byte> message, out ReadOnlySpan<byte> answer)
    {
        answer = default;
        return _framer.TryTake(out message);
    }
}
