using System.Buffers.Binary;
using System.Diagnostics;
using SipNat.Media.Codecs;

namespace SipNat.Media.Wav;

/// <summary>
/// Reads a clip from a WAVE file: PCM of 8, 16, 24 or 32 bits, 32-bit floating point, µ-law or A-law, of any usual rate.
/// Several channels are mixed to one.
/// </summary>
public static class WaveClip
{
    /// <summary>Bytes of a file; more is refused. Nine minutes of stereo from a CD.</summary>
    public const int MaxLength = 100 * 1024 * 1024;

    /// <summary>Channels of a file; more are refused.</summary>
    public const int MaxChannels = 8;

    /// <summary>Samples per second; less is refused.</summary>
    public const int MinRate = 4000;

    // 11,025 Hz is a multiple of it.
    private const int RateStep = 25;

    /// <summary>Samples per second; more is refused.</summary>
    public const int MaxRate = 192_000;

    /// <param name="file">All of the file.</param>
    public static bool TryRead(ReadOnlySpan<byte> file, out AudioClip? clip, out ClipDefect defect)
    {
        clip = null;
        defect = Inspect(file, out var header);
        if (defect is not ClipDefect.None) return false;

        var data = file.Slice(header.DataOffset, (int)header.DataLength);
        var format = header.Format;
        var samples = new short[data.Length / format.BlockAlign];
        var bytes = format.BitsPerSample / 8;
        for (var i = 0; i < samples.Length; i++)
        {
            var block = data.Slice(i * format.BlockAlign, format.BlockAlign);
            var sum = 0.0;
            for (var channel = 0; channel < format.Channels; channel++) sum += SampleOf(format, block[(channel * bytes)..]);
            samples[i] = (short)Math.Clamp(Math.Round(sum / format.Channels), short.MinValue, short.MaxValue);
        }

        clip = new(samples, UsableRate(format.SampleRate));
        return true;
    }

    private static ClipDefect Inspect(ReadOnlySpan<byte> file, out WavHeader header)
    {
        header = default;
        if (file.Length > MaxLength) return ClipDefect.TooLong;
        if (!WavHeader.TryReadClip(file, out header, out var defect))
        {
            return defect switch
            {
                WavDefect.TooShort or WavDefect.NotWave => ClipDefect.NotWave,
                WavDefect.UnknownFormat => ClipDefect.UnknownFormat,
                WavDefect.BadFormat or WavDefect.NoFormat => ClipDefect.BadFormat,
                _ => ClipDefect.NoAudio,
            };
        }

        if (header.Format.Channels > MaxChannels) return ClipDefect.TooManyChannels;
        if (header.Format.SampleRate is < MinRate or > MaxRate) return ClipDefect.UnusableRate;
        return header.DataLength == 0 ? ClipDefect.NoAudio : ClipDefect.None;
    }

    // The table of a conversion grows with what two rates do not have in common: of an odd one the nearest is taken.
    private static int UsableRate(int rate) => (rate + (RateStep / 2)) / RateStep * RateStep;

    // At the scale of 16 bits.
    private static double SampleOf(WavFormat format, ReadOnlySpan<byte> bytes) => (format.Tag, format.BitsPerSample) switch
    {
        (WavFormatTag.MuLaw, _) => G711.Decode(AudioCodec.Pcmu, bytes[0]),
        (WavFormatTag.ALaw, _) => G711.Decode(AudioCodec.Pcma, bytes[0]),
        (WavFormatTag.Float, _) => BinaryPrimitives.ReadSingleLittleEndian(bytes) is var value && float.IsFinite(value) ? value * 32768.0 : 0,
        (_, 8) => (bytes[0] - 128) * 256.0,
        (_, 16) => BinaryPrimitives.ReadInt16LittleEndian(bytes),
        (_, 24) => (bytes[0] | (bytes[1] << 8) | ((sbyte)bytes[2] << 16)) / 256.0,
        (_, 32) => BinaryPrimitives.ReadInt32LittleEndian(bytes) / 65536.0,
        _ => throw new UnreachableException(),
    };
}

/// <summary>Why a file cannot be played.</summary>
public enum ClipDefect
{
    None,

    /// <summary>Longer than <see cref="WaveClip.MaxLength"/>.</summary>
    TooLong,

    /// <summary>No WAVE file.</summary>
    NotWave,

    /// <summary>The header says no format, or none that can be.</summary>
    BadFormat,

    /// <summary>Compressed, or samples of a size that is not read.</summary>
    UnknownFormat,

    /// <summary>More than <see cref="WaveClip.MaxChannels"/>.</summary>
    TooManyChannels,

    /// <summary>A rate below <see cref="WaveClip.MinRate"/> or above <see cref="WaveClip.MaxRate"/>.</summary>
    UnusableRate,

    /// <summary>Nothing to be heard in it.</summary>
    NoAudio,
}

public static class ClipDefectText
{
    /// <summary>What is wrong with the file, for the one who named it.</summary>
    public static string Explain(this ClipDefect defect) => defect switch
    {
        ClipDefect.TooLong => $"it is longer than {WaveClip.MaxLength / 1024 / 1024} MiB",
        ClipDefect.NotWave => "it is no WAVE file",
        ClipDefect.BadFormat => "its header is damaged",
        ClipDefect.UnknownFormat => "its format is not read: PCM of 8, 16, 24 or 32 bits, 32-bit float, A-law and µ-law are",
        ClipDefect.TooManyChannels => $"it has more than {WaveClip.MaxChannels} channels",
        ClipDefect.UnusableRate => $"its sample rate is not from {WaveClip.MinRate} to {WaveClip.MaxRate} Hz",
        ClipDefect.NoAudio => "there is no audio in it",
        _ => throw new UnreachableException(),
    };
}
