using System.Threading.Channels;
using SipNat.Wire;

namespace SipNat.Server.Tests.Transport;

/// <summary>Sends back what it hears, and writes down everything that the shell tells it.</summary>
internal sealed class EchoCore : IProtocolCore
{
    private readonly Channel<string> _heard = Channel.CreateUnbounded<string>();
    private readonly Queue<FlowRequest> _requests = new();

    public Outbox Outbox { get; } = new();

    public Instant? Deadline { get; set; }

    public bool Echoes { get; set; } = true;

    /// <summary>Runs in place of the echo.</summary>
    public Action<Instant, FlowId, TransportAddress>? OnDatagram { get; set; }

    public Action<Instant>? OnTimeout { get; set; }

    public void HandleDatagram(Instant now, FlowId flow, TransportAddress from, ReadOnlySpan<byte> datagram)
    {
        _heard.Writer.TryWrite($"{System.Text.Encoding.ASCII.GetString(datagram)}");
        if (OnDatagram is not null) OnDatagram(now, flow, from);
        else if (Echoes) Outbox.Add(flow, from, datagram);
    }

    /// <summary>Why the last connection was refused.</summary>
    public string? Reason { get; private set; }

    public void HandleFlow(Instant now, FlowId flow, FlowChange change)
    {
        Reason = change.Reason;
        _heard.Writer.TryWrite($"{change.Kind} {change.Transport} {change.Remote}");
    }

    public void HandleTimeout(Instant now)
    {
        if (Deadline is not { } due || due > now) return;

        Deadline = null;
        OnTimeout?.Invoke(now);
        _heard.Writer.TryWrite("timeout");
    }

    public void Request(FlowRequest request) => _requests.Enqueue(request);

    public bool TryTakeRequest(out FlowRequest request) => _requests.TryDequeue(out request);

    /// <summary>The next thing that the core was told; waits for it up to five seconds.</summary>
    public async Task<string> NextAsync()
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        deadline.CancelAfter(TimeSpan.FromSeconds(5));
        return await _heard.Reader.ReadAsync(deadline.Token);
    }

    /// <summary>Whether nothing is waiting to be read.</summary>
    public bool IsQuiet => _heard.Reader.Count == 0;
}
