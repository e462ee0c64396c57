using System.Text;
using SipNat.Wire;

namespace SipNat.Simulation;

/// <summary>The plainest core: it keeps what it gets, sends what it is told to, and echoes where asked.</summary>
public sealed class DatagramProbe : IProtocolCore
{
    private readonly Queue<FlowRequest> _requests = new();
    private readonly List<ReceivedDatagram> _received = [];
    private readonly List<(FlowId Flow, FlowChange Change)> _changes = [];

    /// <summary>Whether everything is sent back to where it came from.</summary>
    public bool IsEcho { get; init; }

    public IReadOnlyList<ReceivedDatagram> Received => _received;

    public IReadOnlyList<(FlowId Flow, FlowChange Change)> Changes => _changes;

    public Outbox Outbox { get; } = new();

    public Instant? Deadline => null;

    /// <summary>Queues a datagram; it leaves with the host's next drain, which <see cref="SimulatedHost.Run"/> does.</summary>
    public void Send(FlowId flow, TransportAddress to, string text) => Outbox.Add(flow, to, Encoding.ASCII.GetBytes(text));

    public void Request(FlowRequest request) => _requests.Enqueue(request);

    public void HandleDatagram(Instant now, FlowId flow, TransportAddress from, ReadOnlySpan<byte> datagram)
    {
        _received.Add(new(now, flow, from, datagram.ToArray()));
        if (IsEcho) Outbox.Add(flow, from, datagram);
    }

    public void HandleFlow(Instant now, FlowId flow, FlowChange change) => _changes.Add((flow, change));

    public void HandleTimeout(Instant now)
    {
    }

    public bool TryTakeRequest(out FlowRequest request) => _requests.TryDequeue(out request);
}

/// <summary>A datagram or message that a core got, and when and where from.</summary>
public sealed record ReceivedDatagram(Instant At, FlowId Flow, TransportAddress From, byte[] Bytes)
{
    public string Text => Encoding.Latin1.GetString(Bytes);
}
