using SipNat.Endpoint;
using SipNat.Endpoint.Accounts;
using SipNat.Endpoint.Calls;
using SipNat.Endpoint.Media;
using SipNat.Sip.Messages;
using SipNat.Wire;

namespace SipNat.Simulation.Accounts;

/// <summary>A signalling core with accounts on a simulated host, and a DNS that knows what it is told.</summary>
public sealed class SimulatedPhone
{
    private readonly List<AccountSnapshot> _changes = [];

    private readonly SimulatedNetwork _network;

    private SimulatedPhone(SimulatedNetwork network, SignallingOptions options, int seed) =>
        (_network, Core) = (network, new(options, new() { LocalNetworks = [NetworkPrefix.Parse("192.168.0.0/16")] }, new Random(seed)));

    public SignallingCore Core { get; }

    public SimulatedHost Host { get; private set; } = null!;

    /// <summary>Where each host name leads.</summary>
    public Dictionary<string, IReadOnlyList<SipTarget>> Names { get; } = [];

    /// <summary>Whether questions for the DNS stay unanswered.</summary>
    public bool IsDnsSilent { get; set; }

    /// <summary>How long an answer of the DNS holds; null: for ever.</summary>
    public TimeSpan? DnsLifetime { get; set; }

    /// <summary>After how long a question that the DNS does not answer is given up, as the system's resolver does; null: never.</summary>
    public TimeSpan? DnsLimit { get; set; }

    /// <summary>Names that were asked for, in order.</summary>
    public List<string> Asked { get; } = [];

    /// <summary>Every state that was told, in order.</summary>
    public IReadOnlyList<AccountSnapshot> Changes => _changes;

    /// <summary>The one account that there is.</summary>
    public AccountSnapshot Account => Core.Accounts.Single();

    public static SimulatedPhone AddTo(SimulatedNetwork network, string address, SimulatedNat? behind = null, int seed = 1)
    {
        var phone = new SimulatedPhone(network, new(), seed);
        phone.Host = network.AddHost(address, phone.Core, behind);
        phone.Host.Exchange = phone.Exchange;
        phone.Host.OpenUdp(5060);
        return phone;
    }

    public static AccountOptions Options(string name = "line", string domain = "example.com", string password = "secret") => new()
    {
        Name = name,
        Uri = SipUri.Parse($"sip:{name}@{domain}"),
        Username = name,
        Password = password,
        Registrar = SipUri.Parse($"sip:{domain}"),
        Instance = "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
    };

    /// <summary>Begins to keep an account registered.</summary>
    public void Add(AccountOptions options) => Host.Run(now => Core.AddAccount(now, options));

    /// <summary>Places a call of an account, which has the other side make the offer.</summary>
    public void Call(string target, string account = "line") =>
        Host.Run(now => Core.PlaceCall(now, new CallRequest { Target = SipUri.Parse(target), Account = account, OffersLater = true }));

    /// <summary>Calls as they were told, in order.</summary>
    public List<CallSnapshot> Calls { get; } = [];

    private void Exchange(Instant now)
    {
        while (Core.TryTakeCommand(out var command)) Serve(now, command);
        while (Core.TryTakeCall(out var call)) Calls.Add(call);
        while (Core.TryTakeAccount(out var snapshot)) _changes.Add(snapshot);
        while (Core.TryTakeLocate(out var request))
        {
            Asked.Add(request.Uri.Host);
            if (IsDnsSilent)
            {
                GiveUp(request.Asker);
                continue;
            }

            Core.HandleLocated(now, request.Asker, Names.GetValueOrDefault(request.Uri.Host, []), DnsLifetime);
        }

        while (Core.TryTakeAccount(out var snapshot)) _changes.Add(snapshot);
        while (Core.TryTakeNotice(out _))
        {
        }
    }

    // Ports that nothing comes by: calls here are signalling alone.
    private void Serve(Instant now, MediaCommand command)
    {
        static SocketAddresses Socket(MediaCommand.Open open, int port) => new(open.Local.WithPort(port), null, default);
        switch (command)
        {
            case MediaCommand.Open open:
                Core.HandleMedia(now, new MediaEvent.Opened(open.Session, [.. Enumerable.Range(0, open.Ports).Select(i => new MediaPortAddresses(Socket(open, 10_000 + (2 * i)), Socket(open, 10_001 + (2 * i)), false, now))]));
                break;
            case MediaCommand.Close close:
                Core.HandleMedia(now, new MediaEvent.Closed(close.Session, []));
                break;
        }
    }

    private void GiveUp(string account)
    {
        if (DnsLimit is { } limit) _network.After(limit, () => Host.Run(now => Core.HandleLocated(now, account, [], DnsLifetime)));
    }
}
