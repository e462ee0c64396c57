using SipNat.Traversal.Stun;
using SipNat.Wire;

namespace SipNat.Traversal.Ice;

/// <summary>
/// A valid pair that carries the media of one component, with the peer's consent to it (RFC 7675). A path outlives a
/// restart until another takes its place.
/// </summary>
public sealed class IcePath
{
    // As many checks as may be under way until consent is lost, and a few for doubt.
    private const int MaxOpenChecks = 16;

    private readonly IceOptions _options;
    private readonly Random _random;
    private readonly StunTransactionId[] _open = new StunTransactionId[MaxOpenChecks];
    private int _opened;
    private Instant _answered;
    private Instant? _doubted;
    private Instant _next;

    internal IcePath(Instant now, LocalBase local, Candidate seen, Candidate remote, IceGeneration generation, IceOptions options, Random random)
    {
        (Base, Local, Peer, Generation, _options, _random) = (local, seen, remote, generation, options, random);
        _answered = now;
        _next = now + Interval();
    }

    /// <summary>1 for RTP, 2 for RTCP.</summary>
    public int Component => Base.Component;

    /// <summary>What to send by: a socket, or the id that the owner gave to a relay.</summary>
    public FlowId Flow => Base.Flow;

    /// <summary>Where to send to, and the only source that counts.</summary>
    public TransportAddress Remote => Peer.Address;

    /// <summary>Our candidate, as the peer sees it.</summary>
    public Candidate Local { get; }

    /// <summary>The peer's candidate.</summary>
    public Candidate Peer { get; }

    /// <summary>Whether a TURN server of either side is on it.</summary>
    public bool IsRelayed => Base.IsRelayed || Peer.Type is CandidateType.Relayed;

    /// <summary>False while the controlling side may still choose a better one.</summary>
    public bool IsNominated { get; internal set; }

    /// <summary>False once consent is lost: nothing may be sent.</summary>
    public bool HasConsent { get; private set; } = true;

    internal LocalBase Base { get; }

    internal IceGeneration Generation { get; }

    /// <summary>When the peer last answered on it.</summary>
    internal Instant AnsweredAt => _answered;

    internal Instant? Deadline
    {
        get
        {
            if (!HasConsent) return null;
            if (_options.IsLite) return _next;

            return _next < Expiry ? _next : Expiry;
        }
    }

    private Instant Expiry
    {
        get
        {
            var expiry = _answered + _options.ConsentTimeout;
            return _doubted is { } since && since + _options.DoubtTimeout < expiry ? since + _options.DoubtTimeout : expiry;
        }
    }

    public override string ToString() => $"{Local.Address} ({Local.Type.Token}) > {Remote} ({Peer.Type.Token})";

    /// <summary>Media that flowed are silent: asks at once, and more often, until there is an answer.</summary>
    internal void Doubt(Instant now)
    {
        if (!HasConsent || _options.IsLite || _doubted is not null) return;

        _doubted = now;
        _next = now;
    }

    /// <summary>Sends what is due; true when consent was lost.</summary>
    internal bool HandleTimeout(Instant now, Outbox outbox, IceRole role, ulong tieBreaker)
    {
        if (!HasConsent) return false;
        if (!_options.IsLite && now >= Expiry)
        {
            HasConsent = false;
            return true;
        }

        if (now < _next) return false;

        Send(outbox, role, tieBreaker);
        var interval = Interval();
        _next = _next + interval > now ? _next + interval : now + interval;
        return false;
    }

    internal bool IsAwaiting(StunTransactionId id) => _open.AsSpan(0, Math.Min(_opened, MaxOpenChecks)).Contains(id);

    internal void HandleResponse(Instant now)
    {
        // Requests before the one that was answered are open no more; a late answer to them proves nothing further.
        _opened = 0;
        Renew(now);
    }

    /// <summary>The peer has answered on this path: a consent check, or the check that nominated it.</summary>
    internal void Renew(Instant now)
    {
        _answered = now;
        if (_doubted is null) return;

        _doubted = null;
        _next = now + Interval();
    }

    // Without repetitions: the next check is one (RFC 7675 §5.1).
    private void Send(Outbox outbox, IceRole role, ulong tieBreaker)
    {
        var id = StunTransactionId.Create(_random);
        if (_options.IsLite)
        {
            CheckMessage.WriteIndication(outbox.Write(Flow, Remote, CheckMessage.IndicationLength), id);
            return;
        }

        _open[_opened++ % MaxOpenChecks] = id;
        var check = new CheckRole(role, tieBreaker, Base.PeerReflexivePriority, IsNominating: false);
        CheckMessage.WriteRequest(outbox.Write(Flow, Remote, CheckMessage.RequestLength(Generation, check.IsNominating)), id, Generation, check);
    }

    private TimeSpan Interval() =>
        _options.IsLite ? _options.KeepaliveInterval
        : _doubted is not null ? _options.DoubtInterval
        : _options.ConsentInterval * (0.8 + (0.4 * _random.NextDouble()));
}
