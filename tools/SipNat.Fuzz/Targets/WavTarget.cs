using System.Buffers.Binary;
using SipNat.Fuzz.Engine;
using SipNat.Media.Codecs;
using SipNat.Media.Wav;

namespace SipNat.Fuzz.Targets;

/// <summary>The beginning of a WAVE file: eight bytes with the length of the whole, then what was read of it.</summary>
internal sealed class WavTarget : IFuzzTarget
{
    public string Name => "wav";

    public string Promise => "audio lies within the file in whole blocks; what is read is written so that it reads back equal";

    public int MaxLength => WavHeader.MaxLength + 64;

    public IReadOnlyList<byte[]> Tokens { get; } =
        [.. Mutator.Words("RIFF", "RF64", "WAVE", "fmt ", "fact", "data", "ds64", "JUNK", "LIST"), [0x12, 0, 0, 0], [6, 0, 1, 0], [7, 0, 1, 0], [1, 0, 2, 0], [0xFF, 0xFF, 0xFF, 0xFF], [16, 0], [8, 0]];

    public IEnumerable<byte[]> Seeds(Corpus corpus)
    {
        foreach (var (format, length) in ((WavFormat, long)[])[(WavFormat.Of(AudioCodec.Pcmu), 1601), (WavFormat.Of(AudioCodec.Pcma), 5_000_000_000), (WavFormat.Pcm16(2, 48000), 400)])
        {
            var file = new byte[8 + WavHeader.Length];
            BinaryPrimitives.WriteInt64LittleEndian(file, WavHeader.Length + length);
            WavHeader.Write(file.AsSpan(8), format, length);
            yield return file;
        }
    }

    public long AllowedBytes(int inputLength) => 16 * 1024;

    public int Run(ReadOnlySpan<byte> input)
    {
        if (input.Length < 8) return -1;

        var stated = BinaryPrimitives.ReadInt64LittleEndian(input);
        var bytes = input[8..];
        _ = WavHeader.TryRead(bytes, stated, out _, out _);

        var length = Math.Max(stated & long.MaxValue, bytes.Length);
        if (!WavHeader.TryRead(bytes, length, out var header, out var defect))
        {
            Invariant.Holds(defect is not WavDefect.None, "What cannot be read has a defect.");
            return (int)defect;
        }

        Invariant.Holds(header.DataOffset > 0 && header.DataOffset <= bytes.Length, "Audio begins within what was handed over.");
        Invariant.Holds(header.DataLength >= 0 && header.DataOffset + header.DataLength <= length, "Audio lies within the file.", header.ToString());
        Invariant.Holds(header.DataLength % header.Format.BlockAlign == 0, "Audio is whole blocks.");
        Invariant.Holds(header.Seconds >= 0, "Audio takes time.");
        CheckRoundTrip(header);
        return HashCode.Combine(header.Format.Tag, header.Format.Channels > 1, header.DeclaredLength == header.DataLength, header.DataOffset == WavHeader.Length);
    }

    private static void CheckRoundTrip(WavHeader header)
    {
        const long longest = long.MaxValue / 2;
        if (header.DataLength is 0 or > longest) return;

        Span<byte> written = stackalloc byte[WavHeader.Length];
        WavHeader.Write(written, header.Format, header.DataLength);
        var isRead = WavHeader.TryRead(written, WavHeader.Length + header.DataLength, out var again, out _);
        Invariant.Holds(
            isRead && again.Format == header.Format && again.DataLength == header.DataLength && again.DataOffset == WavHeader.Length,
            "A header is read as it is written.",
            $"{header}, {again}");
    }
}
