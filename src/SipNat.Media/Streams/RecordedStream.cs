using SipNat.Media.Playout;
using SipNat.Media.Rtcp;
using SipNat.Media.Rtp;
using SipNat.Wire;

namespace SipNat.Media.Streams;

/// <summary>
/// One stream from datagram to disk, or in a call to the ear: latch, receiver, key events and timeline or playout, wired
/// together.
/// </summary>
/// <remarks>
/// After every input the owner takes what <see cref="Timeline"/>, <see cref="Others"/> and <see cref="TryTakeEvent"/> have, and comes back at
/// <see cref="Deadline"/>. Nothing is sent from here (<see cref="RtcpReporter"/>, <see cref="KeepaliveSender"/>).
/// </remarks>
public sealed class RecordedStream
{
    private readonly TelephoneEventTracker _events = new();
    private readonly bool _isPlayed;
    private readonly bool _isKept;

    /// <param name="isPlayed">Its frames go to <see cref="Playout"/>.</param>
    /// <param name="isKept">They go to <see cref="Timeline"/>.</param>
    public RecordedStream(PayloadMap payloads, SourceLatch latch, bool isPlayed = false, bool isKept = true)
    {
        (Payloads, Latch) = (payloads, latch);
        Receiver = new(payloads, Others) { Patience = isPlayed ? PlayedPatience : RtpReceiver.TakeoverSilence };
        Others.IsOff = !isKept;
        (_isPlayed, _isKept) = (isPlayed, isKept);
    }

    /// <summary>In a call a second SSRC is heard after so much silence of the first: announcements and transfers change it.</summary>
    public static TimeSpan PlayedPatience { get; } = TimeSpan.FromMilliseconds(100);

    public PayloadMap Payloads { get; }

    public SourceLatch Latch { get; }

    public RtpReceiver Receiver { get; }

    public StreamTimeline Timeline { get; } = new();

    /// <summary>What plays the frames of a call; null while there is none.</summary>
    public PlayoutBuffer? Playout { get; set; }

    /// <summary>What came beside the recorded source.</summary>
    public OtherPackets Others { get; } = new();

    /// <summary>When <see cref="HandleTimeout"/> wants to run next; null when nothing waits.</summary>
    public Instant? Deadline => DeadlineOf(isVisited: false);

    /// <summary>The same, where the owner flushes the <see cref="Timeline"/> in time without being told.</summary>
    public Instant? DeadlineOf(bool isVisited) =>
        Instant.Earlier(isVisited ? null : Timeline.FlushDue, Instant.Earlier(Others.FlushDue, _events.Deadline));

    /// <summary>Packets are received, counted and played, and nothing of them is recorded, neither audio nor keys.</summary>
    public bool IsPaused { get; set; }

    /// <summary>When the last packet was recorded; null when none came.</summary>
    public Instant? LastPacketAt { get; private set; }

    /// <summary>Datagrams that were no RTP packets.</summary>
    public long Defects { get; private set; }

    /// <param name="now">The time of this call.</param>
    /// <param name="arrival">When the kernel received it: placement and jitter follow it.</param>
    /// <param name="standing">What ICE knows of the source.</param>
    /// <returns>The latch's verdict; <see cref="LatchVerdict.Stray"/> for what is no RTP packet.</returns>
    public LatchVerdict HandleRtp(
        Instant now, Instant arrival, TransportAddress from, ReadOnlySpan<byte> datagram, SourceStanding standing = SourceStanding.ByPolicy)
    {
        if (!RtpPacket.TryRead(datagram, out var packet, out _))
        {
            Defects++;
            return LatchVerdict.Stray;
        }

        if (IsPaused) Others.PausedUntil = arrival;
        var verdict = Latch.Judge(arrival, from, packet, Payloads.IsNegotiated(packet.PayloadType), standing);
        if (verdict is LatchVerdict.Stray)
        {
            if (Latch.IsAllowed(from)) Others.Add(arrival, packet.Ssrc, packet.SequenceNumber, datagram);
            return verdict;
        }

        if (verdict is not LatchVerdict.Probation) LastPacketAt = now;
        if (Receiver.Receive(arrival, packet, verdict, out var frame) is not RtpVerdict.Accepted) return verdict;

        while (Receiver.TryTakeHeld(out var held)) Place(held);
        Place(frame);
        return verdict;
    }

    /// <summary>A compound that the owner's latch for RTCP let through.</summary>
    public void HandleRtcp(Instant arrival, in RtcpCompound compound)
    {
        foreach (var packet in compound)
        {
            if (packet.TryGetSenderReport(out var report))
            {
                Receiver.HandleSenderReport(arrival, report);
                Timeline.HandleSenderReport(arrival, report);
            }

            for (var i = 0; i < packet.GoodbyeCount; i++) Receiver.HandleGoodbye(packet.GoodbyeSsrc(i));
        }
    }

    /// <summary>Negotiated on hold or inactive: silence unlocks nothing, and nothing is expected.</summary>
    public void Hold(Instant now)
    {
        Latch.IsHeld = true;
        Timeline.Hold(now);
    }

    public void Resume(Instant now)
    {
        Latch.IsHeld = false;
        Timeline.Resume(now);
    }

    public void HandleTimeout(Instant now)
    {
        Timeline.Flush(now);
        Others.Flush(now);
        _events.HandleTimeout(now);
    }

    /// <summary>Ends the stream; what is left comes out of the timeline.</summary>
    /// <param name="lastActive">The last moment at which audio was to be expected: the BYE, or the hold before it.</param>
    public void Finish(Instant now, Instant lastActive)
    {
        _events.Finish();
        Timeline.Finish(now, lastActive);
        Receiver.Finish();
        Others.Finish();
    }

    /// <summary>Takes the next key that was pressed and released.</summary>
    public bool TryTakeEvent(out TelephoneEvent telephoneEvent) => _events.TryTake(out telephoneEvent);

    /// <summary>A copy of everything known so far.</summary>
    public StreamReport Report(Instant now) => Timeline.AddTo(
        new()
        {
            Packets = Receiver.Packets,
            Lost = Receiver.Lost,
            Duplicates = Receiver.Duplicates,
            Reordered = Receiver.Reordered,
            UnknownPayloads = Receiver.UnknownPayloads,
            UnexpectedPayloads = Receiver.UnexpectedPayloads,
            UnexpectedPayloadType = Receiver.UnexpectedPayloadType,
            Secondary = Receiver.Secondary,
            Strays = Latch.Strays,
            Others = Others.File,
            OthersUnkept = Others.Unkept,
            WritesRefused = Others.WritesRefused,
            Unlisted = Latch.Unlisted,
            EventsRefused = _events.Refused,
            Defects = Defects,
            Jitter = Receiver.Jitter,
            Ssrcs = [.. Receiver.Ssrcs],
            Sources = Latch.Sources,
        },
        now);

    private void Place(in ReceivedFrame frame)
    {
        // What was held in a pause, and is let through after it, was not to be recorded either.
        var isPaused = IsPaused || frame.Arrival <= Others.PausedUntil;
        if (frame.Format.Kind is PayloadKind.TelephoneEvent && (_isPlayed || !isPaused)) _events.Handle(frame);
        if (_isPlayed) Playout?.Put(frame);
        if (_isKept && !isPaused) Timeline.Place(frame);
    }
}
