using System.Buffers;
using System.Globalization;
using System.Text;
using SipNat.Endpoint.Dns;
using SipNat.Server.Transport;
using SipNat.Sip.Messages;
using SipNat.Traversal.Stun;
using SipNat.Traversal.Turn;
using SipNat.Wire;

namespace SipNat.Server.Options;

/// <summary>What the text of a setting may be, and what to say when it is not.</summary>
internal static partial class SettingText
{
    private const int MaxHostName = 253;

    // RFC 8489 §14.3, less the expiry and the colon that a time-limited one begins with.
    private const int MaxStunUsername = StunCredentials.MaxUsernameLength - 12;
    private const int MaxStunPassword = 763;

    private static readonly SearchValues<char> HostNameCharacters =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");

    public static Parsed<int> Integer(string text, int min, int max) =>
        int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) && value >= min && value <= max
            ? value
            : Parsed.Not<int>($"must be a whole number from {min} to {max}.");

    /// <summary>A bare number would be read as days: the colons are required.</summary>
    public static Parsed<TimeSpan> Duration(string text, TimeSpan min, TimeSpan max) =>
        text.Contains(':') && TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var value) && value >= min && value <= max
            ? value
            : Parsed.Not<TimeSpan>($"must be a duration hh:mm:ss from {min:c} to {max:c}.");

    public static Parsed<NetworkPrefix> Network(string text) =>
        NetworkPrefix.TryParse(text, out var prefix)
            ? prefix
            : Parsed.Not<NetworkPrefix>("must be a network such as 192.168.0.0/16 or fd00::/8, or one address.");

    public static Parsed<SipListener> Listener(string text)
    {
        const string Right = "must be udp://ADDRESS[:PORT], tcp://…, tls://…, ws://… or wss://…, with [ADDRESS] for IPv6.";
        var separator = text.IndexOf("://", StringComparison.Ordinal);
        if (separator < 0) return Parsed.Not<SipListener>(Right);

        (TransportProtocol Transport, int Port)? scheme = text[..separator].ToLowerInvariant() switch
        {
            "udp" => (TransportProtocol.Udp, SipUri.DefaultPort),
            "tcp" => (TransportProtocol.Tcp, SipUri.DefaultPort),
            "tls" => (TransportProtocol.Tls, SipUri.DefaultTlsPort),
            "ws" => (TransportProtocol.Ws, ServerLookup.DefaultPortOf(TransportProtocol.Ws)),
            "wss" => (TransportProtocol.Wss, ServerLookup.DefaultPortOf(TransportProtocol.Wss)),
            _ => null,
        };
        if (scheme is not var (transport, port)) return Parsed.Not<SipListener>(Right);
        if (!TransportAddress.TryParse(text.AsSpan(separator + 3), out var address, port)) return Parsed.Not<SipListener>(Right);
        if (address.IsMulticastOrBroadcast) return Parsed.Not<SipListener>("must be an address of this machine, not a multicast one.");
        if (address is { Port: 0, IsUnspecified: true }) return Parsed.Not<SipListener>("port 0 (any free port) goes with one address, not with all of them.");

        return new SipListener(transport, address);
    }

    public static Parsed<TransportAddress> LocalAddress(string text) =>
        TryParseAddress(text, out var address) && address is { IsUnspecified: false, IsMulticastOrBroadcast: false }
            ? address
            : Parsed.Not<TransportAddress>("must be one address of this machine, without a port; leave it out to take the interface that routes to the peer.");

    /// <summary>Bytes of a shared secret that are not guessed.</summary>
    public const int MinSecret = 16;

    private const int MaxSecret = 1024;

    /// <summary>http:// on one address; which ones need a token is a rule between settings.</summary>
    public static Parsed<TransportAddress> HttpListener(string text)
    {
        const string Right = "must be http://ADDRESS:PORT, with [ADDRESS] for IPv6, such as http://127.0.0.1:8080.";
        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Scheme != "http") return Parsed.Not<TransportAddress>(Right);
        if (uri.PathAndQuery != "/" || uri.UserInfo.Length > 0 || uri.Fragment.Length > 0) return Parsed.Not<TransportAddress>(Right);

        var host = uri.Host == "localhost" ? "127.0.0.1" : uri.Host;
        return TransportAddress.TryParse(host, out var address) && !address.IsMulticastOrBroadcast
            ? address.WithPort(uri.Port)
            : Parsed.Not<TransportAddress>(Right);
    }

    /// <summary>https:// anywhere; http:// only where the bytes do not leave this machine.</summary>
    public static Parsed<Uri?> WebhookUrl(string text)
    {
        const string Right = "must be https://HOST[:PORT][/PATH], or http:// with a loopback address.";
        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri)) return Parsed.Not<Uri?>(Right);
        if (uri.UserInfo.Length > 0 || uri.Fragment.Length > 0) return Parsed.Not<Uri?>(Right);

        return uri.Scheme == "https" || (uri.Scheme == "http" && uri.IsLoopback) ? uri : Parsed.Not<Uri?>(Right);
    }

    /// <summary>A secret or token: visible ASCII, as it goes into headers.</summary>
    public static Parsed<string> Secret(string text, int minLength) =>
        text.Length >= minLength && text.Length <= MaxSecret && text.All(c => c is > ' ' and <= '~')
            ? text
            : Parsed.Not<string>($"must have {minLength} to {MaxSecret} visible ASCII characters and no space.");

    public static Parsed<HostName> ExternalHost(string text)
    {
        if (TryParseAddress(text, out var address))
        {
            return address is { IsUnspecified: false, IsMulticastOrBroadcast: false, IsLoopback: false }
                ? new HostName(address.AddressText, 0)
                : Parsed.Not<HostName>("must be an address that others can reach.");
        }

        return IsHostName(text) ? new HostName(text, 0) : Parsed.Not<HostName>("must be a public address or a host name, without a port.");
    }

    public static Parsed<HostName> StunServer(string text) => Host(text, NatOptions.DefaultStunPort);

    /// <summary>A host by name or address, with a port or the one that goes without saying.</summary>
    public static Parsed<HostName> Host(string text, int defaultPort)
    {
        const string Right = "must be HOST[:PORT], with [ADDRESS] for IPv6.";
        if (TransportAddress.TryParse(text, out var address, defaultPort))
        {
            return address is { IsUnspecified: false, IsMulticastOrBroadcast: false, Port: > 0 }
                ? new HostName(address.AddressText, address.Port)
                : Parsed.Not<HostName>(Right);
        }

        var colon = text.IndexOf(':');
        var port = defaultPort;
        if (colon >= 0 && Integer(text[(colon + 1)..], 1, ushort.MaxValue) is var parsed)
        {
            if (parsed.Problem is not null) return Parsed.Not<HostName>(Right);
            port = parsed.Value;
        }

        var host = colon >= 0 ? text[..colon] : text;
        return IsHostName(host) ? new HostName(host, port) { Service = colon >= 0 ? ServiceKind.None : ServiceKind.Stun } : Parsed.Not<HostName>(Right);
    }

    public static Parsed<TurnUri?> TurnServer(string text)
    {
        const string Right = "must be turn:HOST[:PORT], turn:HOST[:PORT]?transport=tcp or turns:HOST[:PORT], with [ADDRESS] for IPv6";
        if (TurnUri.TryParse(text, out var uri, out var defect)) return uri;

        return defect switch
        {
            TurnUriDefect.Host when text.Contains("//", StringComparison.Ordinal) => Parsed.Not<TurnUri?>($"{Right}; no // comes before the host (RFC 7065)."),
            TurnUriDefect.Host when text.Contains('@') => Parsed.Not<TurnUri?>($"{Right}; the user goes into a key of its own, Username."),
            TurnUriDefect.Port => Parsed.Not<TurnUri?>($"{Right}; the port is a number from 1 to 65535."),
            TurnUriDefect.Dtls => Parsed.Not<TurnUri?>($"{Right}; DTLS (turns with transport=udp) is not available."),
            _ => Parsed.Not<TurnUri?>($"{Right}."),
        };
    }

    /// <summary>A STUN username of at most so many bytes that an expiry has room before it.</summary>
    public static Parsed<string> StunUsername(string text) => Prepared(text, MaxStunUsername);

    /// <summary>A STUN password; spaces and letters of every script may be in it.</summary>
    public static Parsed<string> StunPassword(string text) => Prepared(text, MaxStunPassword);

    private static Parsed<string> Prepared(string text, int maxLength)
    {
        if (!OpaqueString.TryPrepare(text, out var prepared))
        {
            return Parsed.Not<string>("must have no control or invisible characters, and letters with accents as one character each (RFC 8265 §4.2).");
        }

        return Encoding.UTF8.GetByteCount(prepared) <= maxLength ? prepared : Parsed.Not<string>($"must have at most {maxLength} bytes.");
    }

    private static bool TryParseAddress(string text, out TransportAddress address) =>
        TransportAddress.TryParse(text.Contains(':') && !text.StartsWith('[') ? $"[{text}]" : text, out address) && address.Port == 0;

    // A name of digits and dots alone is an address with a mistake in it.
    private static bool IsHostName(string text) =>
        text.Length is > 0 and <= MaxHostName
        && !text.AsSpan().ContainsAnyExcept(HostNameCharacters)
        && text.AsSpan().ContainsAnyExcept("0123456789.")
        && !text.StartsWith('.')
        && !text.Contains("..", StringComparison.Ordinal);
}
