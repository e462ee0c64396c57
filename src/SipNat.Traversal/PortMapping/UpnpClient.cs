using SipNat.Wire;

namespace SipNat.Traversal.PortMapping;

/// <summary>
/// UPnP Internet Gateway Device, versions 1 and 2: found by SSDP, described by XML, asked by SOAP. What goes by HTTP is
/// a command for the shell (<see cref="TryTakeHttp"/>); only addresses on the router are ever asked.
/// </summary>
/// <remarks>
/// IGD has no epoch: a check asks for one of our own mappings, and a router that does not know it has restarted. Some
/// know leases without an end only; their mappings outlive a program that is killed.
/// </remarks>
public sealed class UpnpClient(FlowId flow, TransportAddress router, Random random) : IPortMappingClient
{
    // SSDP is lossy by its own word; three times within two seconds, and the answers may take one.
    private static readonly TimeSpan[] SearchAt = [TimeSpan.Zero, TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(2)];
    private static readonly TimeSpan SearchEnd = TimeSpan.FromSeconds(5);

    // The shell answers sooner; this one is for the answer that never comes.
    private static readonly TimeSpan HttpLimit = TimeSpan.FromSeconds(20);

    private readonly RouterJobs _jobs = new();
    private readonly Queue<RouterHttpRequest> _http = new();
    private readonly Queue<PortMappingAnswer> _answers = new();
    private readonly Dictionary<InternalPort, ushort> _mapped = [];
    private UpnpExchange? _exchange;
    private InternalPort _checked;
    private UpnpService? _service;
    private Instant? _searchStart;
    private Instant _waitingSince;
    private int _searches;
    private int _lastId;
    private bool _onlyPermanent;
    private bool _restarted;

    public PortMappingMethod Method => PortMappingMethod.Upnp;

    public bool? IsPresent { get; private set; }

    public TransportAddress External { get; private set; }

    public bool IsIdle => _jobs.IsEmpty;

    public Instant? Deadline => Instant.Earlier(SearchDeadline, _exchange?.Deadline ?? (CanBegin ? _waitingSince : null));

    private bool CanBegin => _service is not null && _exchange is null && !_jobs.IsEmpty;

    private Instant? SearchDeadline => _searchStart is not { } start ? null
        : start + (_searches < SearchAt.Length ? SearchAt[_searches] : SearchEnd);

    public void Probe(Instant now)
    {
        // A search that is under way, or its description, ends in a probe.
        _waitingSince = now;
        _jobs.Probe();
        if (_service is null && _exchange is null) _searchStart ??= now;
    }

    public void Map(Instant now, InternalPort port, TransportAddress suggested, TimeSpan lifetime)
    {
        _waitingSince = now;
        _jobs.Map(port, suggested, lifetime);
    }

    public void Remove(Instant now, InternalPort port)
    {
        _waitingSince = now;
        _jobs.Remove(port);
    }

    /// <summary>A datagram from the router's address that may answer the search.</summary>
    public void HandleDatagram(Instant now, ReadOnlySpan<byte> datagram)
    {
        if (_searchStart is null || _exchange is not null || !SsdpResponse.TryRead(datagram, out var response, out _) || !response.IsGateway) return;

        var location = System.Text.Encoding.ASCII.GetString(response.Location);
        if (!UpnpDescription.TryLocate(location, null, router, out var address)) return;

        _searchStart = null;
        Send(now, UpnpStep.Describe, address, null, 0, TimeSpan.Zero);
    }

    /// <summary>The answer to a request; status 0 where there was none.</summary>
    public void HandleHttp(Instant now, int id, int status, ReadOnlySpan<byte> body)
    {
        if (_exchange is not { } exchange || exchange.Id != id) return;

        _exchange = null;
        _waitingSince = now;
        if (status == 0)
        {
            GiveUp();
            return;
        }

        if (exchange.Step is UpnpStep.Describe)
        {
            if (!UpnpDescription.TryFindService(body, exchange.Address, router, out _service)) GiveUp();
            return;
        }

        HandleAnswer(now, exchange, UpnpAnswer.Read(status, body));
    }

    public void HandleTimeout(Instant now, Outbox outbox)
    {
        if (_exchange is { } exchange && exchange.Deadline <= now) HandleHttp(now, exchange.Id, 0, default);
        while (SearchDeadline <= now)
        {
            if (_searches == SearchAt.Length)
            {
                GiveUp();
                break;
            }

            foreach (var request in SsdpSearch.Requests) outbox.Add(flow, SsdpSearch.Group, request);
            _searches++;
        }

        while (CanBegin && _jobs.TryBegin(out var job)) Begin(now, job);
    }

    public bool TryTakeHttp(out RouterHttpRequest request) => _http.TryDequeue(out request!);

    public bool TryTake(out PortMappingAnswer answer) => _answers.TryDequeue(out answer);

    public bool TakeRestarted()
    {
        var restarted = _restarted;
        _restarted = false;
        return restarted;
    }

    private void Begin(Instant now, RouterJob job)
    {
        switch (job.Kind)
        {
            case RouterJobKind.Probe:
                Send(now, UpnpStep.Address, UpnpAction.GetExternalIPAddress());
                break;
            case RouterJobKind.Map:
                Add(now, job, job.Suggested.Port != 0 ? job.Suggested.Port : job.Port.Local.Port, _onlyPermanent ? TimeSpan.Zero : job.Lifetime, _service!.MapsAnyPort);
                break;
            default:
                if (_mapped.Remove(job.Port, out var external)) Send(now, UpnpStep.Remove, UpnpAction.DeletePortMapping(job.Port, external));
                else Complete();
                break;
        }
    }

    private void HandleAnswer(Instant now, UpnpExchange exchange, UpnpAnswer answer)
    {
        switch (exchange.Step)
        {
            case UpnpStep.Address:
                IsPresent = true;
                External = answer.External;
                if (_mapped.Count == 0) Complete();
                else Check(now);
                break;
            case UpnpStep.Check:
                // 714 NoSuchEntryInArray (WANIPConnection:1 §2.4.16), or another host has the port.
                _restarted |= answer.Error == UpnpError.NoSuchEntry
                    || (answer is { Error: 0, InternalClient.IsNone: false } && answer.InternalClient != _checked.Local);
                Complete();
                break;
            case UpnpStep.Add:
                HandleAdded(now, exchange, answer);
                break;
            default:
                Complete();
                break;
        }
    }

    private void Check(Instant now)
    {
        (_checked, var external) = _mapped.First();
        Send(now, UpnpStep.Check, UpnpAction.GetSpecificPortMappingEntry(_checked, external));
    }

    private void HandleAdded(Instant now, UpnpExchange exchange, UpnpAnswer answer)
    {
        var job = _jobs.Current!;
        switch (answer.Error)
        {
            case 0 when External.IsNone:
                Answer(job, PortMappingOutcome.NetworkFailure, default, TimeSpan.Zero);
                break;
            case 0:
                var port = exchange.AnyPort && answer.ReservedPort != 0 ? answer.ReservedPort : exchange.ExternalPort;
                _mapped[job.Port] = port;
                Answer(job, PortMappingOutcome.Mapped, External.WithPort(port), exchange.Lease);
                break;
            case UpnpError.OnlyPermanentLeases when exchange.Lease > TimeSpan.Zero:
                _onlyPermanent = true;
                Add(now, job, exchange.ExternalPort, TimeSpan.Zero, exchange.AnyPort);
                break;
            case UpnpError.InvalidAction when exchange.AnyPort:
                Add(now, job, exchange.ExternalPort, exchange.Lease, anyPort: false);
                break;
            case UpnpError.Conflict when exchange.Tries < UpnpExchange.MaxTries:
                Add(now, job, (ushort)random.Next(UpnpExchange.FirstFreePort, ushort.MaxValue), exchange.Lease, exchange.AnyPort, exchange.Tries + 1);
                break;
            default:
                Answer(job, UpnpError.OutcomeOf(answer.Error), default, TimeSpan.Zero);
                break;
        }
    }

    private void Add(Instant now, RouterJob job, ushort external, TimeSpan lease, bool anyPort, int tries = 0)
    {
        var action = UpnpAction.AddPortMapping(job.Port, external, lease, anyPort);
        Send(now, UpnpStep.Add, _service!.Control, action, external, lease, anyPort, tries);
    }

    private void Answer(RouterJob job, PortMappingOutcome outcome, TransportAddress external, TimeSpan lifetime)
    {
        _answers.Enqueue(new(job.Port, outcome, external, lifetime));
        Complete();
    }

    private void Complete() => _jobs.Complete();

    private void Send(Instant now, UpnpStep step, UpnpAction action) => Send(now, step, _service!.Control, action, 0, TimeSpan.Zero);

    private void Send(
        Instant now, UpnpStep step, Uri address, UpnpAction? action, ushort external, TimeSpan lease, bool anyPort = false, int tries = 0)
    {
        _exchange = new(++_lastId, step, address, external, lease, anyPort, tries, now + HttpLimit);
        _http.Enqueue(action is null
            ? new(_lastId, address, null, default)
            : new(_lastId, address, action.Header(_service!), action.Body(_service!)));
    }

    // The router is gone, or speaks from another place since it restarted: whatever comes next begins with a search.
    private void GiveUp()
    {
        (IsPresent, _service, _searchStart, _searches, External) = (false, null, null, 0, default);
        foreach (var port in _jobs.Abandon()) _answers.Enqueue(new(port, PortMappingOutcome.NoAnswer, default, TimeSpan.Zero));
    }
}
