using SipNat.Wire;

namespace SipNat.Traversal.PortMapping;

/// <summary>Port Control Protocol (RFC 6887): MAP and ANNOUNCE, by UDP to port 5351 of the router.</summary>
/// <remarks>
/// An answer counts for the request under way, by its nonce, protocol and port; one of version 0 says that the router
/// knows NAT-PMP only (RFC 6887 §9). A jump of the epoch is seen in every answer.
/// </remarks>
public sealed class PcpClient(FlowId flow, TransportAddress local, TransportAddress router, Random random) : IPortMappingClient
{
    /// <summary>Of the server; its announcements go to port 5350 of 224.0.0.1.</summary>
    public const int ServerPort = 5351;

    // RFC 6887 §15: no mapping should live longer without being renewed.
    private static readonly TimeSpan MaxLifetime = TimeSpan.FromHours(24);

    private readonly TransportAddress _server = router.WithPort(ServerPort);
    private readonly RouterJobs _jobs = new();
    private readonly RouterEpoch _epoch = RouterEpoch.Pcp();
    private readonly Dictionary<InternalPort, PcpNonce> _nonces = [];
    private readonly Queue<PortMappingAnswer> _answers = new();
    private RouterRequest? _request;
    private Instant _waitingSince;
    private bool _restarted;

    public PortMappingMethod Method => PortMappingMethod.Pcp;

    public bool? IsPresent { get; private set; }

    /// <summary>As the last mapping told it: PCP has no question for it.</summary>
    public TransportAddress External { get; private set; }

    public bool IsIdle => _jobs.IsEmpty;

    /// <summary>Answers that belonged to no request: late, of others, or forged.</summary>
    public int Ignored { get; private set; }

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
        if (NatPmpResponse.TryRead(datagram, out var older, out _))
        {
            // The same bytes end a probe of ours only; the NAT-PMP client has questions of its own out.
            if (older.Result is NatPmpResultCode.UnsupportedVersion && _jobs.Current is not null) GiveUp();
            return;
        }

        if (!PcpResponse.TryRead(datagram, out var response, out _)) return;

        if (response.Result is PcpResultCode.UnsuppVersion)
        {
            if (_jobs.Current is not null) GiveUp();
            return;
        }

        IsPresent = true;
        if (!_epoch.Accept(now, response.Epoch)) _restarted = true;
        if (_jobs.Current is { } job) HandleResponse(now, response, job);
    }

    public void HandleTimeout(Instant now, Outbox outbox)
    {
        while (true)
        {
            if (_request is null)
            {
                if (!_jobs.TryBegin(out var job)) return;

                _request = new(now, Write(job), RouterSchedule.Pcp, random);
            }

            if (!_request.HandleTimeout(now, outbox, flow, _server)) return;

            GiveUp();
        }
    }

    public bool TryTake(out PortMappingAnswer answer) => _answers.TryDequeue(out answer);

    public bool TakeRestarted()
    {
        var restarted = _restarted;
        _restarted = false;
        return restarted;
    }

    private byte[] Write(RouterJob job)
    {
        if (job.Kind is RouterJobKind.Probe) return PcpRequest.Announce(local);
        if (!_nonces.TryGetValue(job.Port, out var nonce)) _nonces.Add(job.Port, nonce = PcpNonce.Create(random));

        return PcpRequest.Map(job.Port, nonce, job.Suggested, job.Lifetime);
    }

    private void HandleResponse(Instant now, PcpResponse response, RouterJob job)
    {
        if (job.Kind is RouterJobKind.Probe)
        {
            if (response.Opcode is PcpOpcode.Announce) Complete(now);
            return;
        }

        if (response.Opcode is not PcpOpcode.Map || response.Nonce != _nonces[job.Port]
            || response.Protocol != job.Port.Protocol || response.InternalPort != job.Port.Local.Port)
        {
            Ignored++;
            return;
        }

        if (job.Kind is RouterJobKind.Remove) _nonces.Remove(job.Port);
        else if (!TryHandleMapping(response, job)) return;

        Complete(now);
    }

    private bool TryHandleMapping(PcpResponse response, RouterJob job)
    {
        var lifetime = TimeSpan.FromSeconds(response.Lifetime);
        if (response.Result is not PcpResultCode.Success)
        {
            _answers.Enqueue(new(job.Port, OutcomeOf(response.Result), default, lifetime));
            return true;
        }

        // The late answer to a removal of before: the one that counts is yet to come.
        if (lifetime == TimeSpan.Zero)
        {
            Ignored++;
            return false;
        }

        var external = response.External;
        if (external is { Port: not 0, IsUnspecified: false, IsMulticastOrBroadcast: false } && external.Family == local.Family)
        {
            External = external.WithPort(0);
            _answers.Enqueue(new(job.Port, PortMappingOutcome.Mapped, external, lifetime < MaxLifetime ? lifetime : MaxLifetime));
        }
        else
        {
            _answers.Enqueue(new(job.Port, PortMappingOutcome.NetworkFailure, default, TimeSpan.Zero));
        }

        return true;
    }

    private void Complete(Instant now)
    {
        _jobs.Complete();
        _request = null;
        _waitingSince = now;
    }

    // Nothing that waits would fare better: the owner hears of all of it and decides.
    private void GiveUp()
    {
        IsPresent = false;
        _request = null;
        foreach (var port in _jobs.Abandon()) _answers.Enqueue(new(port, PortMappingOutcome.NoAnswer, default, TimeSpan.Zero));
    }

    private static PortMappingOutcome OutcomeOf(PcpResultCode result) => result switch
    {
        PcpResultCode.NotAuthorized => PortMappingOutcome.NotAuthorized,
        PcpResultCode.NetworkFailure => PortMappingOutcome.NetworkFailure,
        PcpResultCode.AddressMismatch => PortMappingOutcome.AddressMismatch,
        PcpResultCode.NoResources or PcpResultCode.UserExQuota or PcpResultCode.CannotProvideExternal => PortMappingOutcome.NoResources,
        _ => PortMappingOutcome.Unsupported,
    };
}
