using SipNat.Simulation;
using SipNat.Simulation.Turn;
using SipNat.Traversal.Stun;
using SipNat.Traversal.Turn;
using SipNat.Wire;

namespace SipNat.Tests.Traversal.Turn;

/// <summary>A client behind a symmetric NAT, and a TURN server on the internet.</summary>
internal sealed class TurnScene
{
    public const string Address = "198.51.100.1:3478";
    public static readonly TransportAddress Server = TransportAddress.Parse(Address);
    public static readonly TransportAddress Peer = TransportAddress.Parse("198.51.100.9:9000");

    public TurnScene(SimulatedTurnServerOptions? server = null, TurnServerOptions? options = null, int seed = 1)
    {
        Network = new(seed);
        Turn = SimulatedTurnServer.AddTo(Network, Address, server);
        PeerHost = Network.AddHost(Peer.ToString(), PeerProbe);
        (Client, ClientHost) = AddClient("192.168.1.10", "203.0.113.1", options ?? Options, seed);
    }

    public static TurnServerOptions Options { get; } = new() { Server = Server, Credentials = new("user", "password") };

    public SimulatedNetwork Network { get; }

    public SimulatedTurnServer Turn { get; }

    public TurnClient Client { get; }

    public SimulatedHost ClientHost { get; }

    public DatagramProbe PeerProbe { get; } = new();

    public SimulatedHost PeerHost { get; }

    public TurnAllocation Allocation => Client.Allocation;

    public TransportAddress Relayed => Allocation.Relayed ?? default;

    /// <summary>The codes of the answers to a method, in order.</summary>
    public IEnumerable<int> CodesOf(StunMethod method) => Turn.Answers.Where(answer => answer.Method == method).Select(answer => answer.Code);

    public (TurnClient Client, SimulatedHost Host) AddClient(string address, string external, TurnServerOptions options, int seed)
    {
        var nat = Network.AddNat(external, NatOptions.Symmetric);
        var client = new TurnClient(options, seed);
        var host = Network.AddHost(address, client, nat);
        if (options.Transport.IsReliable)
        {
            client.Connect();
            host.Run(static _ => { });
        }
        else
        {
            host.OpenUdp(4000);
        }

        return (client, host);
    }

    public void Run(double seconds) => Network.RunFor(TimeSpan.FromSeconds(seconds));

    public void Do(Action<Instant> input) => Do(ClientHost, Client, input);

    public void Do(SimulatedHost host, TurnClient client, Action<Instant> input) => host.Run(now =>
    {
        input(now);
        client.Drain();
    });

    /// <summary>Wants the peer and waits for the server's word.</summary>
    public void Permit(bool withChannel = false)
    {
        Do(now => Assert.True(withChannel ? Allocation.Bind(now, Peer) : Allocation.Permit(now, Peer)));
        Run(1);
    }

    /// <summary>Sends the peer a packet and gives what it has got since.</summary>
    public string[] Send(string text)
    {
        var before = PeerProbe.Received.Count;
        Do(now => Client.Send(now, Peer, text));
        Run(0.1);
        return [.. PeerProbe.Received.Skip(before).Select(datagram => $"{datagram.From} {datagram.Text}")];
    }

    /// <summary>Has the peer send a packet to the relayed address.</summary>
    public void Answer(string text)
    {
        var flow = PeerProbe.Changes[0].Flow;
        PeerHost.Run(_ => PeerProbe.Send(flow, Relayed, text));
        Run(0.1);
    }
}
