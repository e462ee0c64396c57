using Microsoft.Win32.SafeHandles;
using SipNat.Media.Rtp;
using SipNat.Media.RtpDump;

namespace SipNat.Archive.Audio;

/// <summary>Reading files of kept packets, and mending those whose writer was cut off.</summary>
internal static class PacketFile
{
    /// <summary>How the name of such a file ends.</summary>
    public const string Extension = ".rtpdump";

    private const int BlockLength = 256 * 1024;

    public static bool IsNamed(string file) => file.EndsWith(Extension, StringComparison.Ordinal);

    /// <summary>Walks over all records. Null where the file does not begin as such a file does.</summary>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static PacketFileContent? Measure(string path)
    {
        using var handle = WavFile.OpenRead(path);
        return Measure(handle);
    }

    /// <summary>
    /// Cuts off the half of a record, or of a header, that a killed writer has left, and measures what is whole. Null for a
    /// file of another kind, which is left as it is.
    /// </summary>
    public static PacketFileContent? Repair(string path)
    {
        using var handle = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.Read);
        var content = Measure(handle);
        if (content is null && RandomAccess.GetLength(handle) < RtpDumpHeader.MaxLength)
        {
            RandomAccess.SetLength(handle, 0);
            RandomAccess.Write(handle, new RtpDumpHeader(new DateTimeOffset(File.GetLastWriteTimeUtc(path)), default, default).ToArray(), 0);
            content = Measure(handle);
        }

        if (content is null || content.WholeLength == content.Length) return content;

        RandomAccess.SetLength(handle, content.WholeLength);
        RandomAccess.FlushToDisk(handle);
        return content with { Length = content.WholeLength };
    }

    private static PacketFileContent? Measure(SafeFileHandle handle)
    {
        var length = RandomAccess.GetLength(handle);
        var block = new byte[BlockLength];
        var filled = WavFile.Fill(handle, block);
        if (!RtpDumpHeader.TryReadLength(block.AsSpan(0, filled), out var header)) return null;

        var coverage = new PacketCoverage();
        var whole = (long)header;
        var payloadType = default(int?);
        for (var rest = block.AsSpan(header, filled - header); !rest.IsEmpty; rest = block.AsSpan(0, filled))
        {
            var before = whole;
            for (; RtpDumpRecord.TryRead(rest, out var record); rest = rest[record.Length..])
            {
                whole += record.Length;
                if (RtpPacket.TryRead(record.Packet, out var packet, out _))
                {
                    coverage.Add(record.Milliseconds, packet.Ssrc, packet.SequenceNumber);
                    payloadType ??= packet.PayloadType;
                }
            }

            if (whole == before) break;

            filled = WavFile.Fill(handle, block, whole);
        }

        return new PacketFileContent(whole, length, coverage, payloadType);
    }
}

/// <summary>What a file of kept packets has.</summary>
/// <param name="WholeLength">Bytes up to the end of the last whole record.</param>
/// <param name="Length">Bytes of the file.</param>
/// <param name="PayloadType">Of the first packet; null where there is none.</param>
internal sealed record PacketFileContent(long WholeLength, long Length, PacketCoverage Packets, int? PayloadType);
