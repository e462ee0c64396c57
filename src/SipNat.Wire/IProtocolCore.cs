namespace SipNat.Wire;

/// <summary>
/// A protocol state machine without IO. The shell feeds it datagrams and time, then drains <see cref="Outbox"/> and
/// <see cref="TryTakeRequest"/> and sleeps until <see cref="Deadline"/>. It never blocks and is not thread safe.
/// </summary>
public interface IProtocolCore
{
    Outbox Outbox { get; }

    /// <summary>When <see cref="HandleTimeout"/> wants to run next; null when nothing is pending.</summary>
    Instant? Deadline { get; }

    /// <summary>One datagram, or one framed message of a stream flow.</summary>
    void HandleDatagram(Instant now, FlowId flow, TransportAddress from, ReadOnlySpan<byte> datagram);

    /// <summary>Opened (with its local address), closed, refused, or a send that the kernel rejected.</summary>
    void HandleFlow(Instant now, FlowId flow, FlowChange change);

    /// <summary>Does everything that is due; afterwards <see cref="Deadline"/> is null or later than <paramref name="now"/>.</summary>
    void HandleTimeout(Instant now);

    /// <summary>Takes the next flow that the core wants opened or closed.</summary>
    bool TryTakeRequest(out FlowRequest request);
}
