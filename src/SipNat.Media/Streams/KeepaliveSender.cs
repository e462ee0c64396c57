using SipNat.Wire;

namespace SipNat.Media.Streams;

/// <summary>Opens and keeps the pinhole of a port that only receives, by RTP packets that carry nothing (RFC 6263 §4.6).</summary>
public sealed class KeepaliveSender
{
    public KeepaliveSender(uint ssrc, int payloadType, TimeSpan bound, SendGate gate, Random random) => throw new NotSupportedException();

    /// <summary>When <see cref="HandleTimeout"/> wants to run next; null until <see cref="Start"/>.</summary>
    public Instant? Deadline => throw new NotSupportedException();

    /// <summary>Packets sent.</summary>
    public long Sent => throw new NotSupportedException();

    /// <summary>Allows sending: the first packet is due at once.</summary>
    public void Start(Instant now) => throw new NotSupportedException();

    public void Stop() => throw new NotSupportedException();

    /// <param name="destination">Where media of this stream comes from or will come from; none skips this turn.</param>
    public void HandleTimeout(Instant now, Outbox outbox, FlowId flow, TransportAddress destination) => throw new NotSupportedException();

    /// <summary>A payload type that the stream's map does not know (RFC 3551 §6 leaves 20–24 unassigned).</summary>
    public static int ChoosePayloadType(PayloadMap payloads) => throw new NotSupportedException();
}
