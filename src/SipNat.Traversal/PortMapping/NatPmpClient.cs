using SipNat.Wire;

namespace SipNat.Traversal.PortMapping;

/// <summary>NAT Port Mapping Protocol (RFC 6886), by UDP to port 5351 of the router.</summary>
/// <remarks>Its answers have neither nonce nor id: one counts for the request under way, by its opcode and port.</remarks>
public sealed class NatPmpClient(FlowId flow, TransportAddress router, Random random) : IPortMappingClient
{
    private static readonly TimeSpan MaxLifetime = TimeSpan.FromHours(24);

    private readonly TransportAddress _server = router.WithPort(PcpClient.ServerPort);
    private readonly RouterJobs _jobs = new();
    private readonly RouterEpoch _epoch = RouterEpoch.NatPmp();
    private readonly Queue<PortMappingAnswer> _answers = new();
    private RouterRequest? _request;
    private Instant _waitingSince;
    private bool _restarted;

    public PortMappingMethod Method => PortMappingMethod.NatPmp;

    public bool? IsPresent { get; private set; }

    public TransportAddress External { get; private set; }

    public bool IsIdle => _jobs.IsEmpty;

    public Instant? Deadline => _request?.Deadline ?? (_jobs.IsEmpty ? null : _waitingSince);

    public void Probe(Instant now)
    {
        _waitingSince = now;
        _jobs.Probe();
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

    /// <summary>A datagram from the server's address and port, announcements included.</summary>
    public void HandleDatagram(Instant now, ReadOnlySpan<byte> datagram)
    {
        // "Unsupported version" answers PCP's version 2, never ours.
        if (!NatPmpResponse.TryRead(datagram, out var response, out _) || response.Result is NatPmpResultCode.UnsupportedVersion) return;

        IsPresent = true;
        if (!_epoch.Accept(now, response.Epoch)) _restarted = true;
        if (response.Opcode is NatPmpOpcode.ExternalAddress) HandleAddress(response);
        if (_jobs.Current is not { } job || !IsAnswer(response, job)) return;

        if (job.Kind is RouterJobKind.Map) _answers.Enqueue(AnswerOf(response, job));
        _jobs.Complete();
        _request = null;
        _waitingSince = now;
    }

    public void HandleTimeout(Instant now, Outbox outbox)
    {
        while (true)
        {
            if (_request is null)
            {
                if (!_jobs.TryBegin(out var job)) return;

                _request = new(now, Write(job), RouterSchedule.NatPmp, random);
            }

            if (!_request.HandleTimeout(now, outbox, flow, _server)) return;

            IsPresent = false;
            _request = null;
            foreach (var port in _jobs.Abandon()) _answers.Enqueue(new(port, PortMappingOutcome.NoAnswer, default, TimeSpan.Zero));
        }
    }

    public bool TryTake(out PortMappingAnswer answer) => _answers.TryDequeue(out answer);

    public bool TakeRestarted()
    {
        var restarted = _restarted;
        _restarted = false;
        return restarted;
    }

    // Whoever is removed has no external port to name (RFC 6886 §3.4).
    private static byte[] Write(RouterJob job) => job.Kind is RouterJobKind.Probe
        ? NatPmpRequest.ExternalAddress()
        : NatPmpRequest.Map(job.Port, job.Suggested.Port, job.Lifetime);

    private void HandleAddress(NatPmpResponse response)
    {
        var external = response.External;
        External = external is { IsUnspecified: false, IsMulticastOrBroadcast: false } ? external : default;
    }

    private static bool IsAnswer(NatPmpResponse response, RouterJob job)
    {
        if (job.Kind is RouterJobKind.Probe) return response.Opcode is NatPmpOpcode.ExternalAddress;
        if (response.Opcode != NatPmpRequest.OpcodeOf(job.Port)) return false;
        if (response.Result is not NatPmpResultCode.Success) return response.InternalPort is 0 || response.InternalPort == job.Port.Local.Port;

        // A removal is answered with a lifetime of zero; the late answer to an earlier one has the other.
        return response.InternalPort == job.Port.Local.Port && (job.Kind is RouterJobKind.Remove) == (response.Lifetime == 0);
    }

    private PortMappingAnswer AnswerOf(NatPmpResponse response, RouterJob job)
    {
        var lifetime = TimeSpan.FromSeconds(response.Lifetime);
        if (response.Result is not NatPmpResultCode.Success) return new(job.Port, OutcomeOf(response.Result), default, TimeSpan.Zero);
        if (External.IsNone || response.ExternalPort == 0) return new(job.Port, PortMappingOutcome.NetworkFailure, default, TimeSpan.Zero);

        return new(job.Port, PortMappingOutcome.Mapped, External.WithPort(response.ExternalPort), lifetime < MaxLifetime ? lifetime : MaxLifetime);
    }

    private static PortMappingOutcome OutcomeOf(NatPmpResultCode result) => result switch
    {
        NatPmpResultCode.NotAuthorized => PortMappingOutcome.NotAuthorized,
        NatPmpResultCode.NetworkFailure => PortMappingOutcome.NetworkFailure,
        NatPmpResultCode.OutOfResources => PortMappingOutcome.NoResources,
        _ => PortMappingOutcome.Unsupported,
    };
}
