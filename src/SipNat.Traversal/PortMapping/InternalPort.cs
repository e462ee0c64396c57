using SipNat.Wire;

namespace SipNat.Traversal.PortMapping;

/// <summary>A port of this machine that shall be reached from outside of its router.</summary>
/// <param name="Transport">UDP, or TCP for everything that runs over it; use <see cref="Of"/> where it may be another.</param>
/// <param name="Local">The concrete internal address, never a wildcard, with its port (1–65535).</param>
public readonly record struct InternalPort(TransportProtocol Transport, TransportAddress Local)
{
    /// <summary>The protocol number of IANA, as PCP has it: 17 for UDP, 6 for TCP.</summary>
    public byte Protocol => Transport is TransportProtocol.Udp ? (byte)17 : (byte)6;

    /// <summary>The port of a flow of any transport: TLS and WebSocket are TCP to a router.</summary>
    public static InternalPort Of(TransportProtocol transport, TransportAddress local) =>
        new(transport.IsReliable ? TransportProtocol.Tcp : TransportProtocol.Udp, local);

    /// <summary><c>udp 192.168.1.100:5060</c>.</summary>
    public override string ToString() => $"{(Transport is TransportProtocol.Udp ? "udp" : "tcp")} {Local}";
}
