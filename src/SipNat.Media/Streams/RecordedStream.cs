using SipNat.Media.Rtcp;
using SipNat.Wire;

namespace SipNat.Media.Streams;

/// <summary>One recorded stream from datagram to disk: latch, receiver, key events and timeline, wired together.</summary>
public sealed class RecordedStream
{
    public RecordedStream(PayloadMap payloads, SourceLatch latch) => throw new NotSupportedException();

    public PayloadMap Payloads => throw new NotSupportedException();

    public SourceLatch Latch => throw new NotSupportedException();

    public RtpReceiver Receiver => throw new NotSupportedException();

    public StreamTimeline Timeline => throw new NotSupportedException();

    /// <summary>When <see cref="HandleTimeout"/> wants to run next.</summary>
    public Instant? Deadline => throw new NotSupportedException();

    /// <summary>Arrival of the last packet that was let through; null when none came.</summary>
    public Instant? LastPacketAt => throw new NotSupportedException();

    /// <param name="arrival">When the kernel received it: jitter and placement use it.</param>
    /// <returns>The latch's verdict; <see cref="LatchVerdict.Stray"/> for what is no RTP packet.</returns>
    public LatchVerdict HandleRtp(Instant now, Instant arrival, TransportAddress from, ReadOnlySpan<byte> datagram) => throw new NotSupportedException();

    /// <summary>A compound that a latch of the caller's let through.</summary>
    public void HandleRtcp(Instant arrival, in RtcpCompound compound) => throw new NotSupportedException();

    /// <summary>Negotiated on hold or inactive.</summary>
    public void Hold(Instant now) => throw new NotSupportedException();

    public void Resume(Instant now) => throw new NotSupportedException();

    public void HandleTimeout(Instant now) => throw new NotSupportedException();

    /// <summary>The stream ends; what is left comes out of the timeline.</summary>
    public void Finish(Instant now, Instant lastActive) => throw new NotSupportedException();

    public bool TryTakeEvent(out TelephoneEvent telephoneEvent) => throw new NotSupportedException();

    public StreamReport Report(Instant now) => throw new NotSupportedException();
}
