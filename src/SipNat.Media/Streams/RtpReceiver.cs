using SipNat.Media.Rtcp;
using SipNat.Media.Rtp;
using SipNat.Wire;

namespace SipNat.Media.Streams;

/// <summary>The receiving end of one RTP stream: which SSRC is recorded, what is lost, what is a duplicate.</summary>
/// <remarks>
/// One SSRC is recorded at a time. Another one takes its place when it has said BYE, has been silent for
/// <see cref="TakeoverSilence"/>, or the latch has moved on to another source; the packets that came meanwhile are held
/// and recorded then. A second SSRC beside a sending one is counted and never mixed in.
/// </remarks>
public sealed class RtpReceiver
{
    /// <summary>SSRCs whose sequence numbers are remembered; the longest silent one makes room.</summary>
    public const int MaxSources = 16;

    /// <summary>SSRCs that a report lists.</summary>
    public const int MaxSsrcsListed = 16;

    /// <summary>Silence of the recorded SSRC after which another one is recorded.</summary>
    public static readonly TimeSpan TakeoverSilence = TimeSpan.FromMilliseconds(500);

    // The last packet of the old SSRC may come after the first ones of the next.
    private static readonly TimeSpan Overlap = TimeSpan.FromMilliseconds(60);

    private readonly PayloadMap _payloads;
    private readonly OtherPackets _others;
    private readonly List<RtpSource> _sources = [];
    private readonly List<uint> _ssrcs = [];
    private readonly HeldPackets _held = new();
    private RtpSource? _recorded;
    private int _next;
    private bool _isReleasing;
    private long _packetsBefore;
    private long _lostBefore;
    private long _duplicatesBefore;
    private long _reorderedBefore;

    /// <param name="others">Takes the packets of SSRCs that are not recorded.</param>
    public RtpReceiver(PayloadMap payloads, OtherPackets others) => (_payloads, _others) = (payloads, others);

    /// <summary>The SSRC that is recorded; null before the first packet.</summary>
    public uint? RecordedSsrc => _recorded?.Ssrc;

    /// <summary>The recorded SSRCs in order of their first packet; the first <see cref="MaxSsrcsListed"/>.</summary>
    public IReadOnlyList<uint> Ssrcs => _ssrcs;

    /// <summary>Distinct packets of the recorded SSRCs.</summary>
    public long Packets => Sum(_packetsBefore, static s => s.Received);

    public long Lost => Sum(_lostBefore, static s => s.Lost);

    public long Duplicates => Sum(_duplicatesBefore, static s => s.Duplicates);

    public long Reordered => Sum(_reorderedBefore, static s => s.Reordered);

    /// <summary>Packets of SSRCs that were not recorded.</summary>
    public long Secondary { get; private set; }

    public long UnknownPayloads { get; private set; }

    public long UnexpectedPayloads { get; private set; }

    /// <summary>The last payload type that was not negotiated; null where all were.</summary>
    public int? UnexpectedPayloadType { get; private set; }

    /// <summary>Silence of the recorded SSRC after which another one takes its place; shorter in calls, where it is heard.</summary>
    public TimeSpan Patience { get; init; } = TakeoverSilence;

    public TimeSpan Jitter => _recorded?.Jitter ?? TimeSpan.Zero;

    /// <summary>Takes a packet that the latch let through or wants held.</summary>
    /// <param name="frame">To be placed when the verdict is <see cref="RtpVerdict.Accepted"/>, after what
    /// <see cref="TryTakeHeld"/> gives.</param>
    public RtpVerdict Receive(Instant arrival, in RtpPacket packet, LatchVerdict latch, out ReceivedFrame frame)
    {
        frame = default;
        if (_isReleasing || (latch is LatchVerdict.Accept && _held.AreTentative)) ClearHeld();
        if (latch is LatchVerdict.Stray) return RtpVerdict.Secondary;

        var format = _payloads[packet.PayloadType];
        if (format.Kind is PayloadKind.Unknown) UnknownPayloads++;
        if (!_payloads.IsNegotiated(packet.PayloadType))
        {
            UnexpectedPayloads++;
            UnexpectedPayloadType = packet.PayloadType;
        }

        if (latch is LatchVerdict.Probation) return Hold(arrival, packet, isTentative: true);
        if (packet.Ssrc != RecordedSsrc && !MayTakeOver(arrival, latch)) return Hold(arrival, packet, isTentative: false);

        if (packet.Ssrc != RecordedSsrc || latch is LatchVerdict.TookOver) Record(arrival, packet.Ssrc);
        return Admit(arrival, packet, format, out frame);
    }

    /// <summary>Takes a held packet that the last input proved to belong to the recording, oldest first.</summary>
    public bool TryTakeHeld(out ReceivedFrame frame)
    {
        frame = default;
        for (; _isReleasing && _next < _held.Count; _next++)
        {
            ref readonly var slot = ref _held[_next];
            if (slot.Sequence < 0) continue;

            frame = new()
            {
                Arrival = slot.Arrival,
                Ssrc = slot.Ssrc,
                Sequence = slot.Sequence,
                Run = slot.Run,
                Timestamp = slot.Timestamp,
                Format = _payloads[slot.PayloadType],
                Packet = _held.Packet(_next),
                Payload = _held.Payload(_next++),
            };
            return true;
        }

        if (_isReleasing) ClearHeld();
        return false;
    }

    /// <summary>Remembers the moment of an SR for the next report block (RFC 3550 §6.4.1 LSR, DLSR).</summary>
    public void HandleSenderReport(Instant arrival, in SenderReport report) => Find(report.Ssrc)?.HandleSenderReport(arrival, report);

    /// <summary>A BYE: another SSRC need not wait (RFC 3550 §6.6).</summary>
    public void HandleGoodbye(uint ssrc) => Find(ssrc)?.HasLeft = true;

    /// <summary>Writes the blocks of the valid sources heard since the last call, and returns their number.</summary>
    public int TakeReports(Instant now, Span<ReportBlock> blocks)
    {
        var count = 0;
        foreach (var source in _sources)
        {
            if (source.HasNews && source.Sequence.IsValid && count < blocks.Length) blocks[count++] = source.TakeReport(now);
        }

        return count;
    }

    /// <summary>Nothing more comes: what is still held belongs to no recording.</summary>
    public void Finish() => ClearHeld();

    private bool MayTakeOver(Instant arrival, LatchVerdict latch) =>
        _recorded is not { } recorded
        || recorded.HasLeft
        || latch is LatchVerdict.TookOver
        || arrival - recorded.LastArrival >= Patience;

    private RtpVerdict Hold(Instant arrival, in RtpPacket packet, bool isTentative)
    {
        if (packet.Bytes.Length > HeldPackets.MaxPacket)
        {
            Secondary++;
            _others.Add(arrival, packet.Ssrc, packet.SequenceNumber, packet.Bytes);
            return RtpVerdict.Secondary;
        }

        if (_held.IsFull) PutAside(0);
        _held.Add(arrival, packet, isTentative);
        return RtpVerdict.Held;
    }

    // Makes an SSRC the recorded one, and lets through what was held of it since the last one fell silent.
    private void Record(Instant arrival, uint ssrc)
    {
        var silentSince = _recorded is { HasLeft: false } former ? former.LastArrival - Overlap : arrival - TakeoverSilence - TakeoverSilence;
        _recorded = Find(ssrc) ?? Add(ssrc);
        for (var i = 0; i < _held.Count; i++)
        {
            ref readonly var slot = ref _held[i];
            if (slot.Ssrc != ssrc || slot.Arrival < silentSince) continue;

            var format = _payloads[slot.PayloadType];
            var verdict = _recorded.Admit(slot.Arrival, slot.SequenceNumber, slot.Timestamp, format, out var sequence);
            if (verdict is SequenceVerdict.Restarted) ReleaseSuspect(before: i);
            if (verdict is not SequenceVerdict.Duplicate and not SequenceVerdict.Suspect) Release(i, sequence);
        }
    }

    private RtpVerdict Admit(Instant arrival, in RtpPacket packet, PayloadFormat format, out ReceivedFrame frame)
    {
        frame = default;
        var verdict = _recorded!.Admit(arrival, packet.SequenceNumber, packet.Timestamp, format, out var sequence);
        switch (verdict)
        {
            case SequenceVerdict.Duplicate:
                return RtpVerdict.Duplicate;
            case SequenceVerdict.Suspect:
                return Hold(arrival, packet, isTentative: false);
            case SequenceVerdict.Restarted:
                ReleaseSuspect(before: _held.Count);
                break;
        }

        frame = new()
        {
            Arrival = arrival,
            Ssrc = packet.Ssrc,
            Sequence = sequence,
            Run = _recorded.Sequence.Restarts,
            Timestamp = packet.Timestamp,
            Format = format,
            Payload = packet.Payload,
            Packet = packet.Bytes,
        };
        return RtpVerdict.Accepted;
    }

    // The packet that looked like a stray one was the first after a restart.
    private void ReleaseSuspect(int before)
    {
        var start = _recorded!.Sequence.RestartedAt;
        for (var i = before - 1; i >= 0; i--)
        {
            if (_held[i].Ssrc != _recorded.Ssrc || _held[i].SequenceNumber != (ushort)start) continue;

            Release(i, start);
            return;
        }
    }

    private void Release(int index, long sequence)
    {
        ref var slot = ref _held[index];
        (slot.Sequence, slot.Run) = (sequence, _recorded!.Sequence.Restarts);
        _isReleasing = true;
    }

    private void ClearHeld()
    {
        for (var i = 0; i < _held.Count; i++)
        {
            if (_held[i].Sequence < 0) PutAside(i);
        }

        _held.Clear();
        (_next, _isReleasing) = (0, false);
    }

    private void PutAside(int index)
    {
        Secondary++;
        ref readonly var slot = ref _held[index];
        _others.Add(slot.Arrival, slot.Ssrc, slot.SequenceNumber, _held.Packet(index));
    }

    private RtpSource? Find(uint ssrc)
    {
        if (_recorded?.Ssrc == ssrc) return _recorded;

        foreach (var source in _sources)
        {
            if (source.Ssrc == ssrc) return source;
        }

        return null;
    }

    private RtpSource Add(uint ssrc)
    {
        if (_sources.Count == MaxSources) RemoveOldest();

        var source = new RtpSource(ssrc);
        _sources.Add(source);
        if (_ssrcs.Count < MaxSsrcsListed && !_ssrcs.Contains(ssrc)) _ssrcs.Add(ssrc);
        return source;
    }

    private void RemoveOldest()
    {
        var oldest = _sources[0];
        foreach (var source in _sources)
        {
            if (source.LastArrival < oldest.LastArrival) oldest = source;
        }

        _packetsBefore += oldest.Sequence.Received;
        _lostBefore += oldest.Sequence.Lost;
        _duplicatesBefore += oldest.Sequence.Duplicates;
        _reorderedBefore += oldest.Sequence.Reordered;
        _sources.Remove(oldest);
    }

    private long Sum(long before, Func<SequenceTracker, long> count)
    {
        var sum = before;
        foreach (var source in _sources) sum += count(source.Sequence);
        return sum;
    }
}

/// <summary>What became of a packet.</summary>
public enum RtpVerdict
{
    /// <summary>A frame for the timeline; the held ones go first.</summary>
    Accepted,

    /// <summary>Kept until the next packets tell what it is.</summary>
    Held,

    /// <summary>Already received.</summary>
    Duplicate,

    /// <summary>Not of the recording, and too long to be held.</summary>
    Secondary,
}
