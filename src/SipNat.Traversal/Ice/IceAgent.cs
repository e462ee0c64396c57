using SipNat.Traversal.Stun;
using SipNat.Wire;

namespace SipNat.Traversal.Ice;

/// <summary>
/// Finds, and keeps, a path for each component of one stream (RFC 8445, full and lite). Its owner gives it the sockets
/// and what STUN and TURN servers lent, carries <see cref="Describe"/> to the peer and the peer's description to
/// <see cref="SetRemote"/>, and hands it what its sockets receive.
/// </summary>
/// <remarks>
/// Answers leave by <see cref="Outbox"/> at once, checks with <see cref="HandleTimeout"/>; every input may move
/// <see cref="Deadline"/> to the present. A relay has a flow id that the owner makes up: what leaves on it is sent by
/// TURN, and what TURN delivers is handed in with it and with the peer as its source.
/// </remarks>
public sealed partial class IceAgent
{
    /// <summary>Candidates that the peer tells beyond these are refused.</summary>
    public const int MaxRemoteCandidates = IceDescription.MaxCandidates;

    private const int MaxEarlyChecks = 16;
    private static readonly TimeSpan UnprovenInterval = TimeSpan.FromMilliseconds(500);

    // While the peer is heard the agent waits so many times its patience at most.
    private const int MostPatience = 2;
    private static readonly TimeSpan HeardLately = TimeSpan.FromSeconds(5);

    private readonly IceOptions _options;
    private readonly Random _random;
    private readonly ulong _tieBreaker;
    private readonly LocalCandidates _local;
    private readonly CheckList _checks = new();
    private readonly CheckBudget _budget;
    private readonly List<Candidate> _remote = [];
    private readonly List<EarlyCheck> _early = [];
    private readonly IcePath?[] _paths = new IcePath?[IceOptions.MaxComponents];
    private readonly Instant?[] _validSince = new Instant?[IceOptions.MaxComponents];
    private readonly TimeSpan[] _roundTrips = new TimeSpan[IceOptions.MaxComponents];
    private readonly Queue<IceEvent> _events = new();
    private IceGeneration _generation;
    private IceGeneration? _previous;
    private Instant? _nextCheck;
    private Instant? _lastCheck;
    private Instant? _giveUp;
    private Instant? _askedUnproven;
    private Instant? _latestGiveUp;
    private Instant? _heard;
    private int _told;

    /// <param name="options">How it behaves; checked by whoever made them.</param>
    /// <param name="role">Controlling for the side that sent the offer (RFC 8445 §6.1.1).</param>
    /// <param name="random">Credentials, ids and intervals come from it.</param>
    public IceAgent(IceOptions options, IceRole role, Random random)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Components, 1, nameof(options));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.Components, IceOptions.MaxComponents, nameof(options));
        (_options, _random) = (options, random);
        Components = options.Components;
        Role = options.IsLite ? IceRole.Controlled : role;
        _tieBreaker = (ulong)random.NextInt64(long.MinValue, long.MaxValue);
        _local = new(options.IsRelayOnly);
        _budget = new(options.ChecksPerUnprovenAddress);
        _generation = new(IceCredentials.Create(random));
    }

    public Outbox Outbox { get; } = new();

    public IceCounters Counters { get; } = new();

    public IceRole Role { get; private set; }

    public IceState State { get; private set; }

    /// <summary>Components that are negotiated: 1 once RTCP shares the port of RTP.</summary>
    public int Components { get; private set; }

    /// <summary>When <see cref="HandleTimeout"/> wants to run next; null when nothing is pending.</summary>
    public Instant? Deadline
    {
        get
        {
            var deadline = Instant.Earlier(_nextCheck, _giveUp);
            foreach (var path in _paths) deadline = Instant.Earlier(deadline, path?.Deadline);
            if (State is not IceState.Checking) return deadline;

            foreach (var pair in _checks.Pairs) deadline = Instant.Earlier(deadline, pair.Transaction?.Deadline);
            for (var component = 1; component <= Components; component++) deadline = Instant.Earlier(deadline, NominationDue(component));
            return deadline;
        }
    }

    /// <summary>What to tell the peer, with the candidates that are known at this moment.</summary>
    public IceDescription Describe() => new()
    {
        Credentials = _generation.Local,
        IsLite = _options.IsLite,
        Candidates = [.. _local.Told],
        Options = ["ice2"],
    };

    /// <summary>The path of a component; null while there is none that may be sent on.</summary>
    public IcePath? PathOf(int component) => _paths[component - 1] is { HasConsent: true } path ? path : null;

    /// <summary>
    /// Whether media from an address on a flow come from the peer: a check of that pair has succeeded, or one came from
    /// there that was signed with our password, which only the peer was told.
    /// </summary>
    public bool Accepts(FlowId flow, TransportAddress from)
    {
        foreach (var path in _paths)
        {
            if (path is not null && path.Flow == flow && path.Remote == from) return true;
        }

        return _checks.Find(flow, from) is { State: CandidatePairState.Succeeded } or { IsCheckedByPeer: true } || HasEarlyCheck(flow, from);
    }

    // Media may overtake the description of their sender, whose check has shown that it knows our password.
    private bool HasEarlyCheck(FlowId flow, TransportAddress from)
    {
        foreach (var check in _early)
        {
            if (check.Flow == flow && check.From == from) return true;
        }

        return false;
    }

    public bool TryTake(out IceEvent happened) => _events.TryDequeue(out happened!);

    /// <summary>A socket is open.</summary>
    /// <param name="now">The moment.</param>
    /// <param name="flow">The socket; one serves one component.</param>
    /// <param name="component">1 for RTP, 2 for RTCP.</param>
    /// <param name="address">Its concrete local address.</param>
    /// <param name="localPreference">0–65535, by <see cref="LocalPreferences.Of"/>.</param>
    public void AddHost(Instant now, FlowId flow, int component, TransportAddress address, int localPreference = Candidate.MaxLocalPreference) =>
        Pair(now, _local.AddHost(flow, component, address, localPreference));

    /// <summary>A STUN server sees a socket as <paramref name="mapped"/>; a mapping that was known before is gone.</summary>
    public void SetServerReflexive(FlowId flow, TransportAddress mapped, TransportAddress server)
    {
        _local.RemoveServerReflexive(flow);
        if (!_options.IsRelayOnly) _local.AddServerReflexive(flow, mapped, server);
    }

    /// <summary>A TURN server lent an address.</summary>
    /// <param name="now">The moment.</param>
    /// <param name="relayFlow">An id that no socket has: sends on it go by TURN.</param>
    /// <param name="component">1 for RTP, 2 for RTCP.</param>
    /// <param name="relayed">The address lent.</param>
    /// <param name="mapped">How the server sees the socket.</param>
    /// <param name="server">The server.</param>
    /// <param name="localPreference">0–65535.</param>
    public void AddRelayed(
        Instant now, FlowId relayFlow, int component, TransportAddress relayed, TransportAddress mapped, TransportAddress server, int localPreference = Candidate.MaxLocalPreference) =>
        Pair(now, _local.AddRelayed(relayFlow, component, relayed, mapped, server, localPreference));

    /// <summary>A relay is lost: it is told no more, and what was to leave by it fails. Told to the peer by a restart only.</summary>
    public void RemoveRelayed(FlowId relayFlow) => _local.RemoveBase(relayFlow);

    /// <summary>A socket closes of which no pair is in use: it is told no more.</summary>
    public void RemoveHost(FlowId flow) => _local.RemoveBase(flow);

    /// <summary>Whether a check by a socket, or a relay, has succeeded since the last restart: what is in use may fall back on it.</summary>
    public bool HasProved(FlowId flow)
    {
        foreach (var pair in _checks.Pairs)
        {
            if (pair.Local.Flow == flow && pair.State is CandidatePairState.Succeeded) return true;
        }

        return false;
    }

    /// <summary>RTCP shares the port of RTP (RFC 5761): component 2 is over.</summary>
    public void MultiplexRtcp(Instant now)
    {
        if (Components == 1) return;

        Components = 1;
        _local.DropComponent(2);
        _checks.HandleNomination(2);
        _paths[1] = null;
        Settle(now);
    }

    /// <summary>
    /// The peer's description, or a later one. Other credentials than before restart ICE on this side too (RFC 8445 §9):
    /// what <see cref="Describe"/> gives has changed then.
    /// </summary>
    public void SetRemote(Instant now, IceDescription description)
    {
        if (_generation.Remote is { } known && known != description.Credentials) Restart();
        if (_generation.Remote is null) Begin(now, description);
        foreach (var candidate in description.Candidates) AddRemote(now, candidate);

        if (_options.IsLite && description.IsLite) SelectByPriority(now);
        _checks.Thaw();
        ReplayEarly(now);
        Wake(now);
    }

    /// <summary>One more candidate of the peer (trickle, RFC 8838); ignored before its description.</summary>
    public void AddRemoteCandidate(Instant now, Candidate candidate)
    {
        if (_generation.Remote is null) return;

        AddRemote(now, candidate);
        Wake(now);
    }

    /// <summary>Begins anew with fresh credentials (RFC 8445 §9). Paths in use stay until others take their place.</summary>
    public void Restart()
    {
        (_previous, _generation) = (_generation, new(IceCredentials.Create(_random)));
        _checks.Clear();
        _budget.Clear();
        _remote.Clear();
        _early.Clear();
        Array.Clear(_validSince);
        (_nextCheck, _giveUp, _heard, _told) = (null, null, null, 0);
        foreach (var local in _local.Bases) local.ForgetRevealed();
        State = IceState.New;
    }

    /// <summary>Media of a component that flowed have fallen silent: its path is asked at once whether it lives.</summary>
    public void HandleSilence(Instant now, int component) => _paths[component - 1]?.Doubt(now);

    /// <summary>
    /// Media came from an address that no check has proved. A NAT that bound the peer anew is the likely reason: whoever is
    /// there is asked, and counts as the peer once it has answered.
    /// </summary>
    public void HandleUnproven(Instant now, FlowId flow, TransportAddress from)
    {
        if (_options.IsLite || State is not (IceState.Connected or IceState.Disconnected) || _askedUnproven + UnprovenInterval > now) return;
        if (_local.FindBase(flow) is not { } local) return;

        var priority = Candidate.PriorityOf(CandidateType.PeerReflexive, Candidate.MaxLocalPreference, local.Component);
        var pair = _checks.Find(flow, from) ?? AddPeerReflexive(now, local, new(flow, from, priority, IsNominating: false));
        if (pair is null || pair.State is CandidatePairState.Succeeded) return;

        _askedUnproven = now;
        _checks.Trigger(pair);
        Wake(now);
    }

    /// <summary>Takes STUN of this agent; false leaves the datagram to somebody else.</summary>
    public bool TryHandle(Instant now, FlowId flow, TransportAddress from, ReadOnlySpan<byte> datagram)
    {
        if (!StunMessage.LooksLikeStun(datagram) || _local.FindBase(flow) is not { } local) return false;
        if (!StunMessage.TryRead(datagram, out var message, out _) || message.Method is not StunMethod.Binding) return false;

        switch (message.Class)
        {
            case StunClass.Request:
                HandleCheck(now, local, from, message);
                return true;
            case StunClass.Indication:
                return true;
            default:
                return TryHandleResponse(now, local, from, message);
        }
    }

    /// <summary>Sends what is due; afterwards <see cref="Deadline"/> is null or later than <paramref name="now"/>.</summary>
    public void HandleTimeout(Instant now)
    {
        for (var i = 0; i < _paths.Length; i++)
        {
            // What takes the place of a lost path is due at once.
            while (_paths[i] is { } path && path.HandleTimeout(now, Outbox, Role, _tieBreaker)) HandleConsentLost(now, path);
        }

        if (State is IceState.Checking) Repeat(now);
        if (State is IceState.Checking) Nominate(now);
        if (_nextCheck is { } due && due <= now) Check(now, due);
        if (_giveUp is { } end && end <= now) GiveUp(now);
    }

    private void Begin(Instant now, IceDescription description)
    {
        _generation.SetRemote(description.Credentials);
        if (description.IsLite && !_options.IsLite) Role = IceRole.Controlling;
        State = IceState.Checking;
        (_giveUp, _latestGiveUp) = (now + _options.Patience, now + (_options.Patience * MostPatience));
    }

    private void AddRemote(Instant now, Candidate candidate)
    {
        if (candidate.Component > Components) return;
        if (_told == MaxRemoteCandidates || FindRemote(candidate.Component, candidate.Address) is not null)
        {
            Counters.RefusedCandidates++;
            return;
        }

        _remote.Add(candidate);
        _told++;
        var isReached = false;
        foreach (var local in _local.Bases) isReached |= TryPair(now, local, candidate);
        if (!isReached) Counters.RefusedCandidates++;
    }

    private void Pair(Instant now, LocalBase? local)
    {
        if (local is null) return;

        foreach (var candidate in _remote) TryPair(now, local, candidate);
        Wake(now);
    }

    private bool TryPair(Instant now, LocalBase local, Candidate remote)
    {
        if (local.Component != remote.Component || !local.CanReach(remote.Address, _options.ChecksPrivateAddresses)) return false;
        if (!_checks.TryAdd(new(local, remote, Role))) return false;

        if (local.IsRelayed) _events.Enqueue(new IceEvent.PermissionWanted(local.Flow, remote.Address, now));
        return true;
    }

    private Candidate? FindRemote(int component, TransportAddress address)
    {
        foreach (var candidate in _remote)
        {
            if (candidate.Component == component && candidate.Address == address) return candidate;
        }

        return null;
    }
}
