using System.Globalization;
using System.Text;
using SipNat.Traversal.Turn;
using SipNat.Wire;

namespace SipNat.Tests.Traversal.Turn;

/// <summary>A host's core that owns one allocation: it opens the flow, starts, and writes down what happens.</summary>
internal sealed class TurnClient(TurnServerOptions options, int seed = 1) : IProtocolCore
{
    private readonly Queue<FlowRequest> _requests = new();

    public TurnAllocation Allocation { get; private set; } = null!;

    /// <summary>Every event as "seconds text".</summary>
    public List<string> Events { get; } = [];

    /// <summary>Every relayed packet as "peer text".</summary>
    public List<string> Received { get; } = [];

    public Outbox Outbox { get; } = new();

    public Instant? Deadline => Allocation?.Deadline;

    /// <summary>Asks for the connection to a server that is not reached by UDP.</summary>
    public void Connect() => _requests.Enqueue(new(FlowRequestKind.Connect, default, options.Transport, options.Server));

    /// <summary>Forgets the allocation without a word to the server and asks for one by the same socket.</summary>
    public void StartOver(Instant now)
    {
        Allocation = new(Allocation.Flow, options, new Random(seed + 100));
        Allocation.Start(now);
    }

    public void Send(Instant now, TransportAddress peer, string text)
    {
        Assert.True(Allocation.TrySend(now, peer, Encoding.ASCII.GetBytes(text)));
        Drain();
    }

    public void HandleFlow(Instant now, FlowId flow, FlowChange change)
    {
        if (change.Kind is not FlowChangeKind.Opened)
        {
            Allocation?.HandleFlow(now, flow, change);
        }
        else if (Allocation is { State: TurnAllocationState.Redirected or TurnAllocationState.Closed })
        {
            Allocation.Continue(now, flow);
        }
        else
        {
            Allocation = new(flow, options, new Random(seed));
            Allocation.Start(now);
        }

        Drain();
    }

    public void HandleDatagram(Instant now, FlowId flow, TransportAddress from, ReadOnlySpan<byte> datagram)
    {
        if (Allocation.TryHandle(now, flow, from, datagram, out var packet) is TurnInput.Packet)
        {
            Received.Add($"{packet.Peer} {Encoding.ASCII.GetString(packet.Payload)}");
        }

        Drain();
    }

    public void HandleTimeout(Instant now)
    {
        Allocation.HandleTimeout(now);
        Drain();
    }

    public bool TryTakeRequest(out FlowRequest request) => _requests.TryDequeue(out request);

    public void Drain()
    {
        Outbox.TakeAllFrom(Allocation.Outbox);
        while (Allocation.TryTake(out var happened))
        {
            Events.Add(string.Create(CultureInfo.InvariantCulture, $"{TimeSpan.FromTicks(At(happened).Ticks).TotalSeconds:0.##} {happened.Explain()}"));
            if (happened is TurnEvent.Redirected redirected) _requests.Enqueue(new(FlowRequestKind.Connect, default, options.Transport, redirected.Server));
        }
    }

    private static Instant At(TurnEvent happened) => happened switch
    {
        TurnEvent.Allocated e => e.At,
        TurnEvent.Lost e => e.At,
        TurnEvent.Failed e => e.At,
        TurnEvent.Redirected e => e.At,
        TurnEvent.PeerPermitted e => e.At,
        TurnEvent.ChannelBound e => e.At,
        TurnEvent.PeerRefused e => e.At,
        TurnEvent.Released e => e.At,
        _ => throw new System.Diagnostics.UnreachableException(),
    };
}
