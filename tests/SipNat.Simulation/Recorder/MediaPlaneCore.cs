using SipNat.Endpoint.Media;
using SipNat.Wire;

namespace SipNat.Simulation.Recorder;

/// <summary>A media plane as a host runs it. Its sockets are opened and closed by <see cref="SimulatedRecorder"/>.</summary>
internal sealed class MediaPlaneCore(MediaPlane plane) : IProtocolCore
{
    public Outbox Outbox => plane.Outbox;

    public Instant? Deadline => plane.Deadline;

    public void HandleDatagram(Instant now, FlowId flow, TransportAddress from, ReadOnlySpan<byte> datagram) =>
        plane.HandleDatagram(now, now, flow, from, datagram);

    public void HandleFlow(Instant now, FlowId flow, FlowChange change) => plane.HandleFlow(now, flow, change);

    public void HandleTimeout(Instant now) => plane.HandleTimeout(now);

    public bool TryTakeRequest(out FlowRequest request)
    {
        request = default;
        return false;
    }
}
