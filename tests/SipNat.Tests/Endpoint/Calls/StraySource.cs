using System.Buffers.Binary;
using SipNat.Simulation;
using SipNat.Wire;

namespace SipNat.Tests.Endpoint.Calls;

/// <summary>Something else on a host that sends RTP from a port of its own.</summary>
internal sealed class StraySource
{
    private static readonly TimeSpan FrameTime = TimeSpan.FromMilliseconds(20);
    private readonly DatagramProbe _probe = new();
    private readonly SimulatedHost _host;
    private readonly FlowId _flow;
    private ushort _sequence;

    public StraySource(SimulatedHost host, int port)
    {
        _host = host;
        host.Attach(_probe);
        _flow = host.OpenUdp(port, _probe);
    }

    /// <summary>Silence of PCMU for so long.</summary>
    public void Speak(SimulatedNetwork network, TransportAddress to, TimeSpan span)
    {
        for (var at = TimeSpan.Zero; at < span; at += FrameTime) network.After(at, () => _host.Run(_ => Send(to)));
    }

    private void Send(TransportAddress to)
    {
        var packet = new byte[172];
        packet.AsSpan(12).Fill(0xff);
        packet[0] = 0x80;
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), ++_sequence);
        BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(4), (uint)(_sequence * 160));
        BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(8), 0x5678);
        _probe.Outbox.Add(_flow, to, packet);
    }
}
