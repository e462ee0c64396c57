using SipNat.Sip.Messages;

namespace SipNat.Sip.Transactions;

/// <summary>
/// The INVITEs that were refused without state for want of room, so that a copy which was under way already is refused as
/// well. Room may be there when it comes: then its client, that has the refusal, would neither take nor acknowledge a
/// session (RFC 3261 §17.1.1.2), which would keep the room from others until the wait for its ACK is over.
/// </summary>
/// <remarks>The last so many, whatever their age: another attempt of a client has another branch.</remarks>
internal sealed class RefusedInvites
{
    /// <summary>INVITEs that are remembered.</summary>
    public const int Capacity = 2_048;

    // Usual ones have some tens of characters: longer ones are not worth their memory.
    private const int MaxKeyLength = 256;

    private readonly Dictionary<TransactionKey, SipResponse> _answers = [];
    private readonly Queue<TransactionKey> _order = new();

    public void Add(in TransactionKey key, SipResponse answer)
    {
        if (key.Branch.Length + key.SentBy.Length > MaxKeyLength || !_answers.TryAdd(key, answer)) return;

        _order.Enqueue(key);
        if (_order.Count > Capacity) _answers.Remove(_order.Dequeue());
    }

    /// <summary>What an INVITE was refused with; null where it was not.</summary>
    public SipResponse? Find(in TransactionKey key) => _answers.GetValueOrDefault(key);
}
