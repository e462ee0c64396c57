using System.Diagnostics.CodeAnalysis;
using SipNat.Endpoint.Sessions;
using SipNat.Sip.Dialogs;
using SipNat.Sip.Messages;
using SipNat.Sip.Transactions;
using SipNat.Wire;

namespace SipNat.Endpoint.Calls;

/// <summary>The calls of a signalling core, found by id, dialog, transaction and deadline.</summary>
internal sealed class CallList
{
    private readonly Dictionary<SessionId, Entry> _byId = [];
    private readonly Dictionary<DialogKey, Call> _byDialog = [];
    private readonly Dictionary<TransactionId, Call> _byTransaction = [];
    private readonly DeadlineQueue<SessionId> _deadlines = new();

    public int Count => _byId.Count;

    public Instant? Deadline => _deadlines.Next;

    /// <summary>In the order of their ids, so that the same input gives the same output.</summary>
    public IReadOnlyList<Call> All => _byId.Count == 0 ? [] : [.. _byId.Values.Select(e => e.Call).OrderBy(c => c.Id.Value, StringComparer.Ordinal)];

    public void Add(Call call)
    {
        _byId.Add(call.Id, new(call));
        Update(call);
    }

    public bool TryGet(SessionId id, [NotNullWhen(true)] out Call? call)
    {
        call = _byId.GetValueOrDefault(id)?.Call;
        return call is not null;
    }

    /// <summary>The call of a request in a dialog; null where it is of none.</summary>
    public Call? Find(StoredSipMessage request) => request.ToTag.Length == 0 ? null : _byDialog.GetValueOrDefault(DialogKey.ForRequest(request));

    /// <summary>The call that an INVITE with Replaces takes the place of (RFC 3891 §3); null where it has none, or names none of ours.</summary>
    public Call? FindReplaced(StoredSipMessage invite) =>
        invite.Header(SipHeader.Replaces) is { } value && ReplacedDialog.TryRead(value, out var key) ? _byDialog.GetValueOrDefault(key) : null;

    public bool TryGetOwner(TransactionId transaction, [NotNullWhen(true)] out Call? call) => _byTransaction.TryGetValue(transaction, out call);

    public bool TryTakeDue(Instant now, [NotNullWhen(true)] out Call? call)
    {
        while (_deadlines.TryTakeDue(now, out var id))
        {
            if (TryGet(id, out call)) return true;
        }

        call = null;
        return false;
    }

    /// <summary>Takes over the call's dialogs, deadline and transactions after an input; forgets it when it is over.</summary>
    public void Update(Call call)
    {
        if (!_byId.TryGetValue(call.Id, out var entry)) return;

        foreach (var transaction in entry.Transactions) _byTransaction.Remove(transaction);
        foreach (var dialog in entry.Dialogs) _byDialog.Remove(dialog);
        entry.Transactions.Clear();
        entry.Dialogs.Clear();
        if (call.IsOver)
        {
            _byId.Remove(call.Id);
            _deadlines.Remove(call.Id);
            return;
        }

        entry.Transactions.AddRange(call.Transactions);
        entry.Dialogs.AddRange(call.Dialogs);
        foreach (var transaction in entry.Transactions) _byTransaction[transaction] = call;
        foreach (var dialog in entry.Dialogs) _byDialog[dialog] = call;
        _deadlines.Set(call.Id, call.Deadline);
    }

    private sealed record Entry(Call Call)
    {
        public List<TransactionId> Transactions { get; } = [];

        public List<DialogKey> Dialogs { get; } = [];
    }
}
