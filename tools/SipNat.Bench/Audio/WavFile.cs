using System.Buffers.Binary;

namespace SipNat.Bench.Audio;

/// <summary>A RIFF/WAVE file read whole: its format and its sample bytes as they stand in the data chunk.</summary>
public sealed record WavFile(WavFormat Format, int Channels, int SampleRate, ReadOnlyMemory<byte> Data)
{
    private const int ChunkHeaderLength = 8;
    private const int RiffHeaderLength = 12;
    private const int ShortestFormatChunk = 16;

    /// <summary>Whole sample frames in the data chunk.</summary>
    public int Frames => Data.Length / (Channels * BytesPerSample);

    private int BytesPerSample => Format is WavFormat.Pcm16 ? 2 : 1;

    /// <exception cref="InvalidDataException">The file is not a WAV file of a format this tool knows.</exception>
    public static WavFile Read(string path) =>
        TryParse(File.ReadAllBytes(path), out var wav, out var problem)
            ? wav!
            : throw new InvalidDataException($"{path}: {problem}");

    /// <summary>One channel as companded bytes, or as 16-bit values, each widened to an <see cref="int"/>.</summary>
    public int[] Channel(int channel)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(channel, Channels);
        var values = new int[Frames];
        var data = Data.Span;
        for (var frame = 0; frame < values.Length; frame++)
        {
            var at = ((frame * Channels) + channel) * BytesPerSample;
            values[frame] = Format is WavFormat.Pcm16 ? BinaryPrimitives.ReadInt16LittleEndian(data[at..]) : data[at];
        }

        return values;
    }

    /// <summary>Walks the chunks; a data chunk that claims more than the file has is cut to what is there.</summary>
    public static bool TryParse(ReadOnlyMemory<byte> file, out WavFile? wav, out string problem)
    {
        wav = null;
        var bytes = file.Span;
        if (bytes.Length < RiffHeaderLength || !bytes.StartsWith("RIFF"u8) || !bytes[8..].StartsWith("WAVE"u8))
        {
            problem = "not a RIFF/WAVE file.";
            return false;
        }

        (WavFormat Format, int Channels, int Rate)? format = null;
        for (var at = RiffHeaderLength; at + ChunkHeaderLength <= bytes.Length;)
        {
            var id = bytes.Slice(at, 4);
            var length = (int)Math.Min(BinaryPrimitives.ReadUInt32LittleEndian(bytes[(at + 4)..]), (uint)(bytes.Length - at - ChunkHeaderLength));
            var content = bytes.Slice(at + ChunkHeaderLength, length);
            if (id.SequenceEqual("fmt "u8) && !TryReadFormat(content, out format, out problem)) return false;
            if (id.SequenceEqual("data"u8) && format is var (kind, channels, rate))
            {
                wav = new WavFile(kind, channels, rate, file.Slice(at + ChunkHeaderLength, length));
                problem = "";
                return true;
            }

            at += ChunkHeaderLength + length + (length & 1);
        }

        problem = format is null ? "no fmt chunk." : "no data chunk.";
        return false;
    }

    private static bool TryReadFormat(ReadOnlySpan<byte> chunk, out (WavFormat, int, int)? format, out string problem)
    {
        format = null;
        problem = "the fmt chunk is too short.";
        if (chunk.Length < ShortestFormatChunk) return false;

        var tag = BinaryPrimitives.ReadUInt16LittleEndian(chunk);
        var channels = BinaryPrimitives.ReadUInt16LittleEndian(chunk[2..]);
        var rate = BinaryPrimitives.ReadInt32LittleEndian(chunk[4..]);
        var bits = BinaryPrimitives.ReadUInt16LittleEndian(chunk[14..]);
        problem = $"format tag {tag} with {bits} bits and {channels} channels; wanted 16-bit PCM (1), A-law (6) or µ-law (7). Convert it with: sox IN.wav -r 8000 -c 1 -b 16 OUT.wav";
        if (channels == 0 || bits != (tag == (int)WavFormat.Pcm16 ? 16 : 8) || !Enum.IsDefined((WavFormat)tag)) return false;

        format = ((WavFormat)tag, channels, rate);
        return true;
    }
}

/// <summary>Format tags of the WAVE registry (RFC 2361).</summary>
public enum WavFormat
{
    Pcm16 = 1,
    ALaw = 6,
    MuLaw = 7,
}
