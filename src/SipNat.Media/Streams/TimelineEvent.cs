using SipNat.Wire;

namespace SipNat.Media.Streams;

/// <summary>What a timeline tells beside its writes. The set is closed: switch over it.</summary>
public abstract record TimelineEvent
{
    private TimelineEvent()
    {
    }

    /// <summary>Writes with this index may come from here on.</summary>
    /// <param name="At">Arrival of the file's first frame.</param>
    public sealed record FileStarted(int FileIndex, FileCodec Codec, Instant At) : TimelineEvent;

    /// <summary>Told for the first <see cref="StreamTimeline.MaxAnchorsListed"/> anchors; files begin without one.</summary>
    public sealed record Anchored(StreamAnchor Anchor) : TimelineEvent;

    /// <summary>No write for this index follows the ones that wait to be taken.</summary>
    /// <param name="Length">Bytes of audio in the file, or of records.</param>
    public sealed record FileEnded(int FileIndex, long Length) : TimelineEvent;
}

/// <summary>Bytes for one file; whoever takes it owns the buffer. Later writes win where two overlap.</summary>
public readonly record struct TimelineWrite(int FileIndex, WriteBuffer Buffer);
