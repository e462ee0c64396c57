using SipNat.Endpoint.Calls;
using SipNat.Wire;

namespace SipNat.Endpoint.Accounts;

/// <summary>
/// An account with its registrations: one for each flow that it is to have (RFC 5626 §4.2), told apart by their reg-id. The
/// later ones begin when the registrar has said that it tells flows apart, since another one would call both at once; and no
/// two of them go to one server.
/// </summary>
internal sealed class AccountFlows
{
    private readonly List<Account> _all = [];
    private readonly GruuUse _gruu;

    /// <param name="startAt">When it begins: many accounts do not begin at one moment.</param>
    public AccountFlows(Instant startAt, SignallingContext context, AccountOptions options)
    {
        _gruu = options.Gruu;
        Identity = new(options.Name, options.Uri.User)
        {
            Uri = options.Uri,
            DisplayName = options.DisplayName,
            Credentials = new(options.Username, options.Password, options.Realm),
            AllowMd5 = options.AllowMd5,
        };
        for (var regId = 1; regId <= options.Flows; regId++) _all.Add(new(startAt, context, options.OfFlow(regId), regId, this));
    }

    /// <summary>By reg-id.</summary>
    public IReadOnlyList<Account> All => _all;

    /// <summary>Who we are in its calls.</summary>
    public CallIdentity Identity { get; }

    /// <summary>Whether the registrar has said that it tells flows apart (RFC 5626 §6).</summary>
    public bool IsOutbound { get; private set; }

    /// <summary>What the registrar's domain sends on to us wherever we are (RFC 5627 §3.1); null where it has given none, or it is not to be used.</summary>
    public string? Gruu { get; private set; }

    public bool IsRegistered => _all.Exists(static account => account.State is AccountState.Registered);

    /// <summary>The ways of its calls, the first one to be tried first; none while it is not registered.</summary>
    public IEnumerable<AccountRoute> Routes => _all.Select(static account => account.Route).OfType<AccountRoute>();

    /// <summary>How the account stands: as the best of its registrations.</summary>
    public AccountSnapshot Snapshot => _all.Count == 1 ? _all[0].Snapshot : Sum();

    /// <summary>Whether another registration is at that server, or tries to be.</summary>
    public bool IsTaken(Account account, SipTarget target) =>
        _all.Exists(other => other != account && other.Holds is { } held && held.Server == target.Server);

    /// <summary>The registrar has taken a registration.</summary>
    public void HandleAccepted(bool isOutbound, string? gruu) =>
        (IsOutbound, Gruu) = (isOutbound, _gruu is GruuUse.Always || (_gruu is GruuUse.Auto && isOutbound) ? gruu : null);

    /// <summary>Registrations whose time has come by that of another one.</summary>
    public IEnumerable<Account> Ready => IsOutbound && IsRegistered ? _all.Where(static account => account.IsIdle) : [];

    private AccountSnapshot Sum()
    {
        var best = _all.Find(static account => account.State is AccountState.Registered)
            ?? _all.Find(static account => account.State is AccountState.Unregistering)
            ?? _all[0];
        return best.Snapshot with
        {
            Text = string.Join("; ", _all.Select(static account => $"flow {account.RegId}: {account.Snapshot.Text}")),
            IsSettled = _all.TrueForAll(static account => account.Snapshot.IsSettled || account.State is AccountState.Waiting or AccountState.Refused or AccountState.Unregistered),
            Flows = [.. _all.Select(static account => account.Snapshot)],
        };
    }
}
