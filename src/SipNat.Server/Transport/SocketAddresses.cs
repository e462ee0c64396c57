using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using SipNat.Wire;

namespace SipNat.Server.Transport;

/// <summary>Between the kernel's socket address and <see cref="TransportAddress"/>, without allocation.</summary>
/// <remarks>
/// sockaddr_in holds the port at 2 and the address at 4; sockaddr_in6 the port at 2, the flow label at 4, the address
/// at 8 and the scope at 24. The layout from offset 2 on is the same on Linux, macOS and Windows.
/// </remarks>
public static class SocketAddresses
{
    private const int PortOffset = 2;
    private const int IPv4Offset = 4;
    private const int IPv6Offset = 8;
    private const int IPv6Size = 28;

    extension(SocketAddress source)
    {
        /// <summary>The address that the kernel filled in; none for a family that is neither IPv4 nor IPv6.</summary>
        public TransportAddress ToTransportAddress()
        {
            var bytes = source.Buffer.Span;
            var port = BinaryPrimitives.ReadUInt16BigEndian(bytes[PortOffset..]);
            return source.Family switch
            {
                AddressFamily.InterNetwork => new(bytes.Slice(IPv4Offset, 4), port),
                AddressFamily.InterNetworkV6 => new(bytes.Slice(IPv6Offset, 16), port),
                _ => default,
            };
        }
    }

    extension(TransportAddress address)
    {
        /// <summary>Fills in a socket address of the same family; false where the families differ.</summary>
        public bool TryCopyTo(SocketAddress destination)
        {
            if (address.Family != destination.Family) return false;

            var bytes = destination.Buffer.Span;
            BinaryPrimitives.WriteUInt16BigEndian(bytes[PortOffset..], address.Port);
            if (address.IsIPv6) bytes[IPv4Offset..IPv6Size].Clear();
            address.WriteOctets(bytes[(address.IsIPv4 ? IPv4Offset : IPv6Offset)..]);
            return true;
        }
    }
}
