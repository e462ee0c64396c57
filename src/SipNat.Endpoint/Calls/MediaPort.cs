using SipNat.Endpoint.Addressing;
using SipNat.Traversal.Stun;
using SipNat.Wire;

namespace SipNat.Endpoint.Calls;

/// <summary>
/// A bound pair of media sockets with what STUN servers see of them. It is opened and mapped before a session needs it,
/// and serves one session only.
/// </summary>
internal sealed class MediaPort
{
    private readonly StunBindingClient _rtp;
    private readonly StunBindingClient _rtcp;
    private readonly Instant _openedAt;

    public MediaPort(Instant now, MediaPortFlows flows, StunBindingOptions stun, Random random)
    {
        (Flows, _openedAt) = (flows, now);
        _rtp = new(flows.Rtp, flows.LocalRtp, stun, random);
        _rtcp = new(flows.Rtcp, flows.LocalRtcp, stun, random);
        _rtp.Start(now);
        _rtcp.Start(now);
    }

    public MediaPortFlows Flows { get; }

    /// <summary>The session that owns the pair; null while it is spare.</summary>
    public MediaSession? Owner { get; set; }

    /// <summary>Its place among the ports of its owner.</summary>
    public int Index { get; set; }

    public Instant? Deadline => Instant.Earlier(_rtp.Deadline, _rtcp.Deadline);

    public MediaPortAddresses Addresses => new(
        AddressesOf(_rtp),
        AddressesOf(_rtcp),
        MappingAwaited: _rtp.HasServers && (_rtp.LastMapped is null || _rtcp.LastMapped is null),
        _openedAt);

    /// <summary>Takes an answer of a STUN server; false leaves the datagram to somebody else.</summary>
    public bool TryHandle(Instant now, FlowId flow, TransportAddress from, ReadOnlySpan<byte> datagram) =>
        (flow == Flows.Rtp ? _rtp : _rtcp).TryHandle(now, from, datagram);

    public void HandleTimeout(Instant now, Outbox outbox)
    {
        _rtp.HandleTimeout(now, outbox);
        _rtcp.HandleTimeout(now, outbox);
    }

    /// <summary>Asks how the sockets are seen at once.</summary>
    public void Refresh(Instant now)
    {
        _rtp.Refresh(now);
        _rtcp.Refresh(now);
    }

    /// <summary>Whether what is known of the addresses has changed; asking clears it.</summary>
    public bool TakeChanged() => Drain(_rtp) | Drain(_rtcp);

    private static SocketAddresses AddressesOf(StunBindingClient client) =>
        new(client.Local, SocketMapping.Of(client), client.LastMapped ?? default);

    private static bool Drain(StunBindingClient client)
    {
        var changed = false;
        while (client.TryTake(out var happened))
        {
            changed |= happened is StunBindingEvent.MappingLearned or StunBindingEvent.MappingChanged
                or StunBindingEvent.MappingDependsOnDestination;
        }

        return changed;
    }
}
