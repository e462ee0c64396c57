using System.Diagnostics;
using SipNat.Media.Wav;

namespace SipNat.Archive.Audio;

/// <summary>What stands where in an <see cref="AudioFile"/> beside the audio itself: its header and its end.</summary>
internal sealed class FileLayout
{
    // Where the last buffers of records end. A buffer leaves when it has 8 KiB or is 0.75 s old, so that these are the last
    // 48 s of what telephones send, and 2.7 s of two channels of 48 kHz: a disk that was taken away lacks what was not
    // forced, which is half of the sync interval. Where it lacks more than these, the file begins anew.
    private const int MaxEnds = 64;

    private readonly byte[] _header = new byte[WavHeader.Length];

    /// <summary>A file of a disk that was taken away may come back shorter. Records go on after the last that is whole.</summary>
    /// <param name="present">Bytes of audio that it has.</param>
    public static void TakeStock(AudioFile file, long present)
    {
        if (present >= file.AudioLength) return;

        file.AudioLength = file.Format is AudioFileFormat.Packets ? file.Ends.LastOrDefault(end => end <= present) : present;
    }

    /// <summary>A buffer was written.</summary>
    /// <param name="end">Bytes up to which its stream has come by it.</param>
    public static void NoteWritten(AudioFile file, long end)
    {
        file.AudioLength = Math.Max(file.AudioLength, end - file.Skipped);
        if (file.Format is not AudioFileFormat.Packets) return;

        if (file.Ends.Count == MaxEnds) file.Ends.Dequeue();
        file.Ends.Enqueue(file.AudioLength);
    }

    /// <summary>A chunk of a WAVE file has an even length; the byte that makes it so is none of it.</summary>
    public static void WritePadding(AudioFile file)
    {
        if (file.Format is AudioFileFormat.Wave && (file.AudioLength & 1) != 0) file.Open!.Write([0], WavHeader.Length + file.AudioLength);
    }

    /// <summary>States what is in the file: called after the audio, so that a header never promises what is not there.</summary>
    public void WriteHeader(AudioFile file)
    {
        switch (file.Format)
        {
            case AudioFileFormat.Wave(var codec):
                WavHeader.Write(_header, WavFormat.Of(codec), file.AudioLength);
                file.Open!.Write(_header, 0);
                break;
            case AudioFileFormat.Packets packets:
                // It states no length: once it is there, it stays as it is.
                if (file.AudioLength == 0) file.Open!.Write(packets.Header, 0);
                break;
            default:
                throw new UnreachableException();
        }
    }
}
