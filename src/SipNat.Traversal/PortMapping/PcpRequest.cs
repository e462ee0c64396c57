using System.Buffers.Binary;
using SipNat.Wire;

namespace SipNat.Traversal.PortMapping;

/// <summary>Writes the requests of PCP (RFC 6887 §7.1, §11.1, §14.1).</summary>
internal static class PcpRequest
{
    public const byte Version = 2;

    /// <summary>Asks nothing but whether the server is there and what its epoch is.</summary>
    public static byte[] Announce(TransportAddress client)
    {
        var request = new byte[PcpResponse.HeaderLength];
        WriteHeader(request, PcpOpcode.Announce, TimeSpan.Zero, client);
        return request;
    }

    /// <summary>Asks for a mapping, or, with a lifetime of zero, for its end.</summary>
    /// <param name="suggested">The external address and port that would be liked; none for any.</param>
    public static byte[] Map(InternalPort port, PcpNonce nonce, TransportAddress suggested, TimeSpan lifetime)
    {
        var request = new byte[PcpResponse.MapLength];
        WriteHeader(request, PcpOpcode.Map, lifetime, port.Local);
        var map = request.AsSpan(PcpResponse.HeaderLength);
        nonce.Write(map);
        map[12] = port.Protocol;
        BinaryPrimitives.WriteUInt16BigEndian(map[16..], port.Local.Port);
        BinaryPrimitives.WriteUInt16BigEndian(map[18..], suggested.Port);
        // "Any" is the all-zeros address of the family that is wanted (RFC 6887 §11.1).
        WriteAddress(map[20..], suggested.IsNone ? Any(port.Local) : suggested);
        return request;
    }

    private static void WriteHeader(Span<byte> request, PcpOpcode opcode, TimeSpan lifetime, TransportAddress client)
    {
        request[0] = Version;
        request[1] = (byte)opcode;
        BinaryPrimitives.WriteUInt32BigEndian(request[4..], (uint)lifetime.TotalSeconds);
        WriteAddress(request[8..], client);
    }

    // IPv4 goes as an IPv4-mapped IPv6 address (RFC 6887 §5).
    private static void WriteAddress(Span<byte> destination, TransportAddress address)
    {
        if (address.IsIPv4)
        {
            destination[..10].Clear();
            destination[10..12].Fill(0xFF);
            address.WriteOctets(destination[12..]);
        }
        else
        {
            address.WriteOctets(destination);
        }
    }

    private static TransportAddress Any(TransportAddress local) => new(stackalloc byte[local.AddressLength], 0);
}
