using System.Diagnostics.Metrics;
using SipNat.Wire;

namespace SipNat.Server.Transport;

/// <summary>Counters of the signalling sockets.</summary>
internal sealed class TransportMetrics : IDisposable
{
    public const string MeterName = "SipNat.Transport";

    private readonly Meter _meter;
    private readonly Counter<long> _sends;
    private readonly Counter<long> _faults;
    private readonly Counter<long> _refusedConnections;
    private readonly UpDownCounter<int> _connections;

    public TransportMetrics(string meter)
    {
        _meter = new(meter);
        _sends = _meter.CreateCounter<long>("sipnat.sip.sends", description: "SIP datagrams and messages handed to the kernel, by outcome.");
        _faults = _meter.CreateCounter<long>("sipnat.core.faults", description: "Inputs on which the signalling core failed.");
        _refusedConnections = _meter.CreateCounter<long>("sipnat.sip.connections.refused", description: "Connections closed at once, by the cap that they met.");
        _connections = _meter.CreateUpDownCounter<int>("sipnat.sip.connections", description: "SIP connections open.");
    }

    public void CountSend(TransportProtocol transport, SendOutcome outcome) =>
        _sends.Add(1, new("transport", Names.Of(transport)), new("outcome", Names.Of(outcome)));

    public void CountFault() => _faults.Add(1);

    public void CountRefused(string cap) => _refusedConnections.Add(1, new KeyValuePair<string, object?>("cap", cap));

    public void CountConnection(int change) => _connections.Add(change);

    public void Dispose() => _meter.Dispose();

    // Boxed enum values and their names would cost an allocation per packet.
    private static class Names
    {
        public static string Of(TransportProtocol transport) => transport switch
        {
            TransportProtocol.Udp => "udp",
            TransportProtocol.Tcp => "tcp",
            TransportProtocol.Tls => "tls",
            TransportProtocol.Ws => "ws",
            _ => "wss",
        };

        public static string Of(SendOutcome outcome) => outcome switch
        {
            SendOutcome.Sent => "sent",
            SendOutcome.Dropped => "dropped",
            _ => "failed",
        };
    }
}
