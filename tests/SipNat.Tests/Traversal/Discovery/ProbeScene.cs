using SipNat.Simulation;
using SipNat.Traversal.Discovery;
using SipNat.Wire;

namespace SipNat.Tests.Traversal.Discovery;

/// <summary>A probe on a host behind one NAT, two or none, and STUN servers on the internet.</summary>
internal sealed class ProbeScene
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(10);

    private readonly SimulatedNat? _nat;
    private readonly List<TransportAddress> _servers = [];
    private readonly bool _isFast;
    private readonly int _seed;
    private SimulatedHost? _host;

    public ProbeScene(NatOptions? nat, NatOptions? outer = null, bool isFast = false, int seed = 1, double loss = 0)
    {
        (_isFast, _seed) = (isFast, seed);
        Network = new(seed) { Loss = loss };
        var provider = outer is null ? null : Network.AddNat("203.0.113.9", outer);
        if (nat is not null) _nat = Network.AddNat(provider is null ? "203.0.113.1" : "100.64.0.2", nat, provider);
    }

    public SimulatedNetwork Network { get; }

    public long RequestsSent => _host!.PacketsSent;

    public SimulatedStunServer AddServer(string address, string? alternate = null)
    {
        _servers.Add(TransportAddress.Parse(address));
        return alternate is null ? SimulatedStunServer.AddTo(Network, address) : SimulatedStunServer.AddTo(Network, address, alternate);
    }

    /// <summary>Has somebody who sees the requests answer them first, from an address of his own.</summary>
    public void ForgeAnswersFrom(string address, string mapped)
    {
        var forger = new DatagramProbe();
        var host = Network.AddHost(address, forger);
        Network.Trace += record =>
        {
            if (record.Stage is not PacketStage.Delivered || !_servers.Contains(record.To)) return;

            var (to, answer) = (record.From, Answer(record.Bytes.ToArray(), TransportAddress.Parse(mapped)));
            host.Run(_ => forger.Outbox.Add(forger.Changes[0].Flow, to, answer));
        };
    }

    public NatMeasurement Measure()
    {
        var probe = new NatBehaviourProbe(new() { Servers = _servers, IsFast = _isFast }, new Random(_seed));
        _host = Network.AddHost(_nat is null ? "198.51.100.50" : "192.168.1.10", probe, _nat);
        for (var i = 0; i < probe.SocketCount; i++) _host.OpenUdp(40000 + (2 * i));

        Assert.True(Network.RunUntil(() => probe.Result is not null, Limit));
        Assert.Null(probe.Deadline);
        Network.AssertNothingRented();
        return probe.Result!;
    }

    // A success response with MAPPED-ADDRESS, by hand (RFC 8489 §5, §14.1).
    private static byte[] Answer(byte[] request, TransportAddress mapped)
    {
        var octets = new byte[4];
        mapped.WriteOctets(octets);
        return [0x01, 0x01, 0, 12, .. request[4..20], 0, 1, 0, 8, 0, 1, (byte)(mapped.Port >> 8), (byte)mapped.Port, .. octets];
    }
}
