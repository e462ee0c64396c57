using System.Diagnostics;
using SipNat.Wire;

namespace SipNat.Endpoint.Sessions;

/// <summary>What the URI of a Contact says of the way to it.</summary>
internal static class ContactText
{
    extension(TransportProtocol transport)
    {
        /// <summary>The <c>transport</c> parameter of a <c>sip</c> URI with its semicolon; WebSocket with TLS has no other than the one without (RFC 7118 §5.2.1).</summary>
        public string UriParameter => transport switch
        {
            TransportProtocol.Udp => "",
            TransportProtocol.Tcp => ";transport=tcp",
            TransportProtocol.Tls => ";transport=tls",
            TransportProtocol.Ws or TransportProtocol.Wss => ";transport=ws",
            _ => throw new UnreachableException(),
        };
    }
}
