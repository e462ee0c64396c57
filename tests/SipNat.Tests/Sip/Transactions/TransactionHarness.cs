using SipNat.Sip.Messages;
using SipNat.Sip.Transactions;
using SipNat.Wire;

namespace SipNat.Tests.Sip.Transactions;

/// <summary>One layer with a UDP and a TCP flow, and a log of all that it sends and tells, each line with its millisecond.</summary>
internal sealed class TransactionHarness
{
    public static readonly FlowId Udp = new(1);
    public static readonly FlowId Tcp = new(2);
    public static readonly TransportAddress Local = TransportAddress.Parse("192.0.2.1:5060");
    public static readonly TransportAddress Peer = TransportAddress.Parse("198.51.100.7:5062");

    public TransactionHarness(TransactionOptions? options = null)
    {
        Layer = new(options ?? new(), new Random(1));
        Layer.HandleFlow(Now, Udp, new(FlowChangeKind.Opened, TransportProtocol.Udp, Local, default));
        Layer.HandleFlow(Now, Tcp, new(FlowChangeKind.Opened, TransportProtocol.Tcp, Local, Peer));
    }

    public TransactionLayer Layer { get; }

    public Instant Now { get; private set; } = new(0);

    public List<string> Log { get; } = [];

    public List<(FlowId Flow, TransportAddress Destination, byte[] Bytes)> Sent { get; } = [];

    public List<TransactionEvent> Events { get; } = [];

    public string LastSent => Wired.Text(Sent[^1].Bytes);

    public TransactionId LastTransaction => Events.OfType<TransactionEvent.Request>().Last().Transaction;

    public void Receive(string text, FlowId? flow = null, TransportAddress? from = null) =>
        Receive(Wired.Bytes(text), flow, from);

    public void Receive(ReadOnlySpan<byte> bytes, FlowId? flow = null, TransportAddress? from = null)
    {
        Layer.HandleMessage(Now, flow ?? Udp, from ?? Peer, bytes);
        Drain();
    }

    public void Respond(int status, string? tag = null)
    {
        Layer.Respond(Now, LastTransaction, new(status) { ToTag = tag });
        Drain();
    }

    public void Dismiss(int status)
    {
        Layer.Dismiss(LastTransaction, new(status));
        Drain();
    }

    public TransactionId Request(SipMethod method, FlowId? flow = null)
    {
        var id = Layer.Request(Now, flow ?? Udp, Peer, NewRequest(method));
        Drain();
        return id;
    }

    public void Cancel(TransactionId invite)
    {
        Layer.Cancel(Now, invite);
        Drain();
    }

    public void SendAck(FlowId flow)
    {
        Layer.SendAck(Now, flow, Peer, NewRequest(SipMethod.Ack));
        Drain();
    }

    public void ChangeFlow(FlowId flow, FlowChangeKind kind, TransportAddress remote = default)
    {
        Layer.HandleFlow(Now, flow, new(kind, flow == Udp ? TransportProtocol.Udp : TransportProtocol.Tcp, Local, remote));
        Drain();
    }

    /// <summary>Runs every deadline on the way, each at its moment, and stops at the given one.</summary>
    public void RunTo(double milliseconds)
    {
        var end = At(milliseconds);
        while (Layer.Deadline is { } due && due <= end)
        {
            Now = due;
            HandleTimeout();
        }

        Now = end;
    }

    /// <summary>Jumps there without a stop, as a process does that was suspended.</summary>
    public void SleepTo(double milliseconds)
    {
        Now = At(milliseconds);
        HandleTimeout();
    }

    public void Forget()
    {
        Log.Clear();
        Sent.Clear();
        Events.Clear();
    }

    public void AssertLog(params string[] expected)
    {
        Assert.Equal(expected, Log);
        Log.Clear();
    }

    public static SipRequest NewRequest(SipMethod method) => new()
    {
        Method = method,
        Uri = "sip:b@example.com",
        From = "<sip:a@example.com>;tag=1",
        To = "<sip:b@example.com>",
        CallId = "c",
        CSeq = 1,
    };

    /// <summary>The answer of the peer to the last request of that method.</summary>
    public string Answer(SipMethod method, int status, string toTag = "2")
    {
        var request = Sent.Select(s => Wired.Text(s.Bytes)).Last(t => t.StartsWith(method.Name + " ", StringComparison.Ordinal));
        var copied = request.Split('\n').Where(l => l.StartsWith("Via", StringComparison.Ordinal) || l.StartsWith("From", StringComparison.Ordinal)
            || l.StartsWith("Call-ID", StringComparison.Ordinal) || l.StartsWith("CSeq", StringComparison.Ordinal));
        return $"SIP/2.0 {status} X\n{string.Join('\n', copied)}\nTo: <sip:b@example.com>;tag={toTag}\nContent-Length: 0";
    }

    private static Instant At(double milliseconds) => new Instant(0) + TimeSpan.FromMilliseconds(milliseconds);

    private void HandleTimeout()
    {
        Layer.HandleTimeout(Now);
        Assert.True(Layer.Deadline is null || Layer.Deadline > Now);
        Drain();
    }

    private void Drain()
    {
        var milliseconds = (Now - new Instant(0)).TotalMilliseconds;
        while (Layer.Outbox.TryTake(out var transmit))
        {
            Sent.Add((transmit.Flow, transmit.Destination, transmit.Payload.ToArray()));
            Layer.Outbox.Release(transmit);
            var words = LastSent.Split('\n')[0].Split(' ');
            Log.Add($"{milliseconds} > {(words[0] == "SIP/2.0" ? words[1] : words[0])}");
        }

        while (Layer.TryTake(out var e))
        {
            Events.Add(e);
            Log.Add($"{milliseconds} ! {Describe(e)}");
        }

        Assert.Equal(0, Layer.Outbox.Rented);
    }

    private static string Describe(TransactionEvent e) => e switch
    {
        TransactionEvent.Request r => $"Request {r.Message.Method.Name}",
        TransactionEvent.Response r => $"Response {r.Message.StatusCode}",
        TransactionEvent.Malformed m => $"Malformed {m.Defect}",
        _ => e.GetType().Name,
    };
}
