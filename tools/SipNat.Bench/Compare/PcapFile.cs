using System.Buffers.Binary;

namespace SipNat.Bench.Compare;

/// <summary>Counts what a capture has, by its headers (draft-ietf-opsawg-pcap).</summary>
public static class PcapFile
{
    private const int FileHeader = 24;
    private const int RecordHeader = 16;
    private const int BufferLength = 1 << 20;
    private const uint Microseconds = 0xA1B2C3D4;
    private const uint Nanoseconds = 0xA1B23C4D;

    /// <summary>Whole packets in it.</summary>
    /// <exception cref="InvalidDataException">It is no capture.</exception>
    public static long CountPackets(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, BufferLength);
        Span<byte> header = stackalloc byte[FileHeader];
        if (file.ReadAtLeast(header, FileHeader, throwOnEndOfStream: false) < FileHeader) return 0;

        var isLittle = BinaryPrimitives.ReadUInt32LittleEndian(header) is Microseconds or Nanoseconds;
        if (!isLittle && BinaryPrimitives.ReadUInt32BigEndian(header) is not (Microseconds or Nanoseconds)) throw new InvalidDataException($"{path} is no capture.");

        var (packets, length) = (0L, file.Length);
        var record = header[..RecordHeader];
        while (file.ReadAtLeast(record, RecordHeader, throwOnEndOfStream: false) == RecordHeader)
        {
            var captured = isLittle ? BinaryPrimitives.ReadUInt32LittleEndian(record[8..]) : BinaryPrimitives.ReadUInt32BigEndian(record[8..]);
            if (file.Position + captured > length) break;

            file.Seek(captured, SeekOrigin.Current);
            packets++;
        }

        return packets;
    }
}
