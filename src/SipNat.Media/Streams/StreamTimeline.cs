using SipNat.Media.Rtcp;
using SipNat.Wire;

namespace SipNat.Media.Streams;

/// <summary>Places the audio of one stream in its file or files.</summary>
public sealed class StreamTimeline
{
    /// <summary>Bytes of the buffer in which frames meet: an aligned write when it is full.</summary>
    public const int BufferLength = 8192;

    public const int MaxGapsListed = 64;

    public const int MaxAnchorsListed = 64;

    /// <summary>When <see cref="Flush"/> has something to hand over; null when nothing waits.</summary>
    public Instant? FlushDue => throw new NotSupportedException();

    /// <summary>Takes a frame that the receiver let through.</summary>
    public void Place(in ReceivedFrame frame) => throw new NotSupportedException();

    /// <summary>An SR of the recorded source: it ties the file's start to the sender's wall clock.</summary>
    public void HandleSenderReport(Instant arrival, in SenderReport report) => throw new NotSupportedException();

    /// <summary>The stream is on hold: nothing is expected from now on.</summary>
    public void Hold(Instant now) => throw new NotSupportedException();

    /// <summary>The hold is over: the next frame is anchored by its arrival.</summary>
    public void Resume(Instant now) => throw new NotSupportedException();

    /// <summary>Hands over what is not yet on its way to the disk.</summary>
    public void Flush(Instant now) => throw new NotSupportedException();

    /// <summary>Ends the stream: silence up to the last moment at which it was active, then the end of the file.</summary>
    public void Finish(Instant now, Instant lastActive) => throw new NotSupportedException();

    public bool TryTake(out TimelineWrite write) => throw new NotSupportedException();

    public bool TryTakeEvent(out TimelineEvent timelineEvent) => throw new NotSupportedException();
}
