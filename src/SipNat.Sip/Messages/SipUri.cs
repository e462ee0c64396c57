using System.Diagnostics.CodeAnalysis;
using System.Text;
using SipNat.Wire;

namespace SipNat.Sip.Messages;

/// <summary>A URI that outlives its message; equal where its text is. Escapes stay escaped.</summary>
public sealed record SipUri
{
    /// <summary>RFC 3261 §19.1.2.</summary>
    public const int DefaultPort = 5060;

    public const int DefaultTlsPort = 5061;

    private readonly byte[] _parameters;

    private SipUri(ReadOnlySpan<byte> text, SipUriView view)
    {
        Text = Encoding.UTF8.GetString(text);
        Scheme = view.Scheme;
        User = Encoding.UTF8.GetString(view.User);
        Host = Encoding.UTF8.GetString(view.Host);
        Port = view.Port;
        _parameters = view.Parameters.Text.ToArray();
    }

    /// <summary>The whole URI as it was read.</summary>
    public string Text { get; }

    public SipUriScheme Scheme { get; }

    /// <summary>Without password; empty where there is none.</summary>
    public string User { get; }

    /// <summary>An IPv6 address without its brackets; empty for tel.</summary>
    public string Host { get; }

    /// <summary>0 where there is none.</summary>
    public int Port { get; }

    /// <summary>The <c>transport</c> parameter; null where there is none.</summary>
    public string? Transport => TryGetParameter("transport", out var value) ? value : null;

    /// <summary>The <c>lr</c> parameter: the router follows RFC 3261 §16.4 and leaves the Request-URI alone.</summary>
    public bool IsLooseRouter => TryGetParameter("lr", out _);

    public static bool TryRead(ReadOnlySpan<byte> text, [NotNullWhen(true)] out SipUri? uri)
    {
        uri = SipUriView.TryRead(text, out var view) ? new(text, view) : null;
        return uri is not null;
    }

    public static bool TryParse(string text, [NotNullWhen(true)] out SipUri? uri) => TryRead(Encoding.UTF8.GetBytes(text), out uri);

    public static SipUri Parse(string text) =>
        TryParse(text, out var uri) ? uri : throw new FormatException($"'{text}' is not a URI such as sip:user@host:5060.");

    /// <summary>The value without quotes; empty for a flag.</summary>
    public bool TryGetParameter(string name, out string value)
    {
        var found = new SipParameters(_parameters).TryGet(Encoding.UTF8.GetBytes(name), out var bytes);
        value = Encoding.UTF8.GetString(bytes);
        return found;
    }

    /// <summary>The address that the host spells, with the port or the scheme's default one; false for a name.</summary>
    public bool TryGetAddress(out TransportAddress address) =>
        SipHostPort.TryGetAddress(Encoding.UTF8.GetBytes(Host), Port != 0 ? Port : UsualPort, out address);

    private int UsualPort =>
        Scheme is SipUriScheme.Sips || "tls".Equals(Transport, StringComparison.OrdinalIgnoreCase) ? DefaultTlsPort : DefaultPort;

    public bool Equals(SipUri? other) => other is not null && Text == other.Text;

    public override int GetHashCode() => Text.GetHashCode(StringComparison.Ordinal);

    public override string ToString() => Text;
}
