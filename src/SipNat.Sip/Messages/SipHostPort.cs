using System.Buffers;
using System.Buffers.Text;
using System.Text;
using SipNat.Wire;

namespace SipNat.Sip.Messages;

/// <summary>host [ ":" port ] of Via and of SIP URIs (RFC 3261 §25.1).</summary>
internal readonly ref struct SipHostPort
{
    private static readonly SearchValues<byte> HostOctets = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%"u8);

    private static readonly SearchValues<byte> IPv6Octets = SearchValues.Create("0123456789abcdefABCDEF:."u8);

    private const int LongestLiteral = 45;

    private SipHostPort(ReadOnlySpan<byte> host, int port, ReadOnlySpan<byte> rest)
    {
        Host = host;
        Port = port;
        Rest = rest;
    }

    /// <summary>Without brackets.</summary>
    public ReadOnlySpan<byte> Host { get; }

    /// <summary>0 where there is none.</summary>
    public int Port { get; }

    /// <summary>What follows, its leading white space skipped.</summary>
    public ReadOnlySpan<byte> Rest { get; }

    /// <summary>Via allows white space around the colon; a URI has been searched for it before.</summary>
    public static bool TryRead(ReadOnlySpan<byte> text, out SipHostPort result)
    {
        result = default;
        if (!TryReadHost(text, out var host, out var rest)) return false;

        rest = SipText.TrimStart(rest);
        if (rest is not [(byte)':', .. var afterColon])
        {
            result = new(host, 0, rest);
            return true;
        }

        afterColon = SipText.TrimStart(afterColon);
        if (!Utf8Parser.TryParse(afterColon, out ushort port, out var digits)) return false;

        result = new(host, port, SipText.TrimStart(afterColon[digits..]));
        return true;
    }

    private static bool TryReadHost(ReadOnlySpan<byte> text, out ReadOnlySpan<byte> host, out ReadOnlySpan<byte> rest)
    {
        host = rest = default;
        if (text is [(byte)'[', .. var literal])
        {
            var closing = literal.IndexOf((byte)']');
            if (closing <= 0 || literal[..closing].ContainsAnyExcept(IPv6Octets)) return false;

            host = literal[..closing];
            rest = literal[(closing + 1)..];
            return true;
        }

        var length = text.IndexOfAnyExcept(HostOctets);
        if (length < 0) length = text.Length;
        host = text[..length];
        rest = text[length..];
        return length > 0;
    }

    /// <summary>The address that a host without brackets spells; false for a name.</summary>
    public static bool TryGetAddress(ReadOnlySpan<byte> host, int port, out TransportAddress address)
    {
        address = default;
        if (host.Length is 0 or > LongestLiteral) return false;

        Span<char> text = stackalloc char[LongestLiteral + 2];
        var isIPv6 = host.Contains((byte)':');
        var length = Encoding.Latin1.GetChars(host, text[(isIPv6 ? 1 : 0)..]);
        if (!isIPv6) return TransportAddress.TryParse(text[..length], out address, port);

        (text[0], text[length + 1]) = ('[', ']');
        return TransportAddress.TryParse(text[..(length + 2)], out address, port);
    }
}
