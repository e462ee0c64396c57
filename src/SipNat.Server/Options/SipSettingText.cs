using System.Text;
using SipNat.Sip.Messages;
using SipNat.Wire;

namespace SipNat.Server.Options;

/// <summary>What the text of a setting of an account may be.</summary>
internal static partial class SettingText
{
    private const int MaxSipText = 256;

    /// <summary>A SIP URI with a user and a domain.</summary>
    public static Parsed<SipUri?> AddressOfRecord(string text)
    {
        const string Right = "must be sip:USER@DOMAIN, such as sip:100@example.com.";
        if (!SipUri.TryParse(text, out var uri) || uri.Scheme is SipUriScheme.Other || uri.Host.Length == 0 || uri.User.Length == 0) return Parsed.Not<SipUri?>(Right);

        return uri.Text.Contains(';') || uri.Text.Contains('?') ? Parsed.Not<SipUri?>($"{Right} Transport has a key of its own.") : uri;
    }

    /// <summary>A server, as a URI or as a host with or without a port.</summary>
    public static Parsed<SipUri?> SipServer(string text)
    {
        const string Right = "must be HOST[:PORT] or sip:HOST[:PORT], with [ADDRESS] for IPv6.";
        var whole = text.StartsWith("sip:", StringComparison.OrdinalIgnoreCase) || text.StartsWith("sips:", StringComparison.OrdinalIgnoreCase) ? text : $"sip:{text}";
        return SipUri.TryParse(whole, out var uri) && uri is { Scheme: not SipUriScheme.Other, Host.Length: > 0, User: "" } && (uri.TryGetAddress(out _) || IsHostName(uri.Host))
            ? uri
            : Parsed.Not<SipUri?>(Right);
    }

    /// <summary>One or more of <see cref="SipServer"/>, with commas between them.</summary>
    public static Parsed<IReadOnlyList<SipUri>> SipServers(string text)
    {
        var servers = new List<SipUri>();
        foreach (var part in text.Split(',', StringSplitOptions.TrimEntries))
        {
            var server = SipServer(part);
            if (server.Value is not { } uri) return Parsed.Not<IReadOnlyList<SipUri>>($"{server.Problem} Several have commas between them.");

            servers.Add(uri);
        }

        return new(servers, null);
    }

    public static Parsed<TransportProtocol?> SipTransport(string text) => text.ToUpperInvariant() switch
    {
        "UDP" => TransportProtocol.Udp,
        "TCP" => TransportProtocol.Tcp,
        "TLS" => TransportProtocol.Tls,
        "WS" => TransportProtocol.Ws,
        "WSS" => TransportProtocol.Wss,
        _ => Parsed.Not<TransportProtocol?>("must be Udp, Tcp, Tls, Ws or Wss; leave it out to take what the DNS says."),
    };

    /// <summary>What a server is asked for to open a WebSocket.</summary>
    public static Parsed<string> WebSocketPath(string text) =>
        text.StartsWith('/') && text.Length <= MaxSipText && Uri.IsWellFormedUriString(text, UriKind.Relative) && !text.Contains('#')
            ? text
            : Parsed.Not<string>("must be a path such as /ws, with a query where it has one.");

    /// <summary>The origin of a page, as browsers name it (RFC 6454 §6.2).</summary>
    public static Parsed<string> Origin(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" && uri.GetLeftPart(UriPartial.Authority).Equals(text, StringComparison.OrdinalIgnoreCase)
            ? text
            : Parsed.Not<string>("must be https://HOST[:PORT], without a path.");

    /// <summary>The host of a URI.</summary>
    public static Parsed<string> TargetHost(string text) => SipUri.TryParse($"sip:{text}", out var uri) && uri is { User: "", Port: 0, Host.Length: > 0 }
        ? uri.Host
        : Parsed.Not<string>("must be a host, such as example.com or 192.0.2.1.");

    public static Parsed<string> AccountName(string text) => IsSipText(text) && text.Length > 0
        ? text
        : Parsed.Not<string>($"must have 1 to {MaxSipText} characters, none of them a control character.");

    public static Parsed<string> SipUsername(string text) => AccountName(text);

    public static Parsed<string> DisplayName(string text) => IsSipText(text)
        ? text
        : Parsed.Not<string>($"must have at most {MaxSipText} characters, none of them a control character.");

    /// <summary>As the provider gave it; it is never put into a message as it is.</summary>
    public static Parsed<string> SipPassword(string text) => IsSipText(text) && text.Length > 0
        ? text
        : Parsed.Not<string>($"must have 1 to {MaxSipText} bytes, none of them a control character.");

    private static bool IsSipText(string text) => Encoding.UTF8.GetByteCount(text) <= MaxSipText && !text.Any(char.IsControl);
}
