using System.Buffers.Binary;
using SipNat.Fuzz.Engine;
using SipNat.Media.Wav;

namespace SipNat.Fuzz.Targets;

/// <summary>A file that is to be played in calls, and what comes out of it at another rate.</summary>
internal sealed class ClipTarget : IFuzzTarget
{
    private const int Rate = 8000;
    private const int MaxBlocks = 200;

    public string Name => "clip";

    public string Promise => "a file is refused with a reason, or has a usable rate and no more samples than bytes, and is played to its end";

    public int MaxLength => 8192;

    public IReadOnlyList<byte[]> Tokens { get; } =
        [.. Mutator.Words("RIFF", "RF64", "WAVE", "fmt ", "fact", "data", "ds64"), [1, 0, 1, 0], [3, 0, 1, 0], [0xFE, 0xFF, 2, 0], [24, 0], [32, 0], [8, 0], [0xFF, 0xFF, 0xFF, 0xFF]];

    public IEnumerable<byte[]> Seeds(Corpus corpus)
    {
        foreach (var (tag, channels, bits) in ((WavFormatTag, int, int)[])[(WavFormatTag.Pcm, 1, 16), (WavFormatTag.Pcm, 2, 24), (WavFormatTag.Pcm, 1, 8), (WavFormatTag.Float, 2, 32), (WavFormatTag.MuLaw, 1, 8)])
        {
            var format = new WavFormat(tag, channels, 44_100, bits);
            var file = new byte[WavHeader.Length + (60 * format.BlockAlign)];
            WavHeader.Write(file, format, 60 * format.BlockAlign);
            for (var i = WavHeader.Length; i < file.Length; i++) file[i] = (byte)(i * 37);
            yield return file;
        }

        var extensible = new byte[12 + 8 + 40 + 8 + 6];
        "RIFF"u8.CopyTo(extensible);
        "WAVEfmt "u8.CopyTo(extensible.AsSpan(8));
        BinaryPrimitives.WriteInt32LittleEndian(extensible.AsSpan(16), 40);
        ((ReadOnlySpan<byte>)[0xFE, 0xFF, 1, 0, 0x80, 0xBB, 0, 0, 0, 0, 0, 0, 3, 0, 24, 0, 22, 0, 24, 0, 4, 0, 0, 0, 1, 0]).CopyTo(extensible.AsSpan(20));
        "data"u8.CopyTo(extensible.AsSpan(60));
        extensible[64] = 6;
        yield return extensible;
    }

    // Two bytes a sample, and the table of a conversion of the worst ratio.
    public long AllowedBytes(int inputLength) => 128L * 1024 * 1024;

    public int Run(ReadOnlySpan<byte> input)
    {
        if (!WaveClip.TryRead(input, out var clip, out var defect))
        {
            Invariant.Holds(defect is not ClipDefect.None && defect.Explain().Length > 0, "a refusal has a reason");
            return (int)defect;
        }

        Invariant.Holds(clip!.SampleRate is >= WaveClip.MinRate and <= WaveClip.MaxRate, "the rate is usable");
        Invariant.Holds(clip.Samples.Length > 0 && clip.Samples.Length <= input.Length, "no more samples than bytes");

        var reader = new ClipReader(clip, Rate, loops: false);
        var block = new short[Rate / 50];
        var blocks = 0;
        for (; blocks < MaxBlocks && !reader.IsAtEnd; blocks++) reader.Fill(block);
        Invariant.Holds(reader.IsAtEnd || blocks == MaxBlocks, "a clip ends");
        return -1;
    }
}
