using SipNat.Wire;

namespace SipNat.Traversal.Stun;

/// <summary>One server of a <see cref="StunBindingClient"/>: the request that is due or under way.</summary>
internal sealed class StunServerProbe(FlowId flow, TransportAddress server)
{
    private StunTransaction? _transaction;

    public TransportAddress Server => server;

    public Instant? Deadline => _transaction?.Deadline;

    /// <summary>Whether a request has been sent and neither answered nor given up.</summary>
    public bool IsUnderWay => _transaction is { State: StunTransactionState.Waiting, Sends: > 0 };

    public void Ask(Instant at, StunSchedule schedule, Random random)
    {
        var id = StunTransactionId.Create(random);
        var request = new byte[StunMessage.HeaderLength];
        _ = new StunWriter(request, StunClass.Request, StunMethod.Binding, id);
        _transaction = new(at, id, flow, server, request, schedule);
    }

    public bool IsAwaiting(StunTransactionId id) => _transaction is { } transaction && transaction.IsAwaiting(id);

    public void HandleResponse() => _transaction?.HandleResponse();

    public void Cancel() => _transaction = null;

    /// <summary>Sends what is due; true when the server has been given up.</summary>
    public bool HandleTimeout(Instant now, Outbox outbox)
    {
        if (_transaction is null) return false;

        _transaction.HandleTimeout(now, outbox);
        if (_transaction.State is not StunTransactionState.TimedOut) return false;

        _transaction = null;
        return true;
    }
}
