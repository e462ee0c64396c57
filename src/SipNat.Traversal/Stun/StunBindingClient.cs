using SipNat.Wire;

namespace SipNat.Traversal.Stun;

/// <summary>
/// Learns how one UDP socket is seen from outside, and keeps that mapping alive (RFC 8489 Binding). All servers of the
/// socket's family are asked, staggered, until one gives a mapping; one more is then heard, so that a mapping that
/// depends on the destination (RFC 4787 §4.1) is known; afterwards the first one is asked again before each interval
/// ends. Silence there begins the whole anew. A mapping that has another port by then ended in the interval: the
/// intervals become shorter.
/// </summary>
/// <remarks>
/// Only <see cref="HandleTimeout"/> sends. <see cref="Start"/> and <see cref="TryHandle"/> may move
/// <see cref="Deadline"/> to the present: the owner looks at it after every input. A second Start is ignored.
/// </remarks>
public sealed class StunBindingClient
{
    private readonly Random _random;
    private readonly StunBindingOptions _options;
    private readonly List<StunServerProbe> _probes = [];
    private readonly Queue<StunBindingEvent> _events = new();
    private StunServerProbe? _chosen;
    private StunServerProbe? _compared;
    private Instant? _nextRound;
    private Instant _confirmedAt;
    private TimeSpan _limit;
    private TimeSpan? _learned;
    private bool _isStarted;

    /// <param name="flow">The socket.</param>
    /// <param name="local">Its concrete local address.</param>
    /// <param name="options">Whom to ask and how often.</param>
    /// <param name="random">Transaction ids and intervals come from it.</param>
    public StunBindingClient(FlowId flow, TransportAddress local, StunBindingOptions options, Random random)
    {
        (Flow, Local, _options, _random, _limit) = (flow, local, options, random, options.KeepaliveBound);
        foreach (var server in options.Servers)
        {
            if (server.Family != local.Family || _probes.Count == StunBindingOptions.MaxServers) continue;
            _probes.Add(new(flow, server));
        }
    }

    public FlowId Flow { get; }

    public TransportAddress Local { get; }

    /// <summary>How the server sees the socket; null while that is not known.</summary>
    public TransportAddress? Mapped { get; private set; }

    /// <summary>The mapping that was known last, also while <see cref="Mapped"/> is null.</summary>
    public TransportAddress? LastMapped { get; private set; }

    /// <summary>The server that gave <see cref="LastMapped"/>.</summary>
    public TransportAddress? Server { get; private set; }

    /// <summary>Whether two servers see two mappings; null until two have answered.</summary>
    public bool? VariesByDestination { get; private set; }

    /// <summary>
    /// The longest time between two packets that keeps this socket's mapping alive: what its owner allows, or less where
    /// the mapping was seen to end sooner.
    /// </summary>
    public TimeSpan KeepaliveBound => _learned is { } learned && learned < _limit ? learned : _limit;

    /// <summary>False where no server has the socket's address family: nothing is ever sent.</summary>
    public bool HasServers => _probes.Count > 0;

    /// <summary>Responses with an id of ours that came from elsewhere than the server that was asked.</summary>
    public int ForeignResponses { get; private set; }

    /// <summary>When <see cref="HandleTimeout"/> wants to run next; null when nothing is pending.</summary>
    public Instant? Deadline
    {
        get
        {
            var deadline = _nextRound;
            foreach (var probe in _probes) deadline = Instant.Earlier(deadline, probe.Deadline);
            return deadline;
        }
    }

    public void Start(Instant now)
    {
        if (_isStarted) return;

        _isStarted = true;
        AskAll(now, first: 0);
    }

    /// <summary>Asks all servers at once, as after a suspend: the NAT may have forgotten this socket, or be another one.</summary>
    public void Refresh(Instant now)
    {
        if (_isStarted) AskAll(now, first: 0);
    }

    /// <summary>
    /// The bound from here on, as lifetimes were measured. Where it becomes shorter, the next request moves to a random
    /// moment within it: many sockets hear of it at once.
    /// </summary>
    public void LimitKeepalive(Instant now, TimeSpan bound)
    {
        _limit = bound;
        if (_chosen is not null && _nextRound > now + KeepaliveBound) _nextRound = now + (KeepaliveBound * _random.NextDouble());
    }

    /// <summary>Ends everything, as when the socket closes.</summary>
    public void Stop()
    {
        _nextRound = null;
        foreach (var probe in _probes) probe.Cancel();
    }

    public bool TryTake(out StunBindingEvent happened) => _events.TryDequeue(out happened!);

    /// <summary>
    /// Takes a datagram that answers a request of this client; false leaves it to somebody else. An answer from another
    /// source than the server that was asked is taken, counted and ignored.
    /// </summary>
    public bool TryHandle(Instant now, TransportAddress from, ReadOnlySpan<byte> datagram)
    {
        if (!StunMessage.LooksLikeStun(datagram) || !StunMessage.TryRead(datagram, out var message, out _)) return false;
        if (message.Class is not (StunClass.Success or StunClass.Error) || message.Method is not StunMethod.Binding) return false;
        if (Find(message.TransactionId) is not { } probe) return false;

        if (from != probe.Server)
        {
            ForeignResponses++;
            return true;
        }

        probe.HandleResponse();
        if (TryReadMapping(message, probe.Server, out var mapped)) HandleMapping(now, probe, mapped);
        else HandleRefusal(now, probe, message);
        return true;
    }

    /// <summary>Sends what is due; afterwards <see cref="Deadline"/> is null or later than <paramref name="now"/>.</summary>
    public void HandleTimeout(Instant now, Outbox outbox)
    {
        if (_nextRound is { } due && due <= now) BeginRound(now, due);
        foreach (var probe in _probes)
        {
            if (!probe.HandleTimeout(now, outbox)) continue;

            HandleSilence(now, probe);
        }

        // A failed keepalive makes all servers due at once, also those that this loop has passed.
        foreach (var probe in _probes) probe.HandleTimeout(now, outbox);
    }

    private StunServerProbe? Find(StunTransactionId id)
    {
        foreach (var probe in _probes)
        {
            if (probe.IsAwaiting(id)) return probe;
        }

        return null;
    }

    // A mapping of another family, without a port or to a group is none: the server is wrong or lies.
    private static bool TryReadMapping(StunMessage message, TransportAddress server, out TransportAddress mapped)
    {
        mapped = default;
        return message.Class is StunClass.Success
            && !message.HasUnknownRequiredAttribute(out _)
            && message.TryGetMappedAddress(out mapped)
            && mapped.Family == server.Family
            && mapped is { Port: not 0, IsUnspecified: false, IsMulticastOrBroadcast: false };
    }

    private void HandleMapping(Instant now, StunServerProbe probe, TransportAddress mapped)
    {
        if (_chosen is null) Choose(now, probe, mapped);
        else if (probe == _chosen) Refresh(now, mapped);
        else if (probe == _compared) Compare(now, probe, mapped);
    }

    private void Choose(Instant now, StunServerProbe probe, TransportAddress mapped)
    {
        _chosen = probe;
        ScheduleRound(now);
        if (LastMapped is { } previous && previous != mapped) Change(now, previous, mapped);
        else _events.Enqueue(new StunBindingEvent.MappingLearned(Flow, Local, mapped, probe.Server, now));

        (Mapped, LastMapped, Server, _confirmedAt) = (mapped, mapped, probe.Server, now);
        StartComparison(now);
    }

    private void Refresh(Instant now, TransportAddress mapped)
    {
        var silence = now - _confirmedAt;
        _confirmedAt = now;
        if (Mapped is not { } previous || previous == mapped) return;

        Change(now, previous, mapped);
        (Mapped, LastMapped) = (mapped, mapped);
        Learn(now, previous, mapped, silence);
        // What another server was asked before the change says nothing about this mapping.
        foreach (var probe in _probes) probe.Cancel();
        StartComparison(now);
    }

    private void Change(Instant now, TransportAddress previous, TransportAddress mapped)
    {
        VariesByDestination = null;
        _events.Enqueue(new StunBindingEvent.MappingChanged(Flow, Local, previous, mapped, _chosen!.Server, now));
    }

    // Another address is another line or another NAT, of which nothing is known. At the same address the mapping ended,
    // and what else this socket sent meanwhile did not keep it: it lives less long than the silence towards the server.
    private void Learn(Instant now, TransportAddress previous, TransportAddress mapped, TimeSpan silence)
    {
        if (!previous.HasSameAddress(mapped))
        {
            _learned = null;
            return;
        }

        var bound = KeepaliveInterval.BoundAfterEnd(silence, KeepaliveBound);
        if (bound == KeepaliveBound) return;

        _learned = bound;
        ScheduleRound(now);
        _events.Enqueue(new StunBindingEvent.MappingEnded(Flow, Local, silence, bound, now));
    }

    // One server besides the chosen one is heard: a request under way, else one that begins here. The rest is quiet.
    private void StartComparison(Instant now)
    {
        _compared = _probes.Find(p => p != _chosen && p.IsUnderWay)
            ?? _probes.Find(p => p != _chosen && !p.Server.HasSameAddress(_chosen!.Server))
            ?? _probes.Find(p => p != _chosen);
        foreach (var probe in _probes)
        {
            if (probe != _chosen && probe != _compared) probe.Cancel();
        }

        if (_compared is { IsUnderWay: false }) _compared.Ask(now, _options.Probe, _random);
    }

    private void Compare(Instant now, StunServerProbe probe, TransportAddress mapped)
    {
        _compared = null;
        var varies = mapped != Mapped;
        var wasKnown = VariesByDestination is true;
        VariesByDestination = varies;
        if (!varies || wasKnown) return;

        _events.Enqueue(new StunBindingEvent.MappingDependsOnDestination(
            Flow, Mapped!.Value, _chosen!.Server, mapped, probe.Server, now));
    }

    private void HandleRefusal(Instant now, StunServerProbe probe, StunMessage message)
    {
        message.TryGetErrorCode(out var code, out _);
        _events.Enqueue(new StunBindingEvent.ServerRefused(Flow, probe.Server, code, now));
        HandleSilence(now, probe);
    }

    private void HandleSilence(Instant now, StunServerProbe probe)
    {
        if (probe == _compared) _compared = null;
        else if (probe == _chosen) Lose(now, probe);
        else if (_chosen is null && !_probes.Exists(p => p.Deadline is not null)) GiveUp(now);
    }

    private void Lose(Instant now, StunServerProbe probe)
    {
        _events.Enqueue(new StunBindingEvent.MappingLost(Flow, Mapped!.Value, probe.Server, now));
        (_chosen, _compared, Mapped) = (null, null, null);
        AskAll(now, first: _probes.IndexOf(probe) + 1);
    }

    private void GiveUp(Instant now)
    {
        _events.Enqueue(new StunBindingEvent.NoAnswer(Flow, [.. _probes.Select(p => p.Server)], now));
        ScheduleRound(now);
    }

    private void BeginRound(Instant now, Instant due)
    {
        if (_chosen is null)
        {
            AskAll(now, first: 0);
            return;
        }

        // With a short bound the last keepalive is still being repeated; a fresh one would hide its silence for ever.
        if (!_chosen.IsUnderWay) _chosen.Ask(now, _options.Keepalive, _random);
        ScheduleRound(due);
        if (_nextRound <= now) ScheduleRound(now);
    }

    private void AskAll(Instant now, int first)
    {
        _nextRound = null;
        for (var i = 0; i < _probes.Count; i++)
        {
            _probes[(first + i) % _probes.Count].Ask(now + (_options.Stagger * i), _options.Probe, _random);
        }
    }

    private void ScheduleRound(Instant from) =>
        _nextRound = from + KeepaliveInterval.Draw(KeepaliveBound, _random);
}
