using SipNat.Endpoint.Accounts;
using SipNat.Simulation;
using SipNat.Simulation.Accounts;
using SipNat.Wire;

namespace SipNat.Tests.Endpoint.Accounts;

/// <summary>A phone behind a NAT, and the registrar of example.com on the internet.</summary>
internal sealed class AccountScene
{
    public const string RegistrarAddress = "198.51.100.10:5060";

    public AccountScene(NatOptions? nat = null, int seed = 1, bool isBehindNat = true)
    {
        Network = new(seed);
        Registrar = SimulatedRegistrar.AddTo(Network, RegistrarAddress, "example.com", "secret");
        if (isBehindNat) Nat = Network.AddNat("203.0.113.1", nat ?? new() { PortAssignment = PortAssignment.Random });
        Phone = SimulatedPhone.AddTo(Network, isBehindNat ? "192.168.1.10" : "203.0.113.9", Nat, seed);
        Phone.Names["example.com"] = [Udp(RegistrarAddress)];
    }

    public SimulatedNetwork Network { get; }

    public SimulatedRegistrar Registrar { get; }

    public SimulatedNat? Nat { get; }

    public SimulatedPhone Phone { get; }

    public static SipTarget Udp(string address) => new(TransportProtocol.Udp, TransportAddress.Parse(address), null);

    public static SipTarget Tcp(string address) => new(TransportProtocol.Tcp, TransportAddress.Parse(address), null);

    public AccountScene Start(AccountOptions? options = null)
    {
        Phone.Add(options ?? SimulatedPhone.Options());
        return this;
    }

    public bool RunUntil(AccountState state, TimeSpan? limit = null) => Network.RunUntil(() => Phone.Account.State == state, limit ?? TimeSpan.FromMinutes(1));

    /// <summary>Whether a call of the registrar to the binding is answered within two seconds.</summary>
    public bool IsReachable()
    {
        var before = Registrar.Responses.Count;
        var sent = 0;
        Registrar.Host.Run(now => sent = Registrar.Call(now));
        Network.RunFor(TimeSpan.FromSeconds(2));
        return sent > 0 && Registrar.Responses.Count > before;
    }
}
