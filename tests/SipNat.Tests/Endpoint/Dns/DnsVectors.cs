using System.Buffers.Binary;
using System.Text;
using SipNat.Endpoint.Dns;

namespace SipNat.Tests.Endpoint.Dns;

/// <summary>Responses written by hand from RFC 1035, apart from the code under test: no compression unless a test puts it in.</summary>
internal static class DnsVectors
{
    /// <summary>A response to a query that was sent: its id and its question, and these records.</summary>
    public static byte[] Answer(ReadOnlySpan<byte> query, int code, bool isTruncated, byte[][] answers, byte[][]? authorities = null)
    {
        authorities ??= [];
        var flags = 0x8180 | code | (isTruncated ? 0x0200 : 0);
        return
        [
            query[0], query[1], (byte)(flags >> 8), (byte)flags, 0, 1, 0, (byte)answers.Length, 0, (byte)authorities.Length, 0, 0,
            .. query[12..], .. answers.SelectMany(static record => record), .. authorities.SelectMany(static record => record),
        ];
    }

    public static byte[] Name(string name) =>
        [.. name.Split('.', StringSplitOptions.RemoveEmptyEntries).SelectMany(static label => (byte[])[(byte)label.Length, .. Encoding.ASCII.GetBytes(label)]), 0];

    public static byte[] Record(string owner, DnsType type, uint ttl, params byte[] data)
    {
        var head = new byte[10];
        BinaryPrimitives.WriteUInt16BigEndian(head, (ushort)type);
        BinaryPrimitives.WriteUInt16BigEndian(head.AsSpan(2), 1);
        BinaryPrimitives.WriteUInt32BigEndian(head.AsSpan(4), ttl);
        BinaryPrimitives.WriteUInt16BigEndian(head.AsSpan(8), (ushort)data.Length);
        return [.. Name(owner), .. head, .. data];
    }

    public static byte[] A(string owner, string address, uint ttl = 300) => Record(owner, DnsType.A, ttl, System.Net.IPAddress.Parse(address).GetAddressBytes());

    public static byte[] Aaaa(string owner, string address, uint ttl = 300) => Record(owner, DnsType.Aaaa, ttl, System.Net.IPAddress.Parse(address).GetAddressBytes());

    public static byte[] Cname(string owner, string canonical, uint ttl = 300) => Record(owner, DnsType.Cname, ttl, Name(canonical));

    public static byte[] Srv(string owner, int priority, int weight, int port, string target, uint ttl = 300) =>
        Record(owner, DnsType.Srv, ttl, [(byte)(priority >> 8), (byte)priority, (byte)(weight >> 8), (byte)weight, (byte)(port >> 8), (byte)port, .. Name(target)]);

    public static byte[] Naptr(string owner, int order, int preference, string flags, string services, string replacement) =>
        Record(owner, DnsType.Naptr, 300, [0, (byte)order, 0, (byte)preference, .. Text(flags), .. Text(services), 0, .. Name(replacement)]);

    /// <summary>An SOA whose own lifetime and minimum are given in seconds.</summary>
    public static byte[] Soa(string owner, uint ttl, byte minimum) =>
        Record(owner, DnsType.Soa, ttl, [.. Name("ns.example"), .. Name("root.example"), .. new byte[19], minimum]);

    private static byte[] Text(string text) => [(byte)text.Length, .. Encoding.ASCII.GetBytes(text)];
}
