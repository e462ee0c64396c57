using System.Buffers;
using System.Globalization;
using SipNat.Wire;

namespace SipNat.Traversal.Turn;

/// <summary>Where a TURN server is, and how it is to be reached (RFC 7065): <c>turn:HOST[:PORT][?transport=udp|tcp]</c> or <c>turns:</c>.</summary>
/// <param name="IsSecure">Whether the scheme is <c>turns</c>.</param>
/// <param name="Host">A DNS name, or an address without brackets.</param>
/// <param name="Port">1–65535; 0 where the URI names none.</param>
/// <param name="Transport">What the URI's transport parameter asks for; null where it has none.</param>
public sealed record TurnUri(bool IsSecure, string Host, int Port, TransportProtocol? Transport)
{
    /// <summary>RFC 8656 §3: UDP and TCP.</summary>
    public const int DefaultPort = 3478;

    /// <summary>RFC 8656 §3: TLS.</summary>
    public const int DefaultSecurePort = 5349;

    private const int MaxHost = 253;

    private static readonly SearchValues<char> HostCharacters =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");

    /// <summary>The port, or the scheme's own one.</summary>
    public int EffectivePort => Port != 0 ? Port : IsSecure ? DefaultSecurePort : DefaultPort;

    /// <summary>The transport, or the scheme's own one: UDP, and for <c>turns</c> TLS over TCP.</summary>
    public TransportProtocol EffectiveTransport => IsSecure ? TransportProtocol.Tls : Transport ?? TransportProtocol.Udp;

    /// <summary>The address where <see cref="Host"/> is one, with <see cref="EffectivePort"/>; none for a name.</summary>
    public TransportAddress Address =>
        TransportAddress.TryParse(Host.Contains(':') ? $"[{Host}]" : Host, out var address) ? address.WithPort(EffectivePort) : default;

    public static bool TryParse(ReadOnlySpan<char> text, out TurnUri uri, out TurnUriDefect defect)
    {
        uri = null!;
        defect = TurnUriDefect.Scheme;
        var colon = text.IndexOf(':');
        if (colon < 0) return false;

        var isSecure = text[..colon].Equals("turns", StringComparison.OrdinalIgnoreCase);
        if (!isSecure && !text[..colon].Equals("turn", StringComparison.OrdinalIgnoreCase)) return false;

        var rest = text[(colon + 1)..];
        var query = rest.IndexOf('?');
        TransportProtocol? transport = null;
        if (query >= 0 && !TryReadTransport(rest[(query + 1)..], isSecure, out transport, out defect)) return false;

        var authority = query >= 0 ? rest[..query] : rest;
        if (!TryReadHost(authority, out var host, out var port, out defect)) return false;

        uri = new(isSecure, host, port, transport);
        defect = TurnUriDefect.None;
        return true;
    }

    private static bool TryReadTransport(ReadOnlySpan<char> query, bool isSecure, out TransportProtocol? transport, out TurnUriDefect defect)
    {
        const string Name = "transport=";
        transport = null;
        defect = TurnUriDefect.Transport;
        if (!query.StartsWith(Name, StringComparison.OrdinalIgnoreCase)) return false;

        var value = query[Name.Length..];
        if (value.Equals("tcp", StringComparison.OrdinalIgnoreCase)) transport = isSecure ? TransportProtocol.Tls : TransportProtocol.Tcp;
        else if (value.Equals("udp", StringComparison.OrdinalIgnoreCase) && !isSecure) transport = TransportProtocol.Udp;
        else if (value.Equals("udp", StringComparison.OrdinalIgnoreCase)) defect = TurnUriDefect.Dtls;
        return transport is not null;
    }

    private static bool TryReadHost(ReadOnlySpan<char> authority, out string host, out int port, out TurnUriDefect defect)
    {
        (host, port, defect) = ("", 0, TurnUriDefect.Host);
        var closing = authority.IndexOf(']');
        var colon = authority[(closing + 1)..].IndexOf(':');
        if (colon >= 0)
        {
            colon += closing + 1;
            defect = TurnUriDefect.Port;
            if (!int.TryParse(authority[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out port)) return false;
            if (port is 0 or > ushort.MaxValue) return false;

            defect = TurnUriDefect.Host;
            authority = authority[..colon];
        }

        if (TransportAddress.TryParse(authority, out var address))
        {
            host = address.AddressText;
            return address is { IsUnspecified: false, IsMulticastOrBroadcast: false };
        }

        host = authority.ToString();
        return IsName(authority);
    }

    // A name of digits and dots alone is an address with a mistake in it.
    private static bool IsName(ReadOnlySpan<char> text) =>
        text.Length is > 0 and <= MaxHost
        && !text.ContainsAnyExcept(HostCharacters)
        && text.ContainsAnyExcept("0123456789.")
        && text[0] != '.'
        && !text.Contains("..", StringComparison.Ordinal);

    /// <summary>As it is configured.</summary>
    public override string ToString()
    {
        var scheme = IsSecure ? "turns" : "turn";
        var host = Host.Contains(':') ? $"[{Host}]" : Host;
        var port = Port == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $":{Port}");
        return $"{scheme}:{host}{port}{(Transport is null ? "" : Transport is TransportProtocol.Udp ? "?transport=udp" : "?transport=tcp")}";
    }
}

/// <summary>Why a text is not a TURN URI that can be used.</summary>
public enum TurnUriDefect
{
    None,

    /// <summary>It does not begin with <c>turn:</c> or <c>turns:</c>.</summary>
    Scheme,

    /// <summary>No name and no address follows the scheme.</summary>
    Host,
    Port,

    /// <summary>The query is not <c>transport=udp</c> or <c>transport=tcp</c>.</summary>
    Transport,

    /// <summary><c>turns</c> with <c>transport=udp</c> is DTLS, which is not spoken here.</summary>
    Dtls,
}
