using SipNat.Endpoint.Media;
using SipNat.Wire;

namespace SipNat.Simulation.Recorder;

/// <summary>Pairs of media ports of a simulated host: RTP even, RTCP above it; a closed pair waits longest for its next use.</summary>
internal sealed class SimulatedPorts
{
    private readonly Queue<int> _free = new();

    public SimulatedPorts(int first, int last)
    {
        for (var port = first + (first % 2); port < last; port += 2) _free.Enqueue(port);
    }

    /// <summary>False when every pair is taken.</summary>
    public bool TryBind(SimulatedHost host, IProtocolCore owner, TransportAddress local, out MediaPortFlows flows)
    {
        flows = null!;
        if (!_free.TryDequeue(out var port)) return false;

        flows = new(
            host.OpenUdp(port, owner, local),
            local.WithPort(port),
            host.OpenUdp(port + 1, owner, local),
            local.WithPort(port + 1));
        return true;
    }

    public void Close(SimulatedHost host, MediaPortFlows flows)
    {
        host.Close(flows.Rtp);
        host.Close(flows.Rtcp);
        _free.Enqueue(flows.LocalRtp.Port);
    }
}
