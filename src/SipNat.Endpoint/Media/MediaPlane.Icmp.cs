using SipNat.Wire;

namespace SipNat.Endpoint.Media;

/// <summary>What ICMP says of the datagrams of a plane.</summary>
public sealed partial class MediaPlane
{
    /// <summary>
    /// Takes what a host or router said of a datagram that was sent. It is no more than a hint, as anybody can forge it, and
    /// counts for calls alone, where it is about the way that their audio takes at this moment.
    /// </summary>
    /// <param name="quoted">How the datagram began, as far as the message quotes it; empty where that is no more than its header.</param>
    public void HandleIcmp(Instant now, FlowId flow, in IcmpError error, ReadOnlySpan<byte> quoted)
    {
        if (_portsByFlow.TryGetValue(flow, out var port) && port.Owner is { } session && session.HandleIcmp(now, port.Index, flow, error, quoted)) Schedule(session);
    }
}
