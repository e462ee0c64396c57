using SipNat.Traversal.Turn;
using SipNat.Wire;

namespace SipNat.Endpoint.Dns;

/// <summary>
/// Finds the servers of a domain that offers STUN (RFC 8489 §8) or TURN (RFC 5928): which questions to ask next, and what
/// the answers make of them. It ends at what NAPTR and SRV records say; a domain without them is a host, to be resolved
/// like any other.
/// </summary>
public sealed class ServerLookup
{
    /// <summary>Servers of one domain that are asked for their addresses.</summary>
    public const int MaxTargets = 8;

    /// <summary>NAPTR records that lead to further NAPTR records.</summary>
    public const int MaxPointers = 3;

    /// <summary>Services of one domain that are looked at.</summary>
    public const int MaxServices = 8;

    private const string Relay = "RELAY:";

    private readonly Random _random;
    private readonly Queue<DnsQuestion> _questions = new();
    private readonly List<ServicePlace> _services = [];
    private readonly List<ServerTarget> _targets = [];
    private readonly IReadOnlyList<TransportProtocol> _transports;
    private readonly string _domain;
    private int _pointers;
    private int _outstanding;
    private Stage _stage;

    private ServerLookup(string domain, IReadOnlyList<TransportProtocol> transports, Random random) =>
        (_domain, _transports, _random) = (domain.TrimEnd('.'), transports, random);

    private enum Stage
    {
        Pointers,
        Services,
        Targets,
        Done,
    }

    public bool IsDone => _stage is Stage.Done;

    /// <summary>In the order in which they are to be tried; empty where the domain names none.</summary>
    public IReadOnlyList<LocatedServer> Servers { get; private set; } = [];

    /// <summary>STUN over UDP: <c>_stun._udp</c>.</summary>
    public static ServerLookup ForStun(string domain, Random random)
    {
        var lookup = new ServerLookup(domain, [TransportProtocol.Udp], random);
        lookup.AskForServices([new(TransportProtocol.Udp, $"_stun._udp.{lookup._domain}")]);
        return lookup;
    }

    /// <summary>TURN, for a URI that names a domain and no port; without a transport NAPTR records are asked for first.</summary>
    public static ServerLookup ForTurn(TurnUri uri, Random random)
    {
        // turn: alone asks for no security (RFC 5928 §3): TLS is for turns:.
        IReadOnlyList<TransportProtocol> transports = uri.IsSecure ? [TransportProtocol.Tls]
            : uri.Transport is { } transport ? [transport]
            : [TransportProtocol.Udp, TransportProtocol.Tcp];
        var lookup = new ServerLookup(uri.Host, transports, random);
        if (uri.Transport is null) lookup.Ask(new(DnsName.Normalize(uri.Host), DnsType.Naptr));
        else lookup.AskForServices(lookup.DefaultServices());
        return lookup;
    }

    /// <summary>Takes the next question; several may be asked at once.</summary>
    public bool TryTakeQuestion(out DnsQuestion question) => _questions.TryDequeue(out question);

    /// <summary>Takes the answer to a question that was taken.</summary>
    public void Handle(DnsQuestion question, IReadOnlyList<DnsRecord> records)
    {
        if (IsDone) return;

        _outstanding--;
        switch (_stage)
        {
            case Stage.Pointers:
                HandlePointers(records);
                return;
            case Stage.Services:
                foreach (var service in _services.Where(service => service.Name == question.Name)) service.Records = [.. records.OfType<DnsRecord.Service>()];
                break;
            default:
                foreach (var target in _targets.Where(target => target.Name == question.Name)) target.Addresses.AddRange(records.OfType<DnsRecord.Host>().Select(static host => host.Address));
                break;
        }

        if (_outstanding > 0) return;
        if (_stage is Stage.Services) AskForTargets();
        else Finish();
    }

    private void Ask(DnsQuestion question)
    {
        _outstanding++;
        _questions.Enqueue(question);
    }

    // RFC 3403 §4.1: of the lowest order that holds something of use, and there by preference.
    private void HandlePointers(IReadOnlyList<DnsRecord> records)
    {
        var pointers = records.OfType<DnsRecord.Pointer>()
            .Where(pointer => TransportsOf(pointer).Any())
            .OrderBy(static pointer => pointer.Order)
            .ThenBy(static pointer => pointer.Preference)
            .ToList();
        pointers.RemoveAll(pointer => pointer.Order != pointers[0].Order);
        if (pointers.FirstOrDefault() is { Flags: "" } further && DnsName.IsValid(further.Replacement) && ++_pointers < MaxPointers)
        {
            Ask(new(further.Replacement, DnsType.Naptr));
            return;
        }

        var services = pointers
            .Where(static pointer => DnsName.IsValid(pointer.Replacement))
            .SelectMany(pointer => TransportsOf(pointer).Select(transport => new ServicePlace(transport, pointer.Replacement) { IsHost = IsFlag(pointer, "a") }))
            .Take(MaxServices)
            .ToList();
        AskForServices(services.Count > 0 ? services : DefaultServices());
    }

    private IEnumerable<TransportProtocol> TransportsOf(DnsRecord.Pointer pointer)
    {
        if (!pointer.Services.StartsWith(Relay, StringComparison.OrdinalIgnoreCase)) return [];
        if (!IsFlag(pointer, "s") && !IsFlag(pointer, "a") && !IsFlag(pointer, "")) return [];

        return pointer.Services[Relay.Length..].ToLowerInvariant().Split(':')
            .Select(static TransportProtocol? (word) => word switch
            {
                "turn.udp" => TransportProtocol.Udp,
                "turn.tcp" => TransportProtocol.Tcp,
                "turn.tls" => TransportProtocol.Tls,
                _ => null,
            })
            .OfType<TransportProtocol>()
            .Where(_transports.Contains);
    }

    private static bool IsFlag(DnsRecord.Pointer pointer, string flag) => pointer.Flags.Equals(flag, StringComparison.OrdinalIgnoreCase);

    private List<ServicePlace> DefaultServices() => [.. _transports.Select(transport => new ServicePlace(transport, transport switch
    {
        TransportProtocol.Udp => $"_turn._udp.{_domain}",
        TransportProtocol.Tcp => $"_turn._tcp.{_domain}",
        _ => $"_turns._tcp.{_domain}",
    }))];

    private void AskForServices(IReadOnlyList<ServicePlace> services)
    {
        _stage = Stage.Services;
        foreach (var service in services) _services.Add(service with { Name = DnsName.Normalize(service.Name) });
        foreach (var name in _services.Where(static service => !service.IsHost).Select(static service => service.Name).Distinct()) Ask(new(name, DnsType.Srv));
        if (_outstanding == 0) AskForTargets();
    }

    private void AskForTargets()
    {
        _stage = Stage.Targets;
        foreach (var service in _services)
        {
            if (service.IsHost)
            {
                var port = service.Transport is TransportProtocol.Tls ? TurnUri.DefaultSecurePort : TurnUri.DefaultPort;
                _targets.Add(new(service.Transport, service.Name, port));
            }

            foreach (var record in ServiceOrder.Sort(service.Records, _random))
            {
                // An empty target says that there is decidedly no such service.
                if (record.Port != 0 && DnsName.IsValid(record.Target)) _targets.Add(new(service.Transport, record.Target, record.Port));
            }
        }

        if (_targets.Count > MaxTargets) _targets.RemoveRange(MaxTargets, _targets.Count - MaxTargets);
        foreach (var name in _targets.Select(static target => target.Name).Distinct())
        {
            Ask(new(name, DnsType.A));
            Ask(new(name, DnsType.Aaaa));
        }

        if (_outstanding == 0) Finish();
    }

    private void Finish()
    {
        _stage = Stage.Done;
        Servers =
        [
            .. from target in _targets
               from address in target.Addresses
               where address is { IsUnspecified: false, IsMulticastOrBroadcast: false }
               select new LocatedServer(target.Transport, address.WithPort(target.Port)),
        ];
    }

    private sealed record ServicePlace(TransportProtocol Transport, string Name)
    {
        /// <summary>Whether the name is a host's own, and the port the usual one.</summary>
        public bool IsHost { get; init; }

        public IReadOnlyList<DnsRecord.Service> Records { get; set; } = [];
    }

    private sealed record ServerTarget(TransportProtocol Transport, string Name, int Port)
    {
        public List<TransportAddress> Addresses { get; } = [];
    }
}
