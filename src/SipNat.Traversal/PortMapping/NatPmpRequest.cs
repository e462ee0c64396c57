using System.Buffers.Binary;
using SipNat.Wire;

namespace SipNat.Traversal.PortMapping;

/// <summary>Writes the requests of NAT-PMP (RFC 6886 §3.2, §3.3, §3.4).</summary>
internal static class NatPmpRequest
{
    public const byte Version = 0;

    public static byte[] ExternalAddress() => [Version, (byte)NatPmpOpcode.ExternalAddress];

    /// <summary>Asks for a mapping, or, with a lifetime of zero, for its end.</summary>
    /// <param name="suggested">The external port that would be liked; 0 for any.</param>
    public static byte[] Map(InternalPort port, ushort suggested, TimeSpan lifetime)
    {
        var request = new byte[12];
        request[1] = (byte)OpcodeOf(port);
        BinaryPrimitives.WriteUInt16BigEndian(request.AsSpan(4), port.Local.Port);
        BinaryPrimitives.WriteUInt16BigEndian(request.AsSpan(6), suggested);
        BinaryPrimitives.WriteUInt32BigEndian(request.AsSpan(8), (uint)lifetime.TotalSeconds);
        return request;
    }

    public static NatPmpOpcode OpcodeOf(InternalPort port) =>
        port.Transport is TransportProtocol.Udp ? NatPmpOpcode.MapUdp : NatPmpOpcode.MapTcp;
}
