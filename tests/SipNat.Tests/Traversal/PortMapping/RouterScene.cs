using System.Globalization;
using System.Text;
using SipNat.Traversal.PortMapping;
using SipNat.Wire;

namespace SipNat.Tests.Traversal.PortMapping;

/// <summary>A mapper before a scripted router, in virtual time. Times are seconds since the start.</summary>
internal sealed class RouterScene
{
    public static readonly TransportAddress Local = TransportAddress.Parse("192.168.1.10:40000");
    public static readonly TransportAddress Router = TransportAddress.Parse("192.168.1.1:0");
    public static readonly InternalPort Sip = new(TransportProtocol.Udp, Local.WithPort(5060));
    public static readonly InternalPort SipTcp = new(TransportProtocol.Tcp, Local.WithPort(5060));
    public static readonly InternalPort Rtp = new(TransportProtocol.Udp, Local.WithPort(10000));
    public static readonly FlowId Flow = new(1);
    public static readonly FlowId Announcements = new(2);

    private const double Latency = 0.01;
    private static readonly Instant Start = new(987_654_321);
    private readonly PriorityQueue<Action, (Instant At, int Order)> _arriving = new();
    private Instant _now = Start;
    private int _order;

    public RouterScene(ScriptedRouter router, int seed = 1)
    {
        Scripted = router;
        Mapper = new(new() { Router = Router }, new Random(seed));
        Mapper.HandleFlow(_now, Announcements, new(FlowChangeKind.Opened, TransportProtocol.Udp, TransportAddress.Parse("192.168.1.10:5350"), default));
        Mapper.HandleFlow(_now, Flow, new(FlowChangeKind.Opened, TransportProtocol.Udp, Local, default));
    }

    public ScriptedRouter Scripted { get; }

    public PortMapper Mapper { get; }

    public Instant Instant => _now;

    public double Now => (_now - Start).TotalSeconds;

    /// <summary>Whether the network loses everything.</summary>
    public bool IsSilent { get; set; }

    /// <summary>Every datagram as "time destination bytes in hex"; of SSDP the first line.</summary>
    public List<string> Sent { get; } = [];

    /// <summary>The PCP mapping that was asked for last.</summary>
    public byte[] LastPcpMap => Convert.FromHexString(Sent.Last(line => line.Contains(":5351 0201", StringComparison.Ordinal)).Split(' ')[2]);

    /// <summary>Every request by HTTP as "method address action".</summary>
    public List<string> Http { get; } = [];

    /// <summary>Every event as "time text".</summary>
    public List<string> Events { get; } = [];

    public void Map(params InternalPort[] ports)
    {
        foreach (var port in ports) Assert.True(Mapper.TryMap(_now, port, port.Local.Port));
        Drain();
    }

    public void Do(Action<PortMapper, Instant> input)
    {
        input(Mapper, _now);
        Drain();
    }

    public void RunUntil(double seconds)
    {
        var end = Start + TimeSpan.FromSeconds(seconds);
        for (var turns = 0; Next() is { } next && next <= end; turns++)
        {
            Assert.True(turns < 100_000, "It goes round and round.");
            _now = next > _now ? next : _now;
            while (_arriving.TryPeek(out _, out var due) && due.At <= _now) _arriving.Dequeue()();
            Mapper.HandleTimeout(_now);
            Assert.True(Mapper.Deadline is not { } deadline || deadline > _now);
            Drain();
        }

        _now = end;
    }

    /// <summary>A datagram from anybody, at this moment.</summary>
    public void Receive(TransportAddress from, byte[] bytes, FlowId? flow = null)
    {
        Mapper.HandleDatagram(_now, flow ?? Flow, from, bytes);
        Drain();
    }

    private Instant? Next() => Instant.Earlier(Mapper.Deadline, _arriving.TryPeek(out _, out var due) ? due.At : null);

    private void Drain()
    {
        while (Mapper.TryTake(out var happened)) Events.Add(Text($"{Now:0.###} {happened.Explain()}"));
        while (Mapper.TryTakeHttp(out var request)) Ask(request);
        while (Mapper.Outbox.TryTake(out var transmit))
        {
            var bytes = transmit.Payload.ToArray();
            Send(transmit.Destination, bytes);
            Mapper.Outbox.Release(transmit);
        }
    }

    private void Send(TransportAddress destination, byte[] bytes)
    {
        var isSearch = destination.Port == 1900;
        Sent.Add(Text($"{Now:0.###} {destination} {(isSearch ? Encoding.ASCII.GetString(bytes).Split("\r\n")[4] : Convert.ToHexString(bytes))}"));
        if (IsSilent) return;

        if (!isSearch && Scripted.Answer(Now, bytes) is { } answer) Later(() => Mapper.HandleDatagram(_now, Flow, destination, answer));
        if (isSearch && Scripted.SpeaksUpnp)
        {
            var target = Encoding.ASCII.GetString(bytes).Split("\r\nST: ")[1].Split("\r\n")[0];
            Later(() => Mapper.HandleDatagram(_now, Flow, Router.WithPort(1900), Scripted.SsdpAnswer(target)));
        }
    }

    private void Ask(RouterHttpRequest request)
    {
        var body = Encoding.UTF8.GetString(request.Body.Span);
        Http.Add($"{(request.SoapAction is null ? "GET" : "POST")} {request.Address} {request.SoapAction?.Split('#')[1].Trim('"')}".TrimEnd());
        if (IsSilent) Later(() => Mapper.HandleHttp(_now, request.Id, 0, default));
        else
        {
            var (status, text) = Scripted.AnswerHttp(request.Address.AbsolutePath, request.SoapAction, body);
            Later(() => Mapper.HandleHttp(_now, request.Id, status, Encoding.UTF8.GetBytes(text)));
        }
    }

    private void Later(Action input) => _arriving.Enqueue(input, (_now + TimeSpan.FromSeconds(Latency), _order++));

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
