using SipNat.Traversal.Turn;
using SipNat.Wire;

namespace SipNat.Traversal.Discovery;

/// <summary>
/// Tells whether TURN servers can be reached and lend a relay, by a real Allocate over each transport, which is given
/// back at once (RFC 8656 §7, §8). A server that answers with an error is reached, yet of no use.
/// </summary>
/// <remarks>The shell opens a UDP socket for each target over UDP, and the connections that are asked for.</remarks>
public sealed class TurnReachProbe : IProtocolCore
{
    /// <summary>More targets are not asked.</summary>
    public const int MaxTargets = 16;

    // Requests over UDP go out five times in it.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(12);
    private static readonly TimeSpan ReleaseLimit = TimeSpan.FromSeconds(2);

    private readonly Random _random;
    private readonly List<Attempt> _attempts;
    private readonly Queue<FlowRequest> _requests = new();
    private Instant? _limit;

    /// <param name="targets">Servers, each over one transport.</param>
    /// <param name="random">Transaction ids come from it.</param>
    public TurnReachProbe(IEnumerable<TurnReachTarget> targets, Random random)
    {
        _random = random;
        _attempts = [.. targets.Take(MaxTargets).Select(target => new Attempt(target))];
        foreach (var (server, name) in _attempts.Select(attempt => attempt.Target).Where(target => target.Server.Transport.IsReliable))
        {
            _requests.Enqueue(new(FlowRequestKind.Connect, default, server.Transport, server.Server) { TlsName = name });
        }
    }

    /// <summary>How many UDP sockets have to be opened for it.</summary>
    public int SocketCount => _attempts.Count(attempt => !attempt.Target.Server.Transport.IsReliable);

    /// <summary>What was found, in the order of the targets; null while they are asked.</summary>
    public IReadOnlyList<TurnReach>? Result { get; private set; }

    /// <summary>Targets that are done, and all of them; for people who wait.</summary>
    public (int Done, int Known) Progress => (_attempts.Count(attempt => attempt.IsOver), _attempts.Count);

    public Outbox Outbox { get; } = new();

    public Instant? Deadline
    {
        get
        {
            if (Result is not null) return null;

            var deadline = _limit;
            foreach (var attempt in _attempts) deadline = Instant.Earlier(deadline, attempt.Deadline);
            return deadline;
        }
    }

    public void HandleFlow(Instant now, FlowId flow, FlowChange change)
    {
        if (Result is not null) return;

        _limit ??= now + Limit;
        if (change.Kind is FlowChangeKind.Opened or FlowChangeKind.Refused && _attempts.Find(attempt => attempt.IsFor(change)) is { } waiting)
        {
            if (change.Kind is FlowChangeKind.Opened) waiting.Start(now, flow, _random);
            else waiting.IsOver = true;
        }
        else if (_attempts.Find(attempt => attempt.Allocation?.Flow == flow) is { } known)
        {
            known.Allocation!.HandleFlow(now, flow, change);
        }

        Settle(now);
    }

    public void HandleDatagram(Instant now, FlowId flow, TransportAddress from, ReadOnlySpan<byte> datagram)
    {
        if (Result is not null || _attempts.Find(attempt => attempt.Allocation?.Flow == flow) is not { } attempt) return;

        _ = attempt.Allocation!.TryHandle(now, flow, from, datagram, out _);
        Settle(now);
    }

    public void HandleTimeout(Instant now)
    {
        if (Result is not null) return;

        foreach (var attempt in _attempts) attempt.HandleTimeout(now);
        if (_limit <= now) _attempts.ForEach(attempt => attempt.IsOver = true);
        Settle(now);
    }

    public bool TryTakeRequest(out FlowRequest request) => _requests.TryDequeue(out request);

    private void Settle(Instant now)
    {
        foreach (var attempt in _attempts)
        {
            attempt.Settle(now);
            if (attempt.Allocation is { } allocation) Outbox.TakeAllFrom(allocation.Outbox);
        }

        if (_attempts.TrueForAll(attempt => attempt.IsOver)) Result = [.. _attempts.Select(attempt => attempt.Reach)];
    }

    private sealed class Attempt(TurnReachTarget target)
    {
        private Instant? _releaseLimit;

        public TurnReachTarget Target => target;

        public TurnAllocation? Allocation { get; private set; }

        public TurnReach Reach { get; private set; } = new(target, TurnReachOutcome.Silent, 0);

        public bool IsOver { get; set; }

        public Instant? Deadline => IsOver ? null : Instant.Earlier(Allocation?.Deadline, _releaseLimit);

        public bool IsFor(FlowChange change) =>
            Allocation is null && !IsOver && change.Transport == target.Server.Transport
            && (!change.Transport.IsReliable || change.Remote == target.Server.Server);

        public void Start(Instant now, FlowId flow, Random random)
        {
            Allocation = new(flow, target.Server, random);
            Allocation.Start(now);
        }

        public void HandleTimeout(Instant now)
        {
            if (IsOver) return;

            Allocation?.HandleTimeout(now);
            if (_releaseLimit <= now) IsOver = true;
        }

        // The first word decides; a relay is given back, and waited for a little.
        public void Settle(Instant now)
        {
            while (Allocation is not null && Allocation.TryTake(out var happened))
            {
                switch (happened)
                {
                    case TurnEvent.Allocated when Reach.Outcome is TurnReachOutcome.Silent:
                        Reach = Reach with { Outcome = TurnReachOutcome.Allocated };
                        _releaseLimit = now + ReleaseLimit;
                        Allocation.Release(now);
                        break;
                    case TurnEvent.Failed { Code: > 0 } failed:
                        Reach = Reach with { Outcome = TurnReachOutcome.Refused, Code = failed.Code };
                        IsOver = true;
                        break;
                    case TurnEvent.Redirected:
                        Reach = Reach with { Outcome = TurnReachOutcome.Refused, Code = 300 };
                        IsOver = true;
                        break;
                    case TurnEvent.Failed or TurnEvent.Released or TurnEvent.Lost:
                        IsOver = true;
                        break;
                }
            }
        }
    }
}

/// <summary>A TURN server over one transport.</summary>
/// <param name="TlsName">What its certificate has to be made out to, over TLS.</param>
public sealed record TurnReachTarget(TurnServerOptions Server, string? TlsName);

/// <summary>What became of one target.</summary>
/// <param name="Code">The error code where it was refused, else 0.</param>
public sealed record TurnReach(TurnReachTarget Target, TurnReachOutcome Outcome, int Code);

public enum TurnReachOutcome
{
    /// <summary>No answer, no connection, or no valid certificate.</summary>
    Silent,

    /// <summary>The server lends a relay.</summary>
    Allocated,

    /// <summary>The server answered and lends none.</summary>
    Refused,
}
