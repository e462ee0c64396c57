using SipNat.Media.Rtp;
using SipNat.Wire;

namespace SipNat.Media.Streams;

/// <summary>
/// Opens and keeps the pinhole of an RTP port that only receives: RTP packets without payload, of a payload type that
/// means nothing to the peer, with rising sequence numbers (RFC 6263 §4.6). A recorder never sends what sounds.
/// </summary>
public sealed class KeepaliveSender
{
    private const int ClockRate = 8000;
    private const int FirstUnassigned = 20;
    private const int LastUnassigned = 24;
    private const int FirstDynamic = 96;
    private const double EarliestShare = 0.8;

    private static readonly TimeSpan FirstInterval = TimeSpan.FromSeconds(1);

    private readonly uint _ssrc;
    private readonly int _payloadType;
    private readonly SendGate _gate;
    private readonly Random _random;
    private readonly uint _timestamp;
    private readonly RtpSender? _audio;
    private ushort _sequence;
    private TimeSpan _interval = FirstInterval;
    private TransportAddress _claimed;

    /// <param name="payloadType">See <see cref="ChoosePayloadType"/>.</param>
    /// <param name="bound">See <see cref="Bound"/>.</param>
    /// <param name="gate">One for all senders of a session.</param>
    /// <param name="audio">Whose SSRC, numbers and time the packets have (RFC 6263 §4.6); null where no audio is sent.</param>
    public KeepaliveSender(uint ssrc, int payloadType, TimeSpan bound, SendGate gate, Random random, RtpSender? audio = null)
    {
        (_ssrc, _payloadType, Bound, _gate, _random, _audio) = (ssrc, payloadType, bound, gate, random, audio);
        _sequence = (ushort)random.Next(1 << 15); // the lower half, as in RtpSender
        _timestamp = (uint)random.NextInt64(uint.MaxValue);
    }

    /// <summary>When <see cref="HandleTimeout"/> wants to run next; null before <see cref="Start"/> and after <see cref="Stop"/>.</summary>
    public Instant? Deadline { get; private set; }

    /// <summary>
    /// No packet follows the one before later than this; each comes after 80–100 % of it. Until media has come the first
    /// ones follow quicker, because any of them may be lost. What it is set to counts from the next packet on.
    /// </summary>
    public TimeSpan Bound { get; set; }

    public long Sent { get; private set; }

    /// <summary>
    /// A short frame of silence as the call has it, for a host that has not been heard: whoever sends only what it is sent,
    /// as an echo does, passes over a payload type that it does not know. Null for none.
    /// </summary>
    public (int PayloadType, ReadOnlyMemory<byte> Payload)? Greeting { get; set; }

    /// <summary>Allows sending: the first packet is due at once. Also for a changed destination.</summary>
    public void Start(Instant now) => (Deadline, _interval, _claimed) = (now, FirstInterval, default);

    public void Stop() => Deadline = null;

    /// <param name="destination">Where this stream's media comes from or is expected from; none skips this turn.</param>
    public void HandleTimeout(Instant now, Outbox outbox, FlowId flow, TransportAddress destination)
    {
        if (Deadline is not { } due || now < due) return;

        if (destination.IsNone)
        {
            Deadline = now + FirstInterval;
            return;
        }

        if (!_claimed.HasSameAddress(destination) && _gate.Claim(now, destination) is var place && place > now)
        {
            (Deadline, _claimed) = (place, destination);
            return;
        }

        Send(now, outbox, flow, destination);
        var interval = NextInterval(destination);
        Deadline = due + interval > now ? due + interval : now + interval;
    }

    /// <summary>A payload type that the stream's map does not know (RFC 3551 §6 leaves 20–24 unassigned).</summary>
    public static int ChoosePayloadType(PayloadMap payloads)
    {
        for (var type = FirstUnassigned; type <= LastUnassigned; type++)
        {
            if (!payloads.IsNegotiated(type)) return type;
        }

        for (var type = FirstDynamic; type < PayloadMap.PayloadTypes; type++)
        {
            if (!payloads.IsNegotiated(type)) return type;
        }

        return FirstUnassigned;
    }

    /// <summary>Sends one packet at once, whatever is due.</summary>
    public void Send(Instant now, Outbox outbox, FlowId flow, TransportAddress destination)
    {
        _claimed = default;
        Sent++;
        if (_audio is not null)
        {
            var (payloadType, payload) = Greeting ?? (_payloadType, default);
            _audio.SendProbe(outbox, flow, destination, payloadType, payload.Span);
            return;
        }

        var timestamp = _timestamp + (uint)(now.Ticks * ClockRate / TimeSpan.TicksPerSecond);
        var packet = outbox.Write(flow, destination, RtpPacket.HeaderLength);
        RtpWriter.Write(packet, new(_payloadType, _sequence++, timestamp, _ssrc), []);
    }

    private TimeSpan NextInterval(TransportAddress destination)
    {
        var regular = Bound * (EarliestShare + ((1 - EarliestShare) * _random.NextDouble()));
        if (_gate.IsProven(destination) || _interval >= regular) return regular;

        var opening = _interval;
        _interval *= 2;
        return opening;
    }
}
