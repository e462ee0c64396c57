using SipNat.Wire;

namespace SipNat.Traversal.PortMapping;

/// <summary>
/// Keeps ports of this machine open at its router: by PCP, NAT-PMP or UPnP, which are all tried at once. Of those that
/// answer the best is used; where it refuses a port the next one is asked. Mappings are renewed between a half and five
/// eighths of their lifetime (RFC 6887 §11.2.1), asked for again when the router has restarted, and given back at the end.
/// </summary>
/// <remarks>
/// The shell opens a UDP socket on the address that routes to the router and, if it can, one on port
/// <see cref="AnnouncementPort"/>; it runs <see cref="TryTakeHttp"/> and answers by <see cref="HandleHttp"/>. Only what
/// comes from the router's address is read. Without ports it still finds out the router's address outside.
/// </remarks>
public sealed class PortMapper : IProtocolCore
{
    /// <summary>Ports of one mapper; more are refused. A router's own limit is lower, mostly.</summary>
    public const int MaxPorts = 2_048;

    /// <summary>Where routers announce restarts, by multicast to 224.0.0.1 (RFC 6886 §3.2.1, RFC 6887 §14.1.1).</summary>
    public const int AnnouncementPort = 5350;

    private const int MaxEvents = 8_192;

    // A worse protocol is taken only when the better ones have had their time; a router answers in milliseconds.
    private static readonly TimeSpan HeadStart = TimeSpan.FromMilliseconds(500);

    // After so long without any answer it is said; a late one is still taken.
    private static readonly TimeSpan SearchLimit = TimeSpan.FromSeconds(10);

    // RFC 6887 §7.4 and §11.2.1: errors pass in 30 s or 30 min; renewals are four seconds apart at least.
    private static readonly TimeSpan ShortestRetry = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LongestRetry = TimeSpan.FromMinutes(30);
    private static readonly TimeSpan ShortestRenewal = TimeSpan.FromSeconds(4);

    // Everybody on the network hears an announcement (RFC 6887 §14.1.1: up to 5 s).
    private static readonly TimeSpan AnnouncementSpread = TimeSpan.FromSeconds(5);

    private readonly PortMapperOptions _options;
    private readonly Random _random;
    private readonly Dictionary<InternalPort, KeptPort> _ports = [];
    private readonly DeadlineQueue<InternalPort> _deadlines = new();
    private readonly Queue<PortMappingEvent> _events = new();
    private IReadOnlyList<IPortMappingClient> _clients = [];
    private PcpClient? _pcp;
    private NatPmpClient? _natPmp;
    private UpnpClient? _upnp;
    private FlowId _flow;
    private Instant _searchStart;
    private Instant? _searchAt;
    private Instant? _sayNobodyAt;
    private Instant? _checkAt;
    private IPortMappingClient? _chosen;
    private TransportAddress _routerAddress;

    /// <param name="options">Which router.</param>
    /// <param name="random">Nonces and waits come from it.</param>
    public PortMapper(PortMapperOptions options, Random random) => (_options, _random) = (options, random);

    public Outbox Outbox { get; } = new();

    /// <summary>By which protocol ports are mapped; null while the router has not answered.</summary>
    public PortMappingMethod? Method => _chosen?.Method;

    /// <summary>Ports that are kept, mapped or not.</summary>
    public int Ports => _ports.Count;

    /// <summary>After <see cref="Release"/>: whether the router has confirmed that everything was given back.</summary>
    public bool IsReleased => _ports.Count == 0 && _clients.All(client => client.IsIdle || client.IsPresent is not true);

    public Instant? Deadline
    {
        get
        {
            var deadline = Instant.Earlier(_deadlines.Next, Instant.Earlier(_checkAt, Instant.Earlier(_searchAt, _sayNobodyAt)));
            foreach (var client in _clients) deadline = Instant.Earlier(deadline, client.Deadline);
            return Instant.Earlier(deadline, ChoiceAt);
        }
    }

    // When the best client that has answered may be chosen.
    private Instant? ChoiceAt => _chosen is null && Best(0) is { } best ? _searchStart + (HeadStart * (int)best.Method) : null;

    /// <summary>Keeps a port open from here on; false where there are too many.</summary>
    /// <param name="external">The external port that would be liked; the router may give another.</param>
    public bool TryMap(Instant now, InternalPort port, ushort external)
    {
        if (_ports.ContainsKey(port)) return true;
        if (_ports.Count == MaxPorts) return false;

        var kept = new KeptPort(port) { LastExternal = Any(port.Local, external) };
        _ports.Add(port, kept);
        if (_chosen is not null) Ask(now, kept);
        return true;
    }

    /// <summary>Gives a port back.</summary>
    public void Unmap(Instant now, InternalPort port)
    {
        if (!_ports.Remove(port, out var kept)) return;

        _deadlines.Remove(port);
        if (_clients.FirstOrDefault(c => c.Method == kept.Method) is { IsPresent: true } client) client.Remove(now, port);
        if (_ports.Count == 0) _checkAt = null;
    }

    /// <summary>Gives everything back; <see cref="IsReleased"/> says when the router has confirmed it.</summary>
    public void Release(Instant now)
    {
        foreach (var port in _ports.Keys.ToList()) Unmap(now, port);
        (_searchAt, _sayNobodyAt) = (null, null);
    }

    /// <summary>
    /// Asks for every port again at once, as after a suspend: lifetimes ran on at the router, and not by the clock here.
    /// </summary>
    public void Refresh(Instant now)
    {
        foreach (var kept in _ports.Values)
        {
            if (kept.Method is not null) AskAt(kept, now);
        }
    }

    public bool TryTake(out PortMappingEvent happened) => _events.TryDequeue(out happened!);

    public bool TryTakeHttp(out RouterHttpRequest request)
    {
        request = null!;
        return _upnp is not null && _upnp.TryTakeHttp(out request);
    }

    /// <param name="status">The status of HTTP; 0 where there was no answer, or one that is too long.</param>
    public void HandleHttp(Instant now, int id, int status, ReadOnlySpan<byte> body)
    {
        _upnp?.HandleHttp(now, id, status, body);
        Settle(now, isAnnounced: false);
    }

    public void HandleFlow(Instant now, FlowId flow, FlowChange change)
    {
        if (change.Kind is FlowChangeKind.Opened && change.Local.Port != AnnouncementPort && _clients.Count == 0) Open(now, flow, change.Local);
        else if (change.Kind is FlowChangeKind.Closed && flow == _flow) Close();
    }

    public void HandleDatagram(Instant now, FlowId flow, TransportAddress from, ReadOnlySpan<byte> datagram)
    {
        if (_clients.Count == 0 || !from.HasSameAddress(_options.Router)) return;

        if (from.Port != PcpClient.ServerPort)
        {
            if (flow == _flow) _upnp!.HandleDatagram(now, datagram);
        }
        else
        {
            _pcp!.HandleDatagram(now, datagram);
            _natPmp!.HandleDatagram(now, datagram);
            if (flow != _flow) HandleAnnouncement(now);
        }

        Settle(now, isAnnounced: flow != _flow);
    }

    public void HandleTimeout(Instant now)
    {
        if (_searchAt <= now) Search(now);
        if (_checkAt <= now)
        {
            foreach (var client in _clients.Where(IsUsed)) client.Probe(now);
            _checkAt = now + _options.CheckInterval;
        }

        if (_sayNobodyAt <= now)
        {
            _sayNobodyAt = null;
            if (Best(0) is null) Tell(new PortMappingEvent.NoRouter(_options.Router));
        }

        // An answer that is due leads to a request that is due, by the same client or by another.
        do
        {
            while (_deadlines.TryTakeDue(now, out var port)) HandleDue(now, _ports[port]);
            foreach (var client in _clients) client.HandleTimeout(now, Outbox);
            Settle(now, isAnnounced: false);
        }
        while (_clients.Any(client => client.Deadline <= now) || _deadlines.Next <= now);
    }

    public bool TryTakeRequest(out FlowRequest request)
    {
        request = default;
        return false;
    }

    private void Open(Instant now, FlowId flow, TransportAddress local)
    {
        _flow = flow;
        _clients =
        [
            _pcp = new(flow, local, _options.Router, _random),
            _natPmp = new(flow, _options.Router, _random),
            _upnp = new(flow, _options.Router, _random),
        ];
        Search(now);
    }

    private void Close()
    {
        foreach (var kept in _ports.Values) Lose(kept);
        foreach (var port in _ports.Keys) _deadlines.Remove(port);
        (_clients, _chosen, _pcp, _natPmp, _upnp, _flow) = ([], null, null, null, null, default);
        (_searchAt, _sayNobodyAt, _checkAt, _routerAddress) = (null, null, null, default);
    }

    private void Search(Instant now)
    {
        (_searchStart, _searchAt, _sayNobodyAt) = (now, null, now + SearchLimit);
        foreach (var client in _clients) client.Probe(now);
    }

    // What the clients found out is passed on after every input.
    private void Settle(Instant now, bool isAnnounced)
    {
        foreach (var client in _clients)
        {
            if (client.TakeRestarted() && IsUsed(client)) HandleRestart(now, client, isAnnounced);
            if (!client.External.IsNone && client.External != _routerAddress && (_routerAddress.IsNone || client == _chosen)) HandleAddress(now, client);
            while (client.TryTake(out var answer)) HandleAnswer(now, client, answer);
        }

        if (_chosen is { IsPresent: false }) Leave(now);
        if (ChoiceAt <= now) Choose(now, Best(0)!);
        if (_chosen is null && _searchAt is null && _clients.Count > 0 && _clients.All(client => client.IsPresent is false))
        {
            _searchAt = now + _options.SearchInterval;
        }
    }

    // The router is gone, was told to stop, or has not come back yet: all protocols are tried anew, but not all the time.
    private void Leave(Instant now)
    {
        _chosen = null;
        if (_searchStart + ShortestRetry > now) _searchAt = _searchStart + ShortestRetry;
        else Search(now);
    }

    private void Choose(Instant now, IPortMappingClient client)
    {
        _chosen = client;
        foreach (var kept in _ports.Values) Ask(now, kept);
    }

    // It may be in the protocol that is not used: whatever it says, the router is asked.
    private void HandleAnnouncement(Instant now)
    {
        var due = now + (AnnouncementSpread * _random.NextDouble());
        if (_checkAt > due) _checkAt = due;
    }

    private void HandleRestart(Instant now, IPortMappingClient client, bool isAnnounced)
    {
        Tell(new PortMappingEvent.RouterRestarted(client.Method));
        var spread = isAnnounced ? AnnouncementSpread * _random.NextDouble() : TimeSpan.Zero;
        foreach (var kept in _ports.Values)
        {
            if (kept.Method == client.Method) AskAt(kept, now + spread);
        }
    }

    // The router has another address: what was mapped there is at the new one, if the router says so.
    private void HandleAddress(Instant now, IPortMappingClient client)
    {
        _routerAddress = client.External;
        Tell(new PortMappingEvent.RouterAddress(_routerAddress, client.Method));
        foreach (var kept in _ports.Values)
        {
            if (!kept.External.IsNone && !kept.External.HasSameAddress(_routerAddress)) AskAt(kept, now);
        }
    }

    private void HandleDue(Instant now, KeptPort kept)
    {
        if (kept.ExpiresAt <= now) Lose(kept);
        if (kept.AskAt <= now)
        {
            kept.RefusedBy = 0;
            Ask(now, kept);
        }

        _deadlines.Set(kept.Port, kept.Deadline);
    }

    private void AskAt(KeptPort kept, Instant at)
    {
        kept.AskAt = at;
        _deadlines.Set(kept.Port, kept.Deadline);
    }

    private void Ask(Instant now, KeptPort kept)
    {
        kept.AskAt = null;
        var chosen = _chosen is not null && !HasRefused(kept.RefusedBy, _chosen) ? _chosen : Best(kept.RefusedBy);
        if (chosen is { } client)
        {
            kept.Method = client.Method;
            client.Map(now, kept.Port, kept.LastExternal, _options.Lifetime);
            _checkAt ??= now + _options.CheckInterval;
        }

        _deadlines.Set(kept.Port, kept.Deadline);
    }

    private void HandleAnswer(Instant now, IPortMappingClient client, PortMappingAnswer answer)
    {
        // A port that was given back meanwhile, or is asked for elsewhere, is nobody's business here.
        if (!_ports.TryGetValue(answer.Port, out var kept) || kept.Method != client.Method) return;

        if (answer.Outcome is PortMappingOutcome.Mapped) HandleMapped(now, client, kept, answer);
        else HandleRefusal(now, client, kept, answer);
        _deadlines.Set(kept.Port, kept.Deadline);
    }

    private void HandleMapped(Instant now, IPortMappingClient client, KeptPort kept, PortMappingAnswer answer)
    {
        var lifetime = answer.Lifetime;
        var renewal = (lifetime == TimeSpan.Zero ? _options.Lifetime : lifetime) * (0.5 + (0.125 * _random.NextDouble()));
        kept.AskAt = now + (renewal > ShortestRenewal ? renewal : ShortestRenewal);
        kept.ExpiresAt = lifetime == TimeSpan.Zero ? null : now + lifetime;
        (kept.RefusedBy, kept.Told) = (0, PortMappingOutcome.Mapped);
        kept.LastExternal = answer.External;
        if (kept.External == answer.External) return;

        kept.External = answer.External;
        Tell(new PortMappingEvent.Mapped(kept.Port, answer.External, lifetime, client.Method));
    }

    private void HandleRefusal(Instant now, IPortMappingClient client, KeptPort kept, PortMappingAnswer answer)
    {
        // Until it expires the mapping is believed: the router may only be slow.
        if (answer.Outcome is PortMappingOutcome.NoAnswer)
        {
            kept.AskAt = now + ShortestRetry;
            return;
        }

        Lose(kept);
        kept.RefusedBy |= 1 << (int)client.Method;
        if (Best(kept.RefusedBy) is not null)
        {
            Ask(now, kept);
            return;
        }

        if (kept.Told != answer.Outcome) Tell(new PortMappingEvent.Refused(kept.Port, client.Method, answer.Outcome));
        kept.Told = answer.Outcome;
        kept.AskAt = now + (answer.Lifetime < ShortestRetry ? ShortestRetry : answer.Lifetime < LongestRetry ? answer.Lifetime : LongestRetry);
    }

    private void Lose(KeptPort kept)
    {
        kept.ExpiresAt = null;
        if (kept.External.IsNone) return;

        Tell(new PortMappingEvent.Lost(kept.Port, kept.External));
        kept.External = default;
    }

    private IPortMappingClient? Best(int refusedBy)
    {
        foreach (var client in _clients)
        {
            if (client.IsPresent is true && !HasRefused(refusedBy, client)) return client;
        }

        return null;
    }

    private bool IsUsed(IPortMappingClient client) => _ports.Values.Any(kept => kept.Method == client.Method);

    private static bool HasRefused(int refusedBy, IPortMappingClient client) => (refusedBy & (1 << (int)client.Method)) != 0;

    private void Tell(PortMappingEvent happened)
    {
        if (_events.Count < MaxEvents) _events.Enqueue(happened);
    }

    private static TransportAddress Any(TransportAddress local, ushort port) => new(stackalloc byte[local.AddressLength], port);
}
