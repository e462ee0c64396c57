using BenchmarkDotNet.Attributes;
using SipNat.Simulation;
using SipNat.Simulation.Ice.Topologies;
using SipNat.Wire;

namespace SipNat.Bench.Simulations;

/// <summary>How fast the internet of the tests runs: what a packet costs in it, and what a whole topology does.</summary>
[MemoryDiagnoser]
public class SimulationBenchmarks
{
    private const int Packets = 1000;
    private const int Topologies = 100;

    private readonly SimulatedNetwork _network = new(seed: 1);
    private SimulatedHost _sender = null!;
    private FlowId _flow;
    private Talker _talker = null!;
    private TransportAddress _listener;

    [GlobalSetup]
    public void Prepare()
    {
        var nat = _network.AddNat("203.0.113.1");
        (_talker, _listener) = (new(), TransportAddress.Parse("198.51.100.1:4000"));
        _network.AddHost("198.51.100.1", new Talker()).OpenUdp(4000);
        _sender = _network.AddHost("192.168.1.2", _talker, nat);
        _flow = _sender.OpenUdp(4000);
    }

    /// <summary>One of 172 bytes, as G.711 has them, through a NAT to a host that throws it away; twenty at a time.</summary>
    [Benchmark(OperationsPerInvoke = Packets)]
    public long PacketThroughNat()
    {
        Span<byte> frame = stackalloc byte[172];
        for (var sent = 0; sent < Packets; sent++)
        {
            _talker.Outbox.Add(_flow, _listener, frame);
            if (sent % 20 == 19) SendAndDeliver();
        }

        return _network.DeliveredCount;
    }

    /// <summary>One of the random internets of <c>NatLab simulate</c>, all its sessions and what the oracle has to say of them.</summary>
    [Benchmark(OperationsPerInvoke = Topologies)]
    public int Topology()
    {
        var right = 0;
        for (var seed = 1; seed <= Topologies; seed++)
        {
            if (IceTopologyRun.Run(IceTopologyDraw.Draw(seed)).IsRight) right++;
        }

        return right;
    }

    private void SendAndDeliver()
    {
        _sender.Run(static _ => { });
        _network.RunFor(TimeSpan.FromMilliseconds(20));
    }

    // Says what it is told to say, and forgets what it hears.
    private sealed class Talker : IProtocolCore
    {
        public Outbox Outbox { get; } = new();

        public Instant? Deadline => null;

        public void HandleDatagram(Instant now, FlowId flow, TransportAddress from, ReadOnlySpan<byte> datagram)
        {
        }

        public void HandleFlow(Instant now, FlowId flow, FlowChange change)
        {
        }

        public void HandleTimeout(Instant now)
        {
        }

        public bool TryTakeRequest(out FlowRequest request)
        {
            request = default!;
            return false;
        }
    }
}
