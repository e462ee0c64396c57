using System.Buffers.Binary;
using SipNat.Traversal.Stun;
using SipNat.Wire;

namespace SipNat.Traversal.Discovery;

/// <summary>One socket of a <see cref="MappingLifetimeProbe"/>: it makes a mapping, is silent, and listens.</summary>
internal sealed class LifetimeLane
{
    private readonly MappingLifetimeOptions _options;
    private readonly FlowId _asker;
    private readonly Random _random;
    private readonly Instant _start;
    private StunTransaction? _transaction;
    private Instant _lastSent;
    private Instant? _due;
    private TransportAddress _mapped;
    private State _state;

    /// <param name="options">The measurement's.</param>
    /// <param name="flow">The socket that is silent.</param>
    /// <param name="asker">The socket that asks for an answer to it.</param>
    /// <param name="silence">For how long.</param>
    /// <param name="isEstablished">Whether packets go both ways for a while before.</param>
    /// <param name="start">When its first request is due.</param>
    /// <param name="random">Transaction ids come from it.</param>
    public LifetimeLane(MappingLifetimeOptions options, FlowId flow, FlowId asker, TimeSpan silence, bool isEstablished, Instant start, Random random)
    {
        (_options, Flow, _asker, Silence, IsEstablished, _start, _random) = (options, flow, asker, silence, isEstablished, start, random);
        _transaction = Request(start, flow, options.Opening, responsePort: null);
    }

    private enum State
    {
        Opening,

        /// <summary>Open, and waiting for the second exchange.</summary>
        Exchanging,
        Silent,
        Asking,
        Alive,
        Dead,

        /// <summary>No mapping that says anything was made.</summary>
        Void,
    }

    public FlowId Flow { get; }

    public TimeSpan Silence { get; }

    public bool IsEstablished { get; }

    public bool IsAlive => _state is State.Alive;

    public bool IsDead => _state is State.Dead;

    public bool IsOver => _state is State.Alive or State.Dead or State.Void;

    public Instant? Deadline => Instant.Earlier(_transaction?.Deadline, _due);

    /// <summary>Whether the id is that of a request whose answer is to come to this socket.</summary>
    public bool IsAwaitingEcho(StunTransactionId id) => _state is State.Asking && _transaction is { } transaction && transaction.IsAwaiting(id);

    /// <summary>An answer that came to this socket.</summary>
    public void HandleResponse(Instant now, StunMessage message)
    {
        if (_transaction is not { } transaction || !transaction.IsAwaiting(message.TransactionId)) return;

        transaction.HandleResponse();
        _transaction = null;
        switch (_state)
        {
            case State.Opening when message.Class is not StunClass.Success || !message.TryGetMappedAddress(out _mapped):
                _state = State.Void;
                break;
            case State.Opening when IsEstablished:
                (_state, _due) = (State.Exchanging, now + _options.Establishing);
                break;
            case State.Opening when now - _start > _options.FreshWithin:
                _state = State.Void;
                break;
            case State.Opening or State.Exchanging:
                (_state, _due) = (State.Silent, _lastSent + Silence);
                break;
            case State.Asking:
                _state = State.Alive;
                break;
        }
    }

    public void HandleTimeout(Instant now, Outbox outbox)
    {
        if (_due is { } due && due <= now)
        {
            _due = null;
            _transaction = _state is State.Exchanging
                ? Request(now, Flow, _options.Opening, responsePort: null)
                : Request(now, _asker, _options.Asking, _mapped.Port);
            if (_state is State.Silent) _state = State.Asking;
        }

        if (_transaction is not { } transaction) return;

        var sends = transaction.Sends;
        transaction.HandleTimeout(now, outbox);
        if (transaction.Sends > sends && transaction.Flow == Flow) _lastSent = now;
        if (transaction.State is not StunTransactionState.TimedOut) return;

        (_state, _transaction) = (_state is State.Asking ? State.Dead : State.Void, null);
    }

    // RESPONSE-PORT: the port, and two bytes of padding (RFC 5780 §7.5).
    private StunTransaction Request(Instant at, FlowId flow, StunSchedule schedule, int? responsePort)
    {
        var id = StunTransactionId.Create(_random);
        var buffer = new byte[StunMessage.HeaderLength + (responsePort is null ? 0 : 8)];
        var writer = new StunWriter(buffer, StunClass.Request, StunMethod.Binding, id);
        if (responsePort is { } port)
        {
            Span<byte> value = stackalloc byte[2];
            BinaryPrimitives.WriteUInt16BigEndian(value, (ushort)port);
            writer.Add(StunAttributeType.ResponsePort, value);
        }

        return new(at, id, flow, _options.Server, buffer, schedule);
    }
}
