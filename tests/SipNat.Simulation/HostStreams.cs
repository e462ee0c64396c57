using SipNat.Wire;

namespace SipNat.Simulation;

/// <summary>
/// The connections of one host. A connection is a handshake and then messages, reliable and in order, that pass the
/// NATs on their way like everything else; where one is dropped there, the sender gives up in time.
/// </summary>
internal sealed class HostStreams(SimulatedNetwork network, SimulatedHost host)
{
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan GiveUp = TimeSpan.FromSeconds(30);

    private readonly Dictionary<(TransportAddress Local, TransportAddress Remote), HostFlow> _connections = [];
    private readonly Dictionary<(int Port, TransportProtocol Transport), HostCore> _listeners = [];

    public void Listen(int port, TransportProtocol transport, HostCore owner) => _listeners[(port, transport)] = owner;

    public void Connect(HostCore owner, FlowRequest request)
    {
        var local = host.AddressOf(request.Remote.Family);
        if (local.IsNone || request.Remote.Port == 0 || !request.Transport.IsReliable)
        {
            var refused = new FlowChange(FlowChangeKind.Refused, request.Transport, default, request.Remote) { TlsName = request.TlsName };
            owner.Core.HandleFlow(host.Clock, network.NextFlow(), refused);
            return;
        }

        var flow = Add(request.Transport, owner, local.WithPort(host.NextEphemeralPort()), request.Remote);
        flow.TlsName = request.TlsName;
        Send(flow, SegmentKind.Syn, []);
    }

    public DropReason? Receive(Packet packet)
    {
        if (packet.Kind is SegmentKind.Syn)
        {
            Accept(packet);
            return null;
        }

        if (_connections.TryGetValue((packet.To, packet.From), out var flow)) return Receive(flow, packet);
        if (packet.Kind is SegmentKind.Fin or SegmentKind.Reset) return null;

        Reset(packet);
        return DropReason.BrokenConnection;
    }

    public void Send(HostFlow flow, SegmentKind kind, ReadOnlySpan<byte> bytes)
    {
        var sequence = kind is SegmentKind.Message ? flow.MessagesSent++ : 0;
        host.Send(new(flow.Transport, kind, flow.Local, flow.Remote, bytes) { Sender = flow, Sequence = sequence });
    }

    public void Forget(HostFlow flow, bool tellPeer)
    {
        _connections.Remove((flow.Local, flow.Remote));
        if (tellPeer) Send(flow, SegmentKind.Fin, []);
    }

    /// <summary>A segment of a connection was dropped on its way: in time, its sender gives up.</summary>
    public void HandleLoss(HostFlow flow) => network.After(flow.IsOpen ? GiveUp : ConnectTimeout, () =>
    {
        if (!host.Has(flow)) return;

        host.End(flow, tellPeer: false);
        host.Drain();
    });

    private void Accept(Packet packet)
    {
        if (!_listeners.TryGetValue((packet.To.Port, packet.Transport), out var owner))
        {
            Reset(packet);
            return;
        }

        var flow = Add(packet.Transport, owner, packet.To, packet.From);
        flow.IsOpen = true;
        Send(flow, SegmentKind.SynAck, []);
        host.Tell(flow, FlowChangeKind.Opened);
    }

    private DropReason? Receive(HostFlow flow, Packet packet)
    {
        switch (packet.Kind)
        {
            case SegmentKind.SynAck:
                flow.IsOpen = true;
                host.Tell(flow, FlowChangeKind.Opened);
                return null;
            case SegmentKind.Message when packet.Sequence != flow.MessagesReceived:
                return DropReason.BrokenConnection;
            case SegmentKind.Message:
                flow.MessagesReceived++;
                network.ObserveDelivered(packet);
                flow.Owner.Core.HandleDatagram(host.Clock, flow.Id, packet.From, packet.Bytes);
                return null;
            default:
                host.End(flow, tellPeer: false);
                return null;
        }
    }

    private HostFlow Add(TransportProtocol transport, HostCore owner, TransportAddress local, TransportAddress remote)
    {
        var flow = host.AddFlow(transport, owner, local, remote);
        _connections[(local, remote)] = flow;
        return flow;
    }

    private void Reset(Packet packet) => host.Send(new(packet.Transport, SegmentKind.Reset, packet.To, packet.From, []));
}
