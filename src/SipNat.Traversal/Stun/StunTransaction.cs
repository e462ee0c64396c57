using SipNat.Wire;

namespace SipNat.Traversal.Stun;

/// <summary>
/// One STUN request over UDP, sent again until it is answered or given up (RFC 8489 §6.2.1): with the default schedule
/// at 0, 0.5, 1.5, 3.5, 7.5, 15.5 and 31.5 s, given up at 39.5 s.
/// </summary>
public sealed class StunTransaction
{
    private readonly byte[] _request;
    private readonly StunSchedule _schedule;
    private TimeSpan _rto;

    /// <param name="now">When the first request is due.</param>
    /// <param name="id">The transaction id of <paramref name="request"/>.</param>
    /// <param name="flow">The socket that sends.</param>
    /// <param name="server">Where to, and the only source that may answer.</param>
    /// <param name="request">The same bytes for every send; the transaction owns them.</param>
    /// <param name="schedule">The default where null.</param>
    public StunTransaction(
        Instant now,
        StunTransactionId id,
        FlowId flow,
        TransportAddress server,
        byte[] request,
        StunSchedule? schedule = null)
    {
        (Id, Flow, Server, _request) = (id, flow, server, request);
        _schedule = schedule ?? StunSchedule.Default;
        _rto = _schedule.InitialRto;
        Deadline = now;
    }

    public StunTransactionId Id { get; }

    public FlowId Flow { get; }

    public TransportAddress Server { get; }

    public StunTransactionState State { get; private set; } = StunTransactionState.Waiting;

    /// <summary>Requests sent so far.</summary>
    public int Sends { get; private set; }

    /// <summary>When <see cref="HandleTimeout"/> wants to run next; null once the transaction has ended.</summary>
    public Instant? Deadline { get; private set; }

    public void HandleTimeout(Instant now, Outbox outbox)
    {
        if (Deadline is not { } due || now < due) return;

        if (Sends == _schedule.MaxSends)
        {
            End(StunTransactionState.TimedOut);
            return;
        }

        outbox.Add(Flow, Server, _request);
        Sends++;
        var wait = Sends == _schedule.MaxSends ? _schedule.InitialRto * _schedule.FinalWaitFactor : _rto;
        // After a suspend the missed sends are skipped: a burst would prove nothing.
        Deadline = due + wait > now ? due + wait : now + wait;
        if (_rto < _schedule.MaxRto) _rto = _rto * 2 < _schedule.MaxRto ? _rto * 2 : _schedule.MaxRto;
    }

    /// <summary>
    /// Whether a response with this id can be the one. It counts only when it comes from <see cref="Server"/>; one from
    /// elsewhere leaves the transaction waiting.
    /// </summary>
    public bool IsAwaiting(StunTransactionId id) => State is StunTransactionState.Waiting && Sends > 0 && id == Id;

    public void HandleResponse() => End(StunTransactionState.Answered);

    private void End(StunTransactionState state)
    {
        State = state;
        Deadline = null;
    }
}

public enum StunTransactionState
{
    Waiting,
    Answered,
    TimedOut,
}

/// <summary>How often and how long a request is repeated (RFC 8489 §6.2.1).</summary>
public sealed record StunSchedule
{
    /// <summary>RTO 500 ms, Rc 7, Rm 16: what the RFC recommends.</summary>
    public static StunSchedule Default { get; } = new();

    /// <summary>A keepalive that is lost is repeated after 0.5, 1 and 2 s; given up 7.5 s after the first send.</summary>
    public static StunSchedule Keepalive { get; } = new() { MaxSends = 4, FinalWaitFactor = 8 };

    /// <summary>Over a connection a request is sent once and awaited for Ti, 39.5 s (RFC 8489 §6.2.2).</summary>
    public static StunSchedule Connection { get; } = new() { MaxSends = 1, FinalWaitFactor = 79 };

    /// <summary>The wait before the second send; it doubles with every further one. At least 500 ms on the internet.</summary>
    public TimeSpan InitialRto { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Where the doubling ends. Without a bound in RFC 8489; a path that is known to live may have one.</summary>
    public TimeSpan MaxRto { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Rc: sends in all, at least 1.</summary>
    public int MaxSends { get; init; } = 7;

    /// <summary>Rm: the wait after the last send, in initial RTOs.</summary>
    public int FinalWaitFactor { get; init; } = 16;

    /// <summary>
    /// The same with an initial RTO drawn from 100–150 % of this one, so that many sockets that started at one moment
    /// do not repeat at one moment.
    /// </summary>
    public StunSchedule Spread(Random random) => this with { InitialRto = InitialRto * (1 + (random.NextDouble() / 2)) };
}
