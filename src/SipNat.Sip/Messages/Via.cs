using System.Buffers.Text;
using SipNat.Wire;

namespace SipNat.Sip.Messages;

/// <summary>One Via value viewed in place (RFC 3261 §20.42, RFC 3581).</summary>
public readonly ref struct Via
{
    /// <summary>A branch that begins so identifies its transaction (RFC 3261 §8.1.1.7).</summary>
    public const string MagicCookie = "z9hG4bK";

    private Via(ReadOnlySpan<byte> transport, SipHostPort sentBy)
    {
        Transport = transport;
        Host = sentBy.Host;
        Port = sentBy.Port;
        Parameters = new(sentBy.Rest);
    }

    /// <summary>UDP, TCP, … as the peer wrote it.</summary>
    public ReadOnlySpan<byte> Transport { get; }

    /// <summary>Of sent-by; an IPv6 address without its brackets.</summary>
    public ReadOnlySpan<byte> Host { get; }

    /// <summary>Of sent-by; 0 where there is none.</summary>
    public int Port { get; }

    public SipParameters Parameters { get; }

    /// <summary>Empty where a peer of RFC 2543 gives none.</summary>
    public ReadOnlySpan<byte> Branch => Parameters.TryGet("branch"u8, out var value) ? value : default;

    /// <summary>Empty until a server has added it.</summary>
    public ReadOnlySpan<byte> Received => Parameters.TryGet("received"u8, out var value) ? value : default;

    /// <summary>The sender wants its answer at its source port (RFC 3581 §3).</summary>
    public bool HasRPort => Parameters.TryGet("rport"u8, out _);

    /// <summary>The port that a server saw us at; 0 where it does not say.</summary>
    public int RPort =>
        Parameters.TryGet("rport"u8, out var value) && Utf8Parser.TryParse(value, out ushort port, out var used) && used == value.Length
            ? port
            : 0;

    /// <summary>The address of sent-by, with <paramref name="defaultPort"/> where it has no port; false for a name.</summary>
    public bool TryGetSentBy(int defaultPort, out TransportAddress address) =>
        SipHostPort.TryGetAddress(Host, Port == 0 ? defaultPort : Port, out address);

    /// <summary>The address that a server saw, with the port of <c>rport</c> or 0; false where it gives no <c>received</c>.</summary>
    public bool TryGetReceived(out TransportAddress address) => TryGetAddress(Received, RPort, out address);

    /// <summary>Where a server saw us, from <c>received</c> (else sent-by) and <c>rport</c>; false where it does not say.</summary>
    public bool TryGetReflexive(out TransportAddress address)
    {
        address = default;
        return RPort != 0 && TryGetAddress(Received is { IsEmpty: false } received ? received : Host, RPort, out address);
    }

    /// <summary>
    /// The interval at which the one who wrote the answer takes keepalives; zero where it has no wish. False where it takes
    /// none, which it says by leaving <c>keep</c> as it was asked (RFC 6223 §4.4).
    /// </summary>
    public bool TryGetKeep(out TimeSpan interval)
    {
        interval = default;
        return Parameters.TryGet("keep"u8, out var value) && SipSeconds.TryRead(value, out interval);
    }

    /// <summary>Reads one element of a Via header.</summary>
    public static bool TryRead(ReadOnlySpan<byte> value, out Via via)
    {
        via = default;
        if (!TryTakeToken(ref value, out _) || !TryTakeToken(ref value, out _)) return false;

        value = SipText.TrimStart(value);
        var end = value.IndexOfAny(" \t\r\n"u8);
        if (end < 0 || !SipText.IsToken(value[..end])) return false;
        if (!SipHostPort.TryRead(SipText.TrimStart(value[end..]), out var sentBy)) return false;
        if (sentBy.Rest is not ([] or [(byte)';', ..]) || !SipText.IsClosed(sentBy.Rest)) return false;

        via = new(value[..end], sentBy);
        return true;
    }

    // Servers write IPv6 with and without brackets.
    private static bool TryGetAddress(ReadOnlySpan<byte> host, int port, out TransportAddress address)
    {
        if (host is [(byte)'[', .. var literal, (byte)']']) host = literal;
        return SipHostPort.TryGetAddress(host, port, out address);
    }

    // One of protocol-name and protocol-version, with the slash that ends it.
    private static bool TryTakeToken(scoped ref ReadOnlySpan<byte> value, out ReadOnlySpan<byte> token)
    {
        var slash = value.IndexOf((byte)'/');
        token = slash < 0 ? default : SipText.Trim(value[..slash]);
        value = value[(slash + 1)..];
        return SipText.IsToken(token);
    }
}
