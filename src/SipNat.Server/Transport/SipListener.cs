using SipNat.Wire;

namespace SipNat.Server.Transport;

/// <summary>A transport and an address to listen on; 0.0.0.0 and [::] stand for every address of their family.</summary>
public sealed record SipListener(TransportProtocol Transport, TransportAddress Address)
{
    /// <summary>As it is configured: <c>udp://192.0.2.1:5060</c>.</summary>
    public override string ToString() => $"{Transport.ToString().ToLowerInvariant()}://{Address}";
}
