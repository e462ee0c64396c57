namespace SipNat.Endpoint.Accounts;

/// <summary>Registrations by something that each has one of at most, so that what concerns a few is not asked of all. Those of one key come by name.</summary>
internal sealed class AccountIndex<TKey>
    where TKey : struct
{
    private static readonly Comparer<Account> ByName = Comparer<Account>.Create(static (left, right) => string.CompareOrdinal(left.Id, right.Id));

    private readonly Dictionary<TKey, SortedSet<Account>> _accounts = [];
    private readonly Dictionary<Account, TKey> _keys = [];

    public void Set(Account account, TKey? key)
    {
        if (_keys.TryGetValue(account, out var former))
        {
            if (key is { } same && same.Equals(former)) return;

            _keys.Remove(account);
            _accounts[former].Remove(account);
            if (_accounts[former].Count == 0) _accounts.Remove(former);
        }

        if (key is not { } kept) return;

        _keys[account] = kept;
        if (!_accounts.TryGetValue(kept, out var accounts)) _accounts.Add(kept, accounts = new(ByName));
        accounts.Add(account);
    }

    public bool Has(TKey key) => _accounts.ContainsKey(key);

    /// <summary>Not to be enumerated while <see cref="Set"/> is called.</summary>
    public IReadOnlyCollection<Account> Of(TKey key) => _accounts.TryGetValue(key, out var accounts) ? accounts : [];
}
