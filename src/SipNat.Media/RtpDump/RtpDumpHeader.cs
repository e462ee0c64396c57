using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using SipNat.Wire;

namespace SipNat.Media.RtpDump;

/// <summary>
/// The beginning of a file of RTP packets in the binary "rtpdump" format of the rtptools, which Wireshark reads
/// as well (4.2 and later).
/// </summary>
/// <remarks>
/// A line of text, such as <c>#!rtpplay1.0 198.51.100.10/10000</c> and a line feed, and then
/// <code>
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                start, seconds since 1970 (UTC)                |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                      start, microseconds                      |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                      source, IPv4 address                     |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |          source, port         |            padding            |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// </code>
/// </remarks>
/// <param name="StartedAt">Arrival of the first packet; the records count from there.</param>
/// <param name="Local">Where the packets arrived: the address and port of the line of text.</param>
/// <param name="Source">Where they came from; an IPv6 address finds no room and is left out.</param>
public readonly record struct RtpDumpHeader(DateTimeOffset StartedAt, TransportAddress Local, TransportAddress Source)
{
    /// <summary>Bytes that any header fits into.</summary>
    public const int MaxLength = 128;

    private const int BinaryLength = 16;
    private const int AddressOffset = 8;
    private const int PortOffset = 12;
    private const byte LineFeed = (byte)'\n';

    private static ReadOnlySpan<byte> Magic => "#!rtpplay1.0 "u8;

    public byte[] ToArray()
    {
        var local = Local.IsNone ? "0.0.0.0/0" : string.Create(CultureInfo.InvariantCulture, $"{Local.AddressText}/{Local.Port}");
        var line = Encoding.ASCII.GetBytes($"{local}\n");
        var bytes = new byte[Magic.Length + line.Length + BinaryLength];
        Magic.CopyTo(bytes);
        line.CopyTo(bytes.AsSpan(Magic.Length));

        var binary = bytes.AsSpan(Magic.Length + line.Length);
        var since = StartedAt - DateTimeOffset.UnixEpoch;
        BinaryPrimitives.WriteUInt32BigEndian(binary, (uint)Math.Clamp(since.Ticks / TimeSpan.TicksPerSecond, 0, uint.MaxValue));
        BinaryPrimitives.WriteUInt32BigEndian(binary[4..], (uint)(Math.Max(since.Ticks, 0) % TimeSpan.TicksPerSecond / TimeSpan.TicksPerMicrosecond));
        if (Source.IsIPv4) Source.WriteOctets(binary[AddressOffset..]);
        BinaryPrimitives.WriteUInt16BigEndian(binary[PortOffset..], Source.Port);
        return bytes;
    }

    /// <summary>How long the header of a file is, whoever wrote it.</summary>
    /// <param name="bytes">The file's beginning: all of it, or at least <see cref="MaxLength"/> bytes.</param>
    public static bool TryReadLength(ReadOnlySpan<byte> bytes, out int length)
    {
        length = 0;
        if (!bytes.StartsWith(Magic)) return false;

        var end = bytes[..Math.Min(bytes.Length, MaxLength)].IndexOf(LineFeed);
        length = end + 1 + BinaryLength;
        return end >= 0 && length <= bytes.Length;
    }
}
