using System.Diagnostics.CodeAnalysis;
using SipNat.Endpoint.Sessions;
using SipNat.Sip.Dialogs;
using SipNat.Sip.Messages;
using SipNat.Sip.Transactions;
using SipNat.Wire;

namespace SipNat.Endpoint.Siprec;

/// <summary>The recording sessions of a signalling core, found by id, dialog, transaction and deadline.</summary>
internal sealed class RecordingSessions
{
    private readonly Dictionary<SessionId, RecordingSession> _byId = [];
    private readonly Dictionary<DialogKey, RecordingSession> _byDialog = [];
    private readonly Dictionary<TransactionId, RecordingSession> _byTransaction = [];
    private readonly Dictionary<SessionId, List<TransactionId>> _transactions = [];
    private readonly DeadlineQueue<SessionId> _deadlines = new();
    private readonly PeerTally _peers = new();

    public int Count => _byId.Count;

    public Instant? Deadline => _deadlines.Next;

    /// <summary>The sessions of a peer, by the address that it began them from.</summary>
    public PeerSessions OfPeer(TransportAddress peer) => _peers.Of(peer);

    /// <summary>In the order of their ids, so that the same input gives the same output.</summary>
    public IReadOnlyList<RecordingSession> All => [.. _byId.Values.OrderBy(s => s.Id.Value, StringComparer.Ordinal)];

    public void Add(RecordingSession session)
    {
        _byId.Add(session.Id, session);
        _byDialog.Add(session.Dialog.Key, session);
        _transactions.Add(session.Id, []);
        _peers.Add(session.Peer);
        Update(session);
    }

    public bool TryGet(SessionId id, [NotNullWhen(true)] out RecordingSession? session) => _byId.TryGetValue(id, out session);

    /// <summary>
    /// The session of a request in a dialog. Some clients send BYE without a To tag: Call-ID and From tag then find it,
    /// where they find one only.
    /// </summary>
    public RecordingSession? Find(StoredSipMessage request)
    {
        var key = DialogKey.ForRequest(request);
        if (_byDialog.TryGetValue(key, out var session)) return session;
        if (request.ToTag.Length > 0 || request.Method is not SipMethod.Bye) return null;

        var candidates = _byDialog.Where(d => d.Key.CallId == key.CallId && d.Key.RemoteTag == key.RemoteTag).Take(2).ToList();
        return candidates.Count == 1 ? candidates[0].Value : null;
    }

    /// <summary>
    /// The session that an INVITE with Replaces takes the place of (RFC 3891 §3); null where it has none. False where it
    /// names a dialog that is not there: the answer is 481.
    /// </summary>
    public bool TryFindReplaced(StoredSipMessage invite, out RecordingSession? replaced)
    {
        replaced = null;
        if (invite.Header(SipHeader.Replaces) is not { } value) return true;

        return ReplacedDialog.TryRead(value, out var dialog) && _byDialog.TryGetValue(dialog, out replaced);
    }

    public bool TryGetOwner(TransactionId transaction, [NotNullWhen(true)] out RecordingSession? session) =>
        _byTransaction.TryGetValue(transaction, out session);

    public bool TryTakeDue(Instant now, [NotNullWhen(true)] out RecordingSession? session)
    {
        while (_deadlines.TryTakeDue(now, out var id))
        {
            if (_byId.TryGetValue(id, out session)) return true;
        }

        session = null;
        return false;
    }

    /// <summary>Takes over the session's deadline and transactions after an input; forgets it when it is over.</summary>
    public void Update(RecordingSession session)
    {
        if (!_byId.ContainsKey(session.Id)) return;

        var transactions = _transactions[session.Id];
        foreach (var transaction in transactions) _byTransaction.Remove(transaction);
        transactions.Clear();
        if (session.IsOver)
        {
            _byId.Remove(session.Id);
            _byDialog.Remove(session.Dialog.Key);
            _transactions.Remove(session.Id);
            _deadlines.Remove(session.Id);
            _peers.Remove(session.Peer, session.IsCountedAcknowledged);
            return;
        }

        if (session.WasAcknowledged && !session.IsCountedAcknowledged)
        {
            session.IsCountedAcknowledged = true;
            _peers.Acknowledge(session.Peer);
        }

        transactions.AddRange(session.Transactions);
        foreach (var transaction in transactions) _byTransaction[transaction] = session;
        _deadlines.Set(session.Id, session.Deadline);
    }
}
