using SipNat.Simulation;
using SipNat.Wire;

namespace SipNat.Tests.Simulation;

/// <summary>A client behind one NAT, and three sockets on the internet: two ports of one address, one of another.</summary>
internal sealed class NatScene
{
    public static readonly TransportAddress A1 = TransportAddress.Parse("198.51.100.1:1000");
    public static readonly TransportAddress A2 = TransportAddress.Parse("198.51.100.1:2000");
    public static readonly TransportAddress B1 = TransportAddress.Parse("198.51.100.2:1000");

    private readonly Dictionary<TransportAddress, FlowId> _serverFlows = [];
    private readonly Dictionary<TransportAddress, SimulatedHost> _serverHosts = [];
    private readonly Dictionary<TransportAddress, DatagramProbe> _serverProbes = [];

    public NatScene(NatOptions options, int seed = 1)
    {
        Network = new(seed);
        Nat = Network.AddNat("203.0.113.1", options);
        ClientHost = Network.AddHost("192.168.1.10", Client, Nat);
        ClientFlow = ClientHost.OpenUdp(4000);

        var hostA = Network.AddHost("198.51.100.1", new DatagramProbe());
        var hostB = Network.AddHost("198.51.100.2", new DatagramProbe());
        AddServer(hostA, A1);
        AddServer(hostA, A2);
        AddServer(hostB, B1);
    }

    public SimulatedNetwork Network { get; }

    public SimulatedNat Nat { get; }

    public DatagramProbe Client { get; } = new();

    public SimulatedHost ClientHost { get; }

    public FlowId ClientFlow { get; }

    /// <summary>Sends from the client and gives the source that the server saw; none when it did not arrive.</summary>
    public TransportAddress Send(TransportAddress server) => Send(ClientHost, Client, ClientFlow, server);

    public TransportAddress Send(SimulatedHost host, DatagramProbe probe, FlowId flow, TransportAddress server)
    {
        var before = _serverProbes[server].Received.Count;
        host.Run(_ => probe.Send(flow, server, "out"));
        Settle();
        var received = _serverProbes[server].Received;
        return received.Count > before ? received[^1].From : default;
    }

    /// <summary>Whether a datagram from a server reaches the client.</summary>
    public bool Reaches(TransportAddress server, TransportAddress external)
    {
        var before = Client.Received.Count;
        _serverHosts[server].Run(_ => _serverProbes[server].Send(_serverFlows[server], external, "in"));
        Settle();
        return Client.Received.Count > before;
    }

    private void Settle() => Network.RunFor(TimeSpan.FromMilliseconds(20));

    private void AddServer(SimulatedHost host, TransportAddress address)
    {
        var probe = new DatagramProbe();
        host.Attach(probe);
        (_serverHosts[address], _serverProbes[address], _serverFlows[address]) = (host, probe, host.OpenUdp(address.Port, probe));
    }
}
