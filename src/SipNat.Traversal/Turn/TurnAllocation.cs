using SipNat.Traversal.Stun;
using SipNat.Wire;

namespace SipNat.Traversal.Turn;

/// <summary>
/// The client's side of one allocation on a TURN server (RFC 8656): asks for it, keeps it, its permissions and channels
/// alive, wraps and unwraps packets, and asks for another one when it is lost, with the same peers.
/// </summary>
/// <remarks>
/// Requests leave by <see cref="Outbox"/>, which the owner drains after every input; <see cref="Deadline"/> moves with
/// every input too. What the server sends in the clear (Data indications, ChannelData) is believed for peers that were
/// asked for, and from the server's address only.
/// </remarks>
public sealed partial class TurnAllocation
{
    /// <summary>How long before its end an allocation is refreshed.</summary>
    public static readonly TimeSpan RefreshMargin = TimeSpan.FromSeconds(60);

    /// <summary>A lifetime above this is not believed; it only means that we refresh more often.</summary>
    public static readonly TimeSpan MaxLifetime = TimeSpan.FromHours(1);

    /// <summary>The wait before a server that is used up or in trouble is asked again (RFC 8656 §7.4: at least a minute).</summary>
    public static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(60);

    /// <summary>The wait before a permission or channel is asked for again for which the server had no room.</summary>
    public static readonly TimeSpan PeerRetryDelay = TimeSpan.FromSeconds(10);

    // XOR-PEER-ADDRESS of IPv6 with header, and DATA's header, behind the message's own.
    private const int MaxIndicationOverhead = StunMessage.HeaderLength + 24 + 4 + 3;
    private const int MaxPayload = 65_507 - MaxIndicationOverhead;

    private readonly TurnServerOptions _options;
    private readonly Random _random;
    private readonly TurnRequests _requests;
    private readonly StunRedirection _redirection;
    private readonly TurnPermissions _permissions = new();
    private readonly TurnChannels _channels = new();
    private readonly TurnLiveness _liveness;
    private readonly Queue<TurnEvent> _events = new();
    private Instant? _refreshAt;
    private Instant? _expiresAt;
    private Instant? _retryAt;
    private Instant? _keepaliveAt;
    private bool _hasReleasedStale;

    /// <param name="flow">The socket or connection by which the server is reached.</param>
    /// <param name="options">The server and what is asked of it.</param>
    /// <param name="random">Transaction ids come from it.</param>
    public TurnAllocation(FlowId flow, TurnServerOptions options, Random random)
    {
        (_options, _random, Credentials, KeepaliveBound) = (options, random, options.Credentials, options.KeepaliveBound);
        _requests = new(flow, options, random, Outbox);
        _redirection = new(options.Server);
        _liveness = new(options.KeepaliveBound);
    }

    public Outbox Outbox { get; } = new();

    public FlowId Flow => _requests.Flow;

    /// <summary>The server in use, which another may have named.</summary>
    public TransportAddress Server => _requests.Server;

    /// <summary>What the certificate of <see cref="Server"/> has to be made out to, over TLS (RFC 8489 §10).</summary>
    public string? TlsName => _redirection.Domain ?? _options.TlsName;

    public TurnAllocationState State { get; private set; }

    /// <summary>The address on the server at which peers reach us; null without an allocation.</summary>
    public TransportAddress? Relayed { get; private set; }

    /// <summary>How the server sees the client; null without an allocation.</summary>
    public TransportAddress? Mapped { get; private set; }

    /// <summary>Whether the server, asked after a silence, does not answer: it may be dead, and is not given up yet.</summary>
    public bool IsDoubted => State is TurnAllocationState.Allocated && _liveness.IsDoubted;

    /// <summary>Used from the next Allocate on: an allocation keeps the username that it was made with (441).</summary>
    public StunCredentials? Credentials { get; set; }

    /// <summary>As <see cref="TurnServerOptions.KeepaliveBound"/>; what it is set to counts from the next keepalive on.</summary>
    public TimeSpan KeepaliveBound { get; set; }

    /// <summary>Messages of the server that were not believed or hold nothing: forged, for no peer of ours, malformed.</summary>
    public int Discarded => _requests.Discarded + _strays;

    /// <summary>When <see cref="HandleTimeout"/> wants to run next; null when nothing is pending.</summary>
    public Instant? Deadline
    {
        get
        {
            var deadline = Instant.Earlier(_requests.Deadline, _retryAt);
            if (State is not TurnAllocationState.Allocated) return deadline;

            deadline = Instant.Earlier(deadline, Instant.Earlier(_refreshAt, _expiresAt));
            deadline = Instant.Earlier(deadline, Instant.Earlier(_keepaliveAt, Instant.Earlier(ProbeAt, _liveness.DoubtAt)));
            return Instant.Earlier(deadline, Instant.Earlier(_permissions.Deadline, _channels.Deadline));
        }
    }

    public bool TryTake(out TurnEvent happened) => _events.TryDequeue(out happened!);

    /// <summary>Asks for the allocation; does nothing while there is one, or one is being asked for.</summary>
    public void Start(Instant now)
    {
        if (State is TurnAllocationState.Allocating or TurnAllocationState.Allocated or TurnAllocationState.Closed) return;

        _redirection.Reset();
        Allocate(now);
    }

    /// <summary>
    /// Goes on by another flow: by the connection that was made to <see cref="TurnEvent.Redirected"/>'s server, or in
    /// place of one that closed. The peers are asked for again.
    /// </summary>
    public void Continue(Instant now, FlowId flow)
    {
        if (State is not (TurnAllocationState.Redirected or TurnAllocationState.Closed)) return;

        if (State is TurnAllocationState.Closed) _redirection.Reset();
        _requests.Flow = flow;
        Allocate(now);
    }

    /// <summary>Gives the allocation back, with a lifetime of zero (RFC 8656 §8.1), and ends everything else.</summary>
    public void Release(Instant now)
    {
        if (State is TurnAllocationState.Closed or TurnAllocationState.Releasing) return;

        _retryAt = null;
        _requests.Clear();
        // An Allocate that was not answered may have made one all the same.
        var mayExist = State is TurnAllocationState.Allocated or TurnAllocationState.Allocating;
        Forget();
        if (!mayExist)
        {
            State = TurnAllocationState.Idle;
            return;
        }

        State = TurnAllocationState.Releasing;
        _requests.Send(now, new(StunMethod.Refresh, lifetime: 0));
    }

    /// <summary>Lets packets of a peer's address in, whatever its port, from now on; kept until <see cref="Forget(TransportAddress)"/>.</summary>
    /// <returns>False where the address cannot be one, or there are 64 already.</returns>
    public bool Permit(Instant now, TransportAddress peer) =>
        peer is { IsNone: false, IsUnspecified: false, IsMulticastOrBroadcast: false }
        && peer.Family == _options.RelayedFamily
        && _permissions.TryAdd(now, peer);

    /// <summary>Like <see cref="Permit"/>, and asks for a channel: four bytes of overhead in place of 36.</summary>
    public bool Bind(Instant now, TransportAddress peer) => peer.Port != 0 && Permit(now, peer) && _channels.TryAdd(now, peer);

    /// <summary>
    /// Lets a peer's channel run out, and its address's permission, unless another port of it has a channel; the server knows
    /// no way to end them sooner.
    /// </summary>
    public void Forget(TransportAddress peer)
    {
        _channels.Remove(peer);
        _requests.Forget(peer);
        // A permission is for an address: one that is bound by another port of it goes on.
        if (_channels.HasAddress(peer)) return;

        _permissions.Remove(peer);
        _requests.Forget(peer.WithPort(0));
    }

    /// <summary>Sends a peer a packet: by its channel where there is one, else as a Send indication.</summary>
    /// <returns>False where the server has not confirmed the peer's permission, or the packet is too long.</returns>
    public bool TrySend(Instant now, TransportAddress peer, ReadOnlySpan<byte> payload)
    {
        if (State is not TurnAllocationState.Allocated || payload.Length > MaxPayload || peer.Port == 0) return false;
        if (!_permissions.IsGranted(now, peer)) return false;

        if (_channels.TryGetNumber(now, peer, out var number))
        {
            var length = ChannelData.LengthOf(payload.Length, _options.Transport.IsReliable);
            ChannelData.Write(Outbox.Write(Flow, Server, length), number, payload);
            return true;
        }

        var address = peer.IsIPv4 ? 12 : 24;
        var size = StunMessage.HeaderLength + address + 4 + ((payload.Length + 3) & ~3);
        var writer = new StunWriter(Outbox.Write(Flow, Server, size), StunClass.Indication, StunMethod.Send, StunTransactionId.Create(_random));
        writer.AddAddress(StunAttributeType.XorPeerAddress, peer);
        writer.Add(StunAttributeType.Data, payload);
        return true;
    }

    /// <summary>Does everything that is due; afterwards <see cref="Deadline"/> is null or later than <paramref name="now"/>.</summary>
    public void HandleTimeout(Instant now)
    {
        while (_requests.TryTimeOut(now, out var request)) HandleSilence(now, request);

        if (_retryAt <= now)
        {
            _redirection.Reset();
            Allocate(now);
        }

        if (State is TurnAllocationState.Allocated && _expiresAt <= now) Lose(now, TurnLoss.Expired);
        if (State is not TurnAllocationState.Allocated) return;

        if (_refreshAt <= now)
        {
            _refreshAt = null;
            _requests.Send(now, new(StunMethod.Refresh, lifetime: Seconds(_options.Lifetime)));
        }

        if (_keepaliveAt <= now) KeepMapping(now);
        if (_liveness.DoubtAt <= now) _liveness.HandleDoubt();
        if (ProbeAt <= now) Probe(now);
        AskForPeers(now);
    }

    /// <summary>The end of the flow is the end of the allocation; another one needs another flow, see <see cref="Continue"/>.</summary>
    public void HandleFlow(Instant now, FlowId flow, FlowChange change)
    {
        if (flow != Flow || change.Kind is not (FlowChangeKind.Closed or FlowChangeKind.Refused)) return;
        if (State is TurnAllocationState.Closed or TurnAllocationState.Redirected) return;

        var relayed = Relayed;
        var wasAsking = State is TurnAllocationState.Allocating;
        _requests.Clear();
        _retryAt = null;
        Forget();
        State = TurnAllocationState.Closed;
        if (relayed is { } lost) _events.Enqueue(new TurnEvent.Lost(Server, lost, TurnLoss.FlowClosed, now));
        else if (wasAsking) _events.Enqueue(new TurnEvent.Failed(Server, TurnFailure.FlowClosed, 0, null, now));
    }

    private static uint Seconds(TimeSpan span) => (uint)Math.Clamp(span.TotalSeconds, 1, MaxLifetime.TotalSeconds);

    // Nothing answers an indication: what the mapping has become is told by the next request (437).
    private void KeepMapping(Instant now)
    {
        var message = Outbox.Write(Flow, Server, StunMessage.HeaderLength);
        _ = new StunWriter(message, StunClass.Indication, StunMethod.Binding, StunTransactionId.Create(_random));
        ScheduleKeepalive(now);
    }

    // Only while somebody is to be reached by it: an allocation in reserve may die unseen until it is refreshed.
    private Instant? ProbeAt => _permissions.IsEmpty ? null : _liveness.Due;

    /// <summary>Asks now whether the server and the allocation are there, as whoever uses it misses packets.</summary>
    public void Ask(Instant now)
    {
        if (State is TurnAllocationState.Allocated && ProbeAt is not null) Probe(now);
    }

    private void Probe(Instant now)
    {
        _liveness.HandleAsked(now);
        _requests.Send(now, new(StunMethod.Refresh, lifetime: Seconds(_options.Lifetime)) { Schedule = TurnLiveness.ScheduleFor(_options.Transport) });
    }

    private void ScheduleKeepalive(Instant now) =>
        _keepaliveAt = _options.Transport.IsReliable ? null : now + KeepaliveInterval.Draw(KeepaliveBound, _random);

    private void AskForPeers(Instant now)
    {
        while (_permissions.TryTakeDue(now, out var permission)) _requests.Send(now, new(StunMethod.CreatePermission, permission.Peer));
        while (_channels.TryTakeDue(now, out var channel)) _requests.Send(now, new(StunMethod.ChannelBind, channel.Peer, channel.Number));
    }

    private void Allocate(Instant now)
    {
        State = TurnAllocationState.Allocating;
        _retryAt = null;
        _hasReleasedStale = false;
        _requests.Server = _redirection.Server;
        _requests.Reset(Credentials);
        SendAllocate(now);
    }

    private void SendAllocate(Instant now) => _requests.Send(now, new(StunMethod.Allocate, lifetime: Seconds(_options.Lifetime)));

    private void Forget() => (Relayed, Mapped, _refreshAt, _expiresAt) = (null, null, null, null);
}

public enum TurnAllocationState
{
    /// <summary>Not started, or given back.</summary>
    Idle,

    /// <summary>The server is being asked.</summary>
    Allocating,

    /// <summary>The server relays.</summary>
    Allocated,

    /// <summary>The server gave none; it may be asked again later.</summary>
    Failed,

    /// <summary>Another server is to be reached by a connection of its own.</summary>
    Redirected,

    /// <summary>It is being given back.</summary>
    Releasing,

    /// <summary>The flow is gone; another one can take its place.</summary>
    Closed,
}
