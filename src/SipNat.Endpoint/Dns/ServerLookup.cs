using SipNat.Wire;

namespace SipNat.Endpoint.Dns;

/// <summary>
/// Finds the servers of a domain that offers a service: which questions to ask next, and what the answers make of them.
/// NAPTR records lead to services, SRV records to hosts, and these have addresses; where a service begins, how its names
/// are written, and what becomes of a domain without records is the rule of each: RFC 3263, RFC 5928, RFC 8489 §8.
/// </summary>
public sealed partial class ServerLookup
{
    /// <summary>Hosts of one domain that are asked for their addresses.</summary>
    public const int MaxTargets = 8;

    /// <summary>Servers of one domain that are told.</summary>
    public const int MaxServers = 32;

    /// <summary>NAPTR records that lead to further NAPTR records.</summary>
    public const int MaxPointers = 3;

    /// <summary>Services of one domain that are looked at.</summary>
    public const int MaxServices = 8;

    private readonly Random _random;
    private readonly Queue<DnsQuestion> _questions = new();
    private readonly List<ServicePlace> _services = [];
    private readonly List<ServerTarget> _targets = [];
    private readonly Rules _rules;
    private int _pointers;
    private int _outstanding;
    private Stage _stage;

    private ServerLookup(Rules rules, Random random) => (_rules, _random) = (rules, random);

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

    /// <summary>Until when every answer holds that the servers come from; null where nothing was asked.</summary>
    public Instant? ExpiresAt { get; private set; }

    /// <summary>Takes the next question; several may be asked at once.</summary>
    public bool TryTakeQuestion(out DnsQuestion question) => _questions.TryDequeue(out question);

    /// <summary>Takes the answer to a question that was taken. What failed is taken for absent, and holds no longer than it took.</summary>
    public void Handle(DnsQuestion question, DnsResult result)
    {
        if (IsDone) return;

        _outstanding--;
        ExpiresAt = Instant.Earlier(ExpiresAt, result.ExpiresAt);
        switch (_stage)
        {
            case Stage.Pointers:
                HandlePointers(result.Records);
                return;
            case Stage.Services:
                foreach (var service in _services.Where(service => service.Name == question.Name)) service.Records = [.. result.Records.OfType<DnsRecord.Service>()];
                break;
            default:
                foreach (var target in _targets.Where(target => target.Name == question.Name)) target.Addresses[question.Type] = [.. result.Records.OfType<DnsRecord.Host>().Select(static host => host.Address)];
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
        if (!IsFlag(pointer, "s") && !IsFlag(pointer, "a") && !IsFlag(pointer, "")) return [];

        return _rules.TransportsOf(pointer.Services).Where(_rules.Transports.Contains);
    }

    private static bool IsFlag(DnsRecord.Pointer pointer, string flag) => pointer.Flags.Equals(flag, StringComparison.OrdinalIgnoreCase);

    private List<ServicePlace> DefaultServices() =>
    [
        .. from transport in _rules.Transports
           let service = _rules.ServiceOf(transport)
           where service is not null
           select new ServicePlace(transport, $"{service}.{_rules.Domain}"),
    ];

    private void AskForServices(IReadOnlyList<ServicePlace> services)
    {
        _stage = Stage.Services;
        foreach (var service in services) _services.Add(service with { Name = DnsName.Normalize(service.Name) });
        foreach (var name in _services.Where(static service => !service.IsHost).Select(static service => service.Name).Distinct()) Ask(new(name, DnsType.Srv));
        if (_outstanding == 0) AskForTargets();
    }

    private void AskForTargets()
    {
        foreach (var service in _services)
        {
            if (service.IsHost) _targets.Add(new(service.Transport, service.Name, _rules.PortOf(service.Transport)));
            foreach (var record in ServiceOrder.Sort(service.Records, _random))
            {
                // An empty target says that there is decidedly no such service.
                if (record.Port != 0 && DnsName.IsValid(record.Target)) _targets.Add(new(service.Transport, record.Target, record.Port));
            }
        }

        // A domain that says nothing of services may be a host itself.
        var isSilent = _services.TrueForAll(static service => !service.IsHost && service.Records.Count == 0);
        if (isSilent) _targets.AddRange(_rules.Hosts.Select(transport => new ServerTarget(transport, _rules.Domain, _rules.PortOf(transport))));
        AskForAddresses();
    }

    private void AskForAddresses()
    {
        _stage = Stage.Targets;
        if (_targets.Count > MaxTargets) _targets.RemoveRange(MaxTargets, _targets.Count - MaxTargets);
        foreach (var name in _targets.Select(static target => target.Name).Distinct())
        {
            foreach (var family in _rules.Families) Ask(new(name, family));
        }

        if (_outstanding == 0) Finish();
    }

    // One host after the other, and of each host the families by turns: where one of them leads nowhere, the next server
    // is of the other (RFC 7984 §4.1, as RFC 8421 §4 has it for candidates).
    private void Finish()
    {
        _stage = Stage.Done;
        var servers = new List<LocatedServer>();
        foreach (var target in _targets)
        {
            var lists = _rules.Families.Select(family => target.Addresses.GetValueOrDefault(family, [])).ToList();
            for (var turn = 0; lists.Exists(list => turn < list.Count); turn++)
            {
                servers.AddRange(from list in lists
                                 where turn < list.Count && list[turn] is { IsUnspecified: false, IsMulticastOrBroadcast: false }
                                 select new LocatedServer(target.Transport, list[turn].WithPort(target.Port)) { TlsName = _rules.TlsNameOf(target.Transport) });
            }
        }

        Servers = [.. servers.Distinct().Take(MaxServers)];
    }

    /// <summary>What differs from service to service.</summary>
    private sealed record Rules
    {
        /// <summary>Without the last full stop.</summary>
        public required string Domain { get; init; }

        /// <summary>What will do, in the order in which it is tried where the domain has no order.</summary>
        public required IReadOnlyList<TransportProtocol> Transports { get; init; }

        /// <summary>What the services field of a NAPTR record stands for.</summary>
        public Func<string, IEnumerable<TransportProtocol>> TransportsOf { get; init; } = static _ => [];

        /// <summary>The beginning of a service's name, such as <c>_sip._udp</c>; null where SRV records are not asked for unless a NAPTR record names them.</summary>
        public required Func<TransportProtocol, string?> ServiceOf { get; init; }

        /// <summary>The port where no record names one.</summary>
        public required Func<TransportProtocol, int> PortOf { get; init; }

        /// <summary>What is tried at the domain itself where it has no SRV records.</summary>
        public IReadOnlyList<TransportProtocol> Hosts { get; init; } = [];

        /// <summary>A and AAAA, or one of them, the preferred one first.</summary>
        public IReadOnlyList<DnsType> Families { get; init; } = [DnsType.A, DnsType.Aaaa];

        /// <summary>What a certificate has to name where it is not the host that was asked for.</summary>
        public string? TlsName { get; init; }

        public string? TlsNameOf(TransportProtocol transport) => transport is TransportProtocol.Tls or TransportProtocol.Wss ? TlsName : null;
    }

    private sealed record ServicePlace(TransportProtocol Transport, string Name)
    {
        /// <summary>Whether the name is a host's own, and the port the usual one.</summary>
        public bool IsHost { get; init; }

        public IReadOnlyList<DnsRecord.Service> Records { get; set; } = [];
    }

    private sealed record ServerTarget(TransportProtocol Transport, string Name, int Port)
    {
        public Dictionary<DnsType, List<TransportAddress>> Addresses { get; } = [];
    }
}
