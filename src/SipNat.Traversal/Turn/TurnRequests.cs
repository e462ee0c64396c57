using System.Net.Sockets;
using SipNat.Traversal.Stun;
using SipNat.Wire;

namespace SipNat.Traversal.Turn;

/// <summary>
/// The requests of one allocation under way: writes them with the credentials of the moment, repeats them, answers
/// challenges (401) and new nonces (438), and gives out the responses that count.
/// </summary>
internal sealed class TurnRequests(FlowId flow, TurnServerOptions options, Random random, Outbox outbox)
{
    /// <summary>New transactions of one request: a server that never stops renewing its nonce is not followed for ever.</summary>
    public const int MaxRetries = 4;

    // Names of 508 and 763 bytes twice, a list of 128, and what is fixed.
    private const int MaxLength = 3072;
    private const byte ProtocolUdp = 17;
    private const byte FamilyIPv4 = 1;
    private const byte FamilyIPv6 = 2;

    private readonly List<TurnRequest> _pending = [];
    private readonly StunSchedule _schedule = options.Transport.IsReliable ? StunSchedule.Connection : StunSchedule.Default;
    private StunLongTermCredential? _credential;

    public FlowId Flow { get; set; } = flow;

    public TransportAddress Server { get; set; } = options.Server;

    public Instant? Deadline
    {
        get
        {
            Instant? deadline = null;
            foreach (var request in _pending) deadline = Instant.Earlier(deadline, request.Transaction!.Deadline);
            return deadline;
        }
    }

    /// <summary>Responses that were not believed.</summary>
    public int Discarded { get; private set; }

    /// <summary>Forgets every request and what the server's challenges said.</summary>
    public void Reset(StunCredentials? credentials)
    {
        _pending.Clear();
        _credential = credentials is null ? null : new(credentials);
    }

    /// <summary>Forgets the requests only.</summary>
    public void Clear() => _pending.Clear();

    public void Forget(TransportAddress peer) => _pending.RemoveAll(request => request.Peer == peer);

    public void Send(Instant now, TurnRequest request)
    {
        var id = StunTransactionId.Create(random);
        request.IsAuthenticated = _credential is { HasChallenge: true };
        request.Transaction = new(now, id, Flow, Server, Write(request, id), request.Schedule ?? _schedule);
        request.Transaction.HandleTimeout(now, outbox);
        if (!_pending.Contains(request)) _pending.Add(request);
    }

    /// <summary>Finds the request that a message answers.</summary>
    public TurnRequest? Find(StunMessage response)
    {
        if (response.Class is not (StunClass.Success or StunClass.Error)) return null;

        foreach (var request in _pending)
        {
            if (request.Method == response.Method && request.Transaction!.IsAwaiting(response.TransactionId)) return request;
        }

        return null;
    }

    /// <summary>
    /// Takes the response to a request of <see cref="Find"/>: sends it anew where the server wants other credentials, and
    /// gives true where the response is the end of it.
    /// </summary>
    /// <param name="refused">Whether the end is that the credentials are wrong.</param>
    public bool TryEnd(Instant now, TurnRequest request, StunMessage response, out bool refused)
    {
        var verdict = Judge(request, response);
        refused = verdict is StunVerdict.Refuse;
        switch (verdict)
        {
            case StunVerdict.Discard:
                Discarded++;
                return false;
            case StunVerdict.Retry when request.Retries < MaxRetries:
                request.Retries++;
                Send(now, request);
                return false;
            default:
                refused |= verdict is StunVerdict.Retry;
                _pending.Remove(request);
                return true;
        }
    }

    /// <summary>Repeats what is due and takes one request that nobody answered.</summary>
    public bool TryTimeOut(Instant now, out TurnRequest request)
    {
        foreach (var pending in _pending)
        {
            pending.Transaction!.HandleTimeout(now, outbox);
            if (pending.Transaction.State is not StunTransactionState.TimedOut) continue;

            request = pending;
            _pending.Remove(pending);
            return true;
        }

        request = null!;
        return false;
    }

    private StunVerdict Judge(TurnRequest request, StunMessage response)
    {
        if (_credential is not null) return _credential.Judge(response, request.IsAuthenticated);

        return response.Class is StunClass.Error
            && response.TryGetErrorCode(out var code, out _)
            && code == StunErrorCode.Unauthenticated ? StunVerdict.Refuse : StunVerdict.Accept;
    }

    private byte[] Write(TurnRequest request, StunTransactionId id)
    {
        var writer = new StunWriter(new byte[MaxLength], StunClass.Request, request.Method, id);
        if (request.Method is StunMethod.Allocate) WriteAllocate(ref writer);
        if (request.Channel != 0) writer.AddUInt32(StunAttributeType.ChannelNumber, (uint)request.Channel << 16);
        if (!request.Peer.IsNone) writer.AddAddress(StunAttributeType.XorPeerAddress, request.Peer);
        if (request.Lifetime is { } lifetime) writer.AddUInt32(StunAttributeType.Lifetime, lifetime);
        _credential?.Write(ref writer);
        return writer.Written.ToArray();
    }

    private void WriteAllocate(ref StunWriter writer)
    {
        writer.AddUInt32(StunAttributeType.RequestedTransport, (uint)ProtocolUdp << 24);
        var family = options.RelayedFamily is AddressFamily.InterNetworkV6 ? FamilyIPv6 : FamilyIPv4;
        // Servers of RFC 5766 know IPv4 only and refuse the attribute; IPv4 is what its absence means (RFC 8656 §7.1).
        if (family != FamilyIPv4) writer.AddUInt32(StunAttributeType.RequestedAddressFamily, (uint)family << 24);
    }
}
