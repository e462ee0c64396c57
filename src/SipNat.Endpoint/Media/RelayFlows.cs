using SipNat.Traversal.Turn;
using SipNat.Wire;

namespace SipNat.Endpoint.Media;

/// <summary>
/// The flows of one port's relays: UDP goes by the media sockets themselves, everything else by connections that are
/// asked of the shell. Ids that are made up here are negative, which those of the shell never are.
/// </summary>
/// <param name="former">What stood in its place before, whose connections are the port's too; null for the first.</param>
internal sealed class RelayFlows(
    MediaPortFlows port, IReadOnlyList<TurnServerOptions> servers, MadeUpFlows numbers, Queue<MediaConnectionRequest> requests, Random random, RelayFlows? former) : IRelayFlows
{
    private readonly List<FlowId> _connections = [.. former?.Connections ?? []];
    private readonly Dictionary<int, IReadOnlyList<TurnAllocation>> _allocations = [];
    private TimeSpan? _keepalive;
    private int _taken = former?.Connections.Count ?? 0;

    /// <summary>Connections that were asked for; each is a flow of this port.</summary>
    public IReadOnlyList<FlowId> Connections => _connections;

    public IReadOnlyList<TurnAllocation> OpenAllocations(int component)
    {
        var allocations = new List<TurnAllocation>();
        foreach (var server in servers)
        {
            var flow = server.Transport.IsReliable ? Connect(server, server.Server) : component == 1 ? port.Rtp : port.Rtcp;
            allocations.Add(new(flow, _keepalive is { } bound ? server with { KeepaliveBound = bound } : server, random));
        }

        _allocations[component] = allocations;
        return allocations;
    }

    public FlowId Connect(int place, TransportAddress server, string? tlsName) => Connect(servers[place] with { TlsName = tlsName }, server);

    /// <summary>The longest time between two packets that keep the way to the servers open, from the next one on.</summary>
    public void LimitKeepalive(TimeSpan bound)
    {
        _keepalive = bound;
        foreach (var allocation in _allocations.Values.SelectMany(static of => of)) allocation.KeepaliveBound = bound;
    }

    public FlowId DrawFlow() => numbers.Draw();

    /// <summary>Takes the connections that were asked for since this was asked last.</summary>
    public bool TryTakeNew(out FlowId connection)
    {
        connection = _taken < _connections.Count ? _connections[_taken] : default;
        if (_taken == _connections.Count) return false;

        _taken++;
        return true;
    }

    private FlowId Connect(TurnServerOptions options, TransportAddress server)
    {
        var flow = numbers.Draw();
        _connections.Add(flow);
        requests.Enqueue(new MediaConnectionRequest.Connect(flow, options.Transport, port.LocalRtp.WithPort(0), server, options.TlsName));
        return flow;
    }
}

/// <summary>Ids of flows that no shell gives: relayed addresses, and connections that are yet to be made.</summary>
internal sealed class MadeUpFlows
{
    private int _last;

    public FlowId Draw() => new(--_last);
}
