using SipNat.Archive.Audio;
using SipNat.Archive.Documents;
using SipNat.Archive.Storage;

namespace SipNat.Archive.Index;

/// <summary>Holds a file of kept packets against its document: its records lead to its end, and are as many and as long as told.</summary>
internal sealed class PacketFileCheck(RecordingStore store)
{
    // Times in the file are whole milliseconds.
    private const double Tolerance = 0.001;

    /// <summary>What is wrong, as kinds and sentences.</summary>
    /// <exception cref="IOException">The file cannot be read, or is not there.</exception>
    public IEnumerable<(RecordingProblemKind Kind, string Text)> Verify(RecordedFile file)
    {
        if (PacketFile.Measure(store.PathOf(file.File)) is not { } content)
        {
            yield return (RecordingProblemKind.FileUnreadable, $"{file.File} cannot be read: it is not an rtpdump file.");
            yield break;
        }

        if (content.WholeLength != content.Length)
        {
            yield return (RecordingProblemKind.HeaderDiffers, $"{file.File} ends within a packet: {content.Length - content.WholeLength} of its {content.Length} bytes are no whole record.");
        }

        if (content.Packets.Packets != file.Packets)
        {
            yield return (RecordingProblemKind.DurationDiffers, $"{file.File} has {content.Packets.Packets} packets and should have {file.Packets ?? 0}.");
        }

        var seconds = content.Packets.Duration.TotalSeconds;
        if (!(Math.Abs(seconds - file.DurationSeconds) <= Tolerance))
        {
            yield return (RecordingProblemKind.DurationDiffers, $"{file.File} lasts {seconds:F3} s and should last {file.DurationSeconds:F3} s.");
        }
    }
}
