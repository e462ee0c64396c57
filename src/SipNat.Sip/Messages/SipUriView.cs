using System.Text;

namespace SipNat.Sip.Messages;

public enum SipUriScheme
{
    /// <summary>Any scheme but those below.</summary>
    Other,
    Sip,
    Sips,

    /// <summary>RFC 3966; the number is the user, and there is no host.</summary>
    Tel,
}

/// <summary>A URI viewed in place (RFC 3261 §19.1). Escapes stay escaped.</summary>
public readonly ref struct SipUriView
{
    private SipUriView(SipUriScheme scheme, ReadOnlySpan<byte> user, SipHostPort hostPort, ReadOnlySpan<byte> parameters, ReadOnlySpan<byte> headers)
    {
        Scheme = scheme;
        User = user;
        Host = hostPort.Host;
        Port = hostPort.Port;
        Parameters = new(parameters);
        Headers = headers;
    }

    public SipUriScheme Scheme { get; }

    /// <summary>Without password; empty where there is none.</summary>
    public ReadOnlySpan<byte> User { get; }

    /// <summary>An IPv6 address without its brackets.</summary>
    public ReadOnlySpan<byte> Host { get; }

    /// <summary>0 where there is none.</summary>
    public int Port { get; }

    public SipParameters Parameters { get; }

    /// <summary>What follows the question mark.</summary>
    public ReadOnlySpan<byte> Headers { get; }

    /// <summary>Reads a URI without angle brackets and without white space. Of an unknown scheme only the scheme is checked.</summary>
    public static bool TryRead(ReadOnlySpan<byte> text, out SipUriView uri)
    {
        uri = default;
        var colon = text.IndexOf((byte)':');
        if (colon <= 0 || !SipText.IsToken(text[..colon])) return false;
        if (text.IndexOfAnyInRange((byte)0, (byte)' ') >= 0 || text.ContainsAny((byte)'<', (byte)'>', (byte)'"')) return false;

        var scheme = FindScheme(text[..colon]);
        var rest = text[(colon + 1)..];
        if (scheme is SipUriScheme.Sip or SipUriScheme.Sips) return TryReadSip(scheme, rest, out uri);

        var end = rest.IndexOf((byte)';');
        if (end < 0) end = rest.Length;
        uri = scheme is SipUriScheme.Tel ? new(scheme, rest[..end], default, rest[end..], default) : default;
        return scheme is SipUriScheme.Other || end > 0;
    }

    private static SipUriScheme FindScheme(ReadOnlySpan<byte> name) =>
        Ascii.EqualsIgnoreCase(name, "sip"u8) ? SipUriScheme.Sip
        : Ascii.EqualsIgnoreCase(name, "sips"u8) ? SipUriScheme.Sips
        : Ascii.EqualsIgnoreCase(name, "tel"u8) ? SipUriScheme.Tel
        : SipUriScheme.Other;

    private static bool TryReadSip(SipUriScheme scheme, ReadOnlySpan<byte> rest, out SipUriView uri)
    {
        uri = default;
        var at = rest.IndexOf((byte)'@');
        var user = at < 0 ? default : rest[..at];
        if (!SipHostPort.TryRead(rest[(at + 1)..], out var hostPort)) return false;
        if (hostPort.Rest is not ([] or [(byte)';' or (byte)'?', ..])) return false;

        var question = hostPort.Rest.IndexOf((byte)'?');
        var parameters = question < 0 ? hostPort.Rest : hostPort.Rest[..question];
        var headers = question < 0 ? default : hostPort.Rest[(question + 1)..];
        var password = user.IndexOf((byte)':');
        uri = new(scheme, password < 0 ? user : user[..password], hostPort, parameters, headers);
        return true;
    }
}
