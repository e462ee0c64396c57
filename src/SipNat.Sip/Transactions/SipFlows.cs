using System.Diagnostics;
using SipNat.Wire;

namespace SipNat.Sip.Transactions;

/// <summary>The open flows with what a Via says of them.</summary>
internal sealed class SipFlows
{
    private readonly Dictionary<FlowId, Entry> _flows = [];

    public void Open(FlowId flow, TransportProtocol transport, TransportAddress local) => _flows[flow] = new(transport, local, local);

    public void Close(FlowId flow) => _flows.Remove(flow);

    /// <summary>The address of sent-by from here on; none for the local one.</summary>
    public void SetAdvertised(FlowId flow, TransportAddress advertised)
    {
        if (_flows.TryGetValue(flow, out var entry)) _flows[flow] = entry with { Advertised = advertised.IsNone ? entry.Local : advertised };
    }

    public bool TryGet(FlowId flow, out TransportProtocol transport, out TransportAddress local)
    {
        var found = _flows.TryGetValue(flow, out var entry);
        (transport, local) = (entry.Transport, entry.Local);
        return found;
    }

    /// <summary>The Via value of a request of ours (RFC 3261 §18.1.1); over UDP it asks for rport (RFC 3581 §3).</summary>
    public string Via(FlowId flow, string branch)
    {
        var (transport, _, advertised) = _flows[flow];
        var rport = transport.IsReliable ? "" : ";rport";
        return $"SIP/2.0/{Name(transport)} {advertised};branch={branch}{rport}";
    }

    private static string Name(TransportProtocol transport) => transport switch
    {
        TransportProtocol.Udp => "UDP",
        TransportProtocol.Tcp => "TCP",
        TransportProtocol.Tls => "TLS",
        TransportProtocol.Ws => "WS",
        TransportProtocol.Wss => "WSS",
        _ => throw new UnreachableException(),
    };

    private readonly record struct Entry(TransportProtocol Transport, TransportAddress Local, TransportAddress Advertised);
}
