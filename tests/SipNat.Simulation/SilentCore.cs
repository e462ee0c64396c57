using SipNat.Wire;

namespace SipNat.Simulation;

/// <summary>Does nothing: the first core of a host whose work is done by others.</summary>
public sealed class SilentCore : IProtocolCore
{
    public Outbox Outbox { get; } = new();

    public Instant? Deadline => null;

    public void HandleFlow(Instant now, FlowId flow, FlowChange change)
    {
    }

    public void HandleDatagram(Instant now, FlowId flow, TransportAddress from, ReadOnlySpan<byte> datagram)
    {
    }

    public void HandleTimeout(Instant now)
    {
    }

    public bool TryTakeRequest(out FlowRequest request)
    {
        request = default;
        return false;
    }
}
