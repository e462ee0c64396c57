using System.Diagnostics;
using SipNat.Sip.Messages;
using SipNat.Wire;

namespace SipNat.Endpoint.Sessions;

/// <summary>The URI of a Contact of ours.</summary>
internal static class ContactText
{
    /// <param name="user">Empty for none.</param>
    /// <param name="isSecured">Whether it has to be a <c>sips</c> URI; its own transport is TLS without saying so (RFC 5630 §3.1.4).</param>
    public static string UriOf(string user, TransportAddress address, TransportProtocol transport, bool isSecured)
    {
        var userinfo = user.Length > 0 ? $"{user}@" : "";
        return isSecured
            ? $"sips:{userinfo}{address}{(transport is TransportProtocol.Wss ? ";transport=ws" : "")}"
            : $"sip:{userinfo}{address}{ParameterOf(transport)}";
    }

    /// <summary>
    /// Whether our Contact in the dialog of an INVITE has to be a <c>sips</c> URI: its Request-URI is one, or the first hop
    /// back, or where there is none the peer's Contact (RFC 3261 §12.1.1).
    /// </summary>
    public static bool WantsSecured(StoredSipMessage invite) =>
        invite.RequestUri.StartsWith("sips:", StringComparison.OrdinalIgnoreCase) || IsSecured(invite.Uri(SipHeader.RecordRoute) ?? invite.Uri(SipHeader.Contact));

    public static bool IsSecured(SipUri? uri) => uri?.Scheme is SipUriScheme.Sips;

    // WebSocket with TLS has no parameter other than the one without (RFC 7118 §5.2.1).
    private static string ParameterOf(TransportProtocol transport) => transport switch
    {
        TransportProtocol.Udp => "",
        TransportProtocol.Tcp => ";transport=tcp",
        TransportProtocol.Tls => ";transport=tls",
        TransportProtocol.Ws or TransportProtocol.Wss => ";transport=ws",
        _ => throw new UnreachableException(),
    };
}
