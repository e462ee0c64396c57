using Microsoft.Win32.SafeHandles;
using SipNat.Media.Codecs;
using SipNat.Media.Wav;

namespace SipNat.Archive.Audio;

/// <summary>Reading audio files, and mending those whose writer was cut off.</summary>
internal static class WavFile
{
    private const int FirstRead = 512;

    /// <summary>Opens a file that may be growing at this moment.</summary>
    public static SafeFileHandle OpenRead(string path) =>
        File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);

    public static bool TryRead(SafeFileHandle handle, out WavHeader header, out WavDefect defect)
    {
        var length = RandomAccess.GetLength(handle);

        // Nearly every header is short; only a foreign one with long chunks before its audio needs the full room.
        var bytes = new byte[FirstRead];
        if (WavHeader.TryRead(bytes.AsSpan(0, Fill(handle, bytes)), length, out header, out defect)) return true;
        if (defect is not WavDefect.NoData || length <= FirstRead) return false;

        bytes = new byte[WavHeader.MaxLength];
        return WavHeader.TryRead(bytes.AsSpan(0, Fill(handle, bytes)), length, out header, out defect);
    }

    /// <summary>Makes the header of a file of <see cref="AudioFileWriter"/> state what the file has.</summary>
    /// <returns>The header as it is afterwards.</returns>
    public static WavHeader Repair(string path, AudioCodec codec)
    {
        using var handle = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.Read);
        var readable = TryRead(handle, out var header, out _);
        if (readable && header.DataOffset != WavHeader.Length) return header;

        var format = readable ? header.Format : WavFormat.Of(codec);
        var length = Math.Max(RandomAccess.GetLength(handle) - WavHeader.Length, 0);

        // One byte more than an odd number stands there when the file was closed before: it is no audio.
        if (readable && (header.DeclaredLength & 1) != 0 && header.DeclaredLength + 1 == length) length--;

        var bytes = new byte[WavHeader.Length];
        WavHeader.Write(bytes, format, length);
        RandomAccess.Write(handle, bytes, 0);
        if ((length & 1) != 0) RandomAccess.Write(handle, [0], WavHeader.Length + length);
        RandomAccess.FlushToDisk(handle);
        return new WavHeader(format, WavHeader.Length, length, length - (length % format.BlockAlign));
    }

    /// <summary>Why a file is not an audio file, as the end of a sentence.</summary>
    public static string Explain(this WavDefect defect) => defect switch
    {
        WavDefect.TooShort => "it is too short for a WAVE header",
        WavDefect.NotWave => "it is not a RIFF/WAVE file",
        WavDefect.BadFormat => "its format chunk is damaged",
        WavDefect.UnknownFormat => "its format is neither 16-bit PCM nor G.711",
        WavDefect.NoFormat => "it has no format chunk before its audio",
        WavDefect.NoData => "it has no data chunk",
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    /// <summary>Reads until the buffer is full or the file ends, and returns how much that was.</summary>
    public static int Fill(SafeFileHandle handle, Span<byte> buffer, long offset = 0)
    {
        var total = 0;
        while (total < buffer.Length && RandomAccess.Read(handle, buffer[total..], offset + total) is > 0 and var count) total += count;
        return total;
    }
}
