using System.Buffers.Binary;
using SipNat.Endpoint.Dns;
using SipNat.Wire;

namespace SipNat.Tests.Endpoint.Dns;

/// <summary>A resolver, and servers that answer as a test wants it: time goes from deadline to deadline.</summary>
internal sealed class ResolverScene(DnsResolverOptions options)
{
    public static readonly TransportAddress First = TransportAddress.Parse("192.0.2.53:53");
    public static readonly TransportAddress Second = TransportAddress.Parse("[2001:db8::53]:53");

    private readonly Dictionary<FlowId, (TransportProtocol Transport, TransportAddress Server)> _open = [];
    private int _flows;

    public ResolverScene(params string[] searchDomains)
        : this(new DnsResolverOptions { Servers = [First, Second], SearchDomains = searchDomains })
    {
    }

    public DnsResolver Resolver { get; } = new(options, new Random(1));

    public Instant Now { get; private set; } = new(0);

    /// <summary>Every query as "seconds transport server name type".</summary>
    public List<string> Asked { get; } = [];

    /// <summary>The message ids of them.</summary>
    public List<ushort> Ids { get; } = [];

    /// <summary>Flows that were opened.</summary>
    public int Flows => _flows;

    public int OpenFlows => _open.Count;

    /// <summary>Servers that no connection reaches.</summary>
    public HashSet<TransportAddress> Unreachable { get; } = [];

    /// <summary>What a server answers to a query; nothing where null.</summary>
    public Func<TransportAddress, TransportProtocol, string, byte[], byte[]?> Server { get; set; } = static (_, _, _, _) => null;

    /// <summary>Answers by name: what each server knows. Unknown names are told to be none.</summary>
    public void Serve(params (string Question, byte[][] Records)[] zone) => Server = (_, _, question, query) =>
        zone.FirstOrDefault(entry => entry.Question == question).Records is { } records
            ? DnsVectors.Answer(query, 0, false, records)
            : DnsVectors.Answer(query, 3, false, [], [DnsVectors.Soa("example", 60, 30)]);

    public DnsResult Resolve(string name, DnsType type = DnsType.A)
    {
        var number = Resolver.Resolve(Now, name, type);
        DnsResult? result;
        while (!TryTake(number, out result))
        {
            Now = Resolver.Deadline ?? throw new InvalidOperationException("It waits for nothing.");
            Resolver.HandleTimeout(Now);
        }

        return result!;
    }

    public void Wait(double seconds) => Now += TimeSpan.FromSeconds(seconds);

    /// <summary>Does what the resolver wants done, until it wants nothing.</summary>
    public void Pump()
    {
        while (Resolver.TryTakeRequest(out var request))
        {
            if (request.Kind is FlowRequestKind.Close) _open.Remove(request.Flow);
            else Connect(request);
        }
    }

    private bool TryTake(int number, out DnsResult? result)
    {
        Pump();
        return Resolver.TryTakeResult(out result!) && (result.Query == number ? true : throw new InvalidOperationException("Another query's result."));
    }

    private void Connect(FlowRequest request)
    {
        var flow = new FlowId(++_flows);
        var kind = Unreachable.Contains(request.Remote) ? FlowChangeKind.Refused : FlowChangeKind.Opened;
        if (kind is FlowChangeKind.Opened) _open.Add(flow, (request.Transport, request.Remote));
        Resolver.HandleFlow(Now, flow, new(kind, request.Transport, default, request.Remote));
        while (Resolver.Outbox.TryTake(out var transmit))
        {
            Answer(transmit.Flow, transmit.Payload.ToArray());
            Resolver.Outbox.Release(transmit);
        }
    }

    private void Answer(FlowId flow, byte[] sent)
    {
        var (transport, server) = _open[flow];
        var query = transport is TransportProtocol.Tcp ? sent[2..] : sent;
        var offset = 12;
        Assert.True(DnsName.TryRead(query, ref offset, out var name));
        var question = $"{name} {(DnsType)BinaryPrimitives.ReadUInt16BigEndian(query.AsSpan(offset))}";
        Asked.Add($"{TimeSpan.FromTicks(Now.Ticks).TotalSeconds:0.#} {transport} {server} {question}");
        Ids.Add(BinaryPrimitives.ReadUInt16BigEndian(query));
        if (Server(server, transport, question, query) is not { } answer) return;

        byte[] prefix = transport is TransportProtocol.Tcp ? [(byte)(answer.Length >> 8), (byte)answer.Length] : [];
        Resolver.HandleDatagram(Now, flow, server, [.. prefix, .. answer]);
    }
}
