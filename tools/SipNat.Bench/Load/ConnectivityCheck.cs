using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace SipNat.Bench.Load;

/// <summary>Connectivity checks of ICE as the client writes and reads them (RFC 8445 §7, RFC 8489 §5 and §14).</summary>
internal static class ConnectivityCheck
{
    public const int TransactionIdLength = 12;

    private const int HeaderLength = 20;
    private const uint Cookie = 0x2112_A442;
    private const ushort Request = 0x0001;
    private const ushort Success = 0x0101;
    private const ushort Username = 0x0006;
    private const ushort Integrity = 0x0008;
    private const ushort XorMappedAddress = 0x0020;
    private const ushort Priority = 0x0024;
    private const ushort UseCandidate = 0x0025;
    private const ushort Fingerprint = 0x8028;
    private const ushort Controlling = 0x802A;
    private const uint FingerprintMask = 0x5354_554E;
    private const uint PeerReflexivePriority = 1_862_270_975;

    /// <summary>A request of the controlling agent, which nominates.</summary>
    /// <param name="username">The peer's fragment, a colon and our own.</param>
    /// <param name="password">The peer's.</param>
    public static byte[] Build(ReadOnlySpan<byte> transactionId, string username, string password, ulong tieBreaker)
    {
        Span<byte> priority = stackalloc byte[sizeof(uint)];
        Span<byte> tie = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt32BigEndian(priority, PeerReflexivePriority);
        BinaryPrimitives.WriteUInt64BigEndian(tie, tieBreaker);
        var message = Begin(Request, transactionId);
        Add(message, Username, Encoding.UTF8.GetBytes(username));
        Add(message, Priority, priority);
        Add(message, Controlling, tie);
        Add(message, UseCandidate, []);
        return Seal(message, password);
    }

    /// <summary>The answer to a check of the peer.</summary>
    /// <param name="password">Our own.</param>
    public static byte[] Answer(ReadOnlySpan<byte> request, IPEndPoint from, string password)
    {
        var transactionId = request.Slice(8, TransactionIdLength);
        var address = from.Address.GetAddressBytes();
        var value = new byte[4 + address.Length];
        value[1] = (byte)(from.AddressFamily is AddressFamily.InterNetwork ? 1 : 2);
        BinaryPrimitives.WriteUInt16BigEndian(value.AsSpan(2), (ushort)(from.Port ^ (Cookie >> 16)));
        for (var i = 0; i < address.Length; i++) value[4 + i] = (byte)(address[i] ^ request[4 + i]);
        var message = Begin(Success, transactionId);
        Add(message, XorMappedAddress, value);
        return Seal(message, password);
    }

    /// <summary>Whether a datagram is a check.</summary>
    public static bool IsRequest(ReadOnlySpan<byte> datagram) => Is(datagram, Request);

    /// <summary>Whether a datagram is an answer that says yes.</summary>
    public static bool IsSuccess(ReadOnlySpan<byte> datagram) => Is(datagram, Success);

    /// <summary>The transaction of either.</summary>
    public static UInt128 TransactionOf(ReadOnlySpan<byte> datagram) => BinaryPrimitives.ReadUInt128BigEndian(datagram[4..]) & ((UInt128.One << (8 * TransactionIdLength)) - 1);

    private static bool Is(ReadOnlySpan<byte> datagram, ushort type) =>
        datagram.Length >= HeaderLength && BinaryPrimitives.ReadUInt16BigEndian(datagram) == type && BinaryPrimitives.ReadUInt32BigEndian(datagram[4..]) == Cookie;

    private static List<byte> Begin(ushort type, ReadOnlySpan<byte> transactionId)
    {
        Span<byte> header = stackalloc byte[8];
        BinaryPrimitives.WriteUInt16BigEndian(header, type);
        BinaryPrimitives.WriteUInt32BigEndian(header[4..], Cookie);
        return [.. header, .. transactionId];
    }

    private static void Add(List<byte> message, ushort type, ReadOnlySpan<byte> value)
    {
        Span<byte> header = stackalloc byte[4];
        BinaryPrimitives.WriteUInt16BigEndian(header, type);
        BinaryPrimitives.WriteUInt16BigEndian(header[2..], (ushort)value.Length);
        message.AddRange(header);
        message.AddRange(value);
        while (message.Count % 4 != 0) message.Add(0);
    }

    // Both are reckoned over a header whose length has them already.
    private static byte[] Seal(List<byte> message, string password)
    {
        Add(message, Integrity, HMACSHA1.HashData(Encoding.UTF8.GetBytes(password), WithLength(message, 4 + HMACSHA1.HashSizeInBytes)));
        Span<byte> crc = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(crc, Crc32(WithLength(message, 4 + sizeof(uint))) ^ FingerprintMask);
        Add(message, Fingerprint, crc);
        return WithLength(message, 0);
    }

    // ISO 3309, reflected.
    private static uint Crc32(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var b in bytes)
        {
            crc ^= b;
            for (var i = 0; i < 8; i++) crc = (crc >> 1) ^ (0xEDB8_8320 & (0 - (crc & 1)));
        }

        return ~crc;
    }

    private static byte[] WithLength(List<byte> message, int more)
    {
        byte[] bytes = [.. message];
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(2), (ushort)(bytes.Length - HeaderLength + more));
        return bytes;
    }
}
