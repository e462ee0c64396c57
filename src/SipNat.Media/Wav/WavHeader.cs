using System.Buffers.Binary;

namespace SipNat.Media.Wav;

/// <summary>
/// Everything of a WAVE file that comes before its audio. What is written has one fixed layout, so that a growing
/// file is kept right by writing the header again; what is read may have any chunks in any order.
/// </summary>
/// <remarks>
/// <code>
///  0  "RIFF" size "WAVE"
/// 12  "JUNK" 28     room for the 64-bit sizes: past 4 GiB it becomes "ds64", and "RIFF" becomes "RF64" (EBU Tech 3306)
/// 48  "fmt " 18     tag, channels, rate, bytes per second, block, bits, no extension
/// 74  "fact" 4      samples of one channel, which every format but PCM must state
/// 86  "data" size
/// 94  audio
/// </code>
/// </remarks>
/// <param name="DataOffset">Where the audio begins in the file.</param>
/// <param name="DeclaredLength">Bytes of audio as the header says; 0 or too much where a writer was cut off.</param>
/// <param name="DataLength">Bytes of audio that can be read: whole blocks, and never past the end of the file.</param>
public readonly record struct WavHeader(WavFormat Format, int DataOffset, long DeclaredLength, long DataLength)
{
    /// <summary>Bytes that <see cref="Write"/> fills, and the offset of the first byte of audio.</summary>
    public const int Length = 94;

    /// <summary>How much of a file's beginning a reader has to hand over; audio that begins later is not found.</summary>
    public const int MaxLength = 64 * 1024;

    private const int ChunkHeaderLength = 8;
    private const int RiffHeaderLength = 12;
    private const int Ds64Length = 28;
    private const int FormatLength = 18;
    private const int MinFormatLength = 16;
    private const int ExtensibleLength = 40;
    private const int SubFormatOffset = 24;
    private const int FactLength = 4;

    // What RF64 leaves in a 32-bit size that its ds64 chunk states, and what some writers leave in a file cut off.
    private const uint Unknown32 = uint.MaxValue;

    /// <summary>How long the readable audio plays, in seconds.</summary>
    public double Seconds => Format.SecondsOf(DataLength);

    /// <summary>Writes the first <see cref="Length"/> bytes of a file.</summary>
    /// <param name="dataLength">Bytes of audio, without the zero byte that follows an odd number of them.</param>
    /// <exception cref="ArgumentException"><paramref name="destination"/> is shorter than <see cref="Length"/>.</exception>
    public static void Write(Span<byte> destination, WavFormat format, long dataLength)
    {
        if (destination.Length < Length) throw new ArgumentException($"A header takes {Length} bytes.", nameof(destination));

        ArgumentOutOfRangeException.ThrowIfNegative(dataLength);
        var riffLength = Length - ChunkHeaderLength + dataLength + (dataLength & 1);
        var samples = dataLength / format.BlockAlign;
        var large = riffLength >= Unknown32;

        WriteChunk(destination, large ? "RF64"u8 : "RIFF"u8, Size32(riffLength, large));
        "WAVE"u8.CopyTo(destination[8..]);
        WriteSizes(destination[12..], large, riffLength, dataLength, samples);
        WriteFormat(destination[48..], format);
        WriteChunk(destination[74..], "fact"u8, FactLength);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[82..], Size32(samples, large));
        WriteChunk(destination[86..], "data"u8, Size32(dataLength, large));
    }

    /// <summary>Reads the header of a WAVE file.</summary>
    /// <param name="bytes">The file's beginning: all of it, or at least <see cref="MaxLength"/> bytes.</param>
    /// <param name="fileLength">The length of the whole file, which a size cut off in the header is held against.</param>
    public static bool TryRead(ReadOnlySpan<byte> bytes, long fileLength, out WavHeader header, out WavDefect defect) =>
        TryRead(bytes, fileLength, IsKnown, out header, out defect);

    /// <summary>The same of a whole file that anybody may have made, in more formats: integers and floating point.</summary>
    internal static bool TryReadClip(ReadOnlySpan<byte> file, out WavHeader header, out WavDefect defect) =>
        TryRead(file, file.Length, IsClip, out header, out defect);

    private static bool TryRead(
        ReadOnlySpan<byte> bytes, long fileLength, Func<WavFormatTag, int, bool> isKnown, out WavHeader header, out WavDefect defect)
    {
        header = default;
        if (bytes.Length > fileLength) bytes = bytes[..(int)Math.Max(fileLength, 0)];
        if (bytes.Length < RiffHeaderLength) return Fail(WavDefect.TooShort, out defect);
        if (!IsRiff(bytes)) return Fail(WavDefect.NotWave, out defect);

        var format = default(WavFormat?);
        var largeLength = default(long?);
        var offset = (long)RiffHeaderLength;
        while (offset + ChunkHeaderLength <= bytes.Length)
        {
            var chunk = bytes[(int)offset..];
            var size = BinaryPrimitives.ReadUInt32LittleEndian(chunk[4..]);
            var body = chunk[ChunkHeaderLength..];
            if (chunk.StartsWith("data"u8))
            {
                var declared = size == Unknown32 ? largeLength ?? size : size;
                return TryFinish(format, (int)offset + ChunkHeaderLength, declared, fileLength, out header, out defect);
            }

            if (chunk.StartsWith("fmt "u8) && !TryReadFormat(body, size, isKnown, out format, out defect)) return false;
            if (chunk.StartsWith("ds64"u8) && size >= Ds64Length && body.Length >= Ds64Length)
            {
                largeLength = BinaryPrimitives.ReadInt64LittleEndian(body[8..]);
            }

            offset += ChunkHeaderLength + (long)size + (size & 1);
        }

        return Fail(WavDefect.NoData, out defect);
    }

    private static bool TryFinish(WavFormat? format, int dataOffset, long declared, long fileLength, out WavHeader header, out WavDefect defect)
    {
        header = default;
        if (format is not { } known) return Fail(WavDefect.NoFormat, out defect);

        // A size of nothing, or of more than there is, was left by a writer that was cut off: all that follows is audio.
        var present = fileLength - dataOffset;
        var length = declared <= 0 || declared > present ? present : declared;
        header = new WavHeader(known, dataOffset, declared, length - (length % known.BlockAlign));
        defect = WavDefect.None;
        return true;
    }

    private static bool TryReadFormat(
        ReadOnlySpan<byte> body, uint size, Func<WavFormatTag, int, bool> isKnown, out WavFormat? format, out WavDefect defect)
    {
        format = null;
        if (size < MinFormatLength || body.Length < MinFormatLength) return Fail(WavDefect.BadFormat, out defect);

        var tag = (WavFormatTag)BinaryPrimitives.ReadUInt16LittleEndian(body);
        var channels = BinaryPrimitives.ReadUInt16LittleEndian(body[2..]);
        var rate = BinaryPrimitives.ReadUInt32LittleEndian(body[4..]);
        var bits = BinaryPrimitives.ReadUInt16LittleEndian(body[14..]);
        if (channels == 0 || rate is 0 or > int.MaxValue) return Fail(WavDefect.BadFormat, out defect);
        if (tag is WavFormatTag.Extensible && size >= ExtensibleLength && body.Length >= ExtensibleLength)
        {
            // The first two bytes of its GUID are the tag.
            tag = (WavFormatTag)BinaryPrimitives.ReadUInt16LittleEndian(body[SubFormatOffset..]);
        }

        if (!isKnown(tag, bits)) return Fail(WavDefect.UnknownFormat, out defect);

        format = new WavFormat(tag, channels, (int)rate, bits);
        defect = WavDefect.None;
        return true;
    }

    private static bool IsRiff(ReadOnlySpan<byte> bytes) =>
        (bytes.StartsWith("RIFF"u8) || bytes.StartsWith("RF64"u8)) && bytes[8..].StartsWith("WAVE"u8);

    private static bool IsKnown(WavFormatTag tag, int bits) => tag switch
    {
        WavFormatTag.Pcm => bits == 16,
        WavFormatTag.ALaw or WavFormatTag.MuLaw => bits == 8,
        _ => false,
    };

    private static bool IsClip(WavFormatTag tag, int bits) => tag switch
    {
        WavFormatTag.Pcm => bits is 8 or 16 or 24 or 32,
        WavFormatTag.Float => bits == 32,
        _ => IsKnown(tag, bits),
    };

    private static bool Fail(WavDefect reason, out WavDefect defect)
    {
        defect = reason;
        return false;
    }

    private static void WriteSizes(Span<byte> chunk, bool large, long riffLength, long dataLength, long samples)
    {
        WriteChunk(chunk, large ? "ds64"u8 : "JUNK"u8, Ds64Length);
        var body = chunk.Slice(ChunkHeaderLength, Ds64Length);
        body.Clear();
        if (!large) return;

        BinaryPrimitives.WriteInt64LittleEndian(body, riffLength);
        BinaryPrimitives.WriteInt64LittleEndian(body[8..], dataLength);
        BinaryPrimitives.WriteInt64LittleEndian(body[16..], samples);
    }

    private static void WriteFormat(Span<byte> chunk, WavFormat format)
    {
        WriteChunk(chunk, "fmt "u8, FormatLength);
        BinaryPrimitives.WriteUInt16LittleEndian(chunk[8..], (ushort)format.Tag);
        BinaryPrimitives.WriteUInt16LittleEndian(chunk[10..], (ushort)format.Channels);
        BinaryPrimitives.WriteUInt32LittleEndian(chunk[12..], (uint)format.SampleRate);
        BinaryPrimitives.WriteUInt32LittleEndian(chunk[16..], (uint)format.BytesPerSecond);
        BinaryPrimitives.WriteUInt16LittleEndian(chunk[20..], (ushort)format.BlockAlign);
        BinaryPrimitives.WriteUInt16LittleEndian(chunk[22..], (ushort)format.BitsPerSample);
        BinaryPrimitives.WriteUInt16LittleEndian(chunk[24..], 0);
    }

    private static void WriteChunk(Span<byte> destination, ReadOnlySpan<byte> name, uint size)
    {
        name.CopyTo(destination);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[4..], size);
    }

    private static uint Size32(long size, bool large) => large ? Unknown32 : (uint)size;
}

/// <summary>Why the beginning of a file is not a WAVE header that can be read.</summary>
public enum WavDefect
{
    None,

    /// <summary>Fewer bytes than a RIFF header has.</summary>
    TooShort,

    /// <summary>Neither RIFF nor RF64, or of another kind than WAVE.</summary>
    NotWave,

    /// <summary>The "fmt " chunk is cut off, or states no channel or no rate.</summary>
    BadFormat,

    /// <summary>Neither 16-bit PCM nor 8-bit A-law or µ-law.</summary>
    UnknownFormat,

    /// <summary>The audio comes before its format.</summary>
    NoFormat,

    /// <summary>No "data" chunk begins within the bytes that were handed over.</summary>
    NoData,
}
