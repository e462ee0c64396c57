using SipNat.Wire;

namespace SipNat.Traversal.Turn;

/// <summary>
/// The addresses from which an allocation lets packets in (RFC 8656 §9). A permission lasts 300 s and nothing but a
/// request extends it; it is asked for again every 240 s, for as long as the peer is wanted.
/// </summary>
internal sealed class TurnPermissions
{
    /// <summary>Peers of one allocation; more are refused here.</summary>
    public const int MaxCount = 64;

    public static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(300);
    public static readonly TimeSpan RefreshInterval = TimeSpan.FromSeconds(240);

    private readonly List<Permission> _permissions = [];

    public Instant? Deadline
    {
        get
        {
            Instant? deadline = null;
            foreach (var permission in _permissions) deadline = Instant.Earlier(deadline, permission.Due);
            return deadline;
        }
    }

    /// <summary>Wants an address from now on; false where there are too many.</summary>
    public bool TryAdd(Instant now, TransportAddress peer)
    {
        if (Find(peer) is not null) return true;
        if (_permissions.Count == MaxCount) return false;

        _permissions.Add(new(peer.WithPort(0)) { Due = now });
        return true;
    }

    /// <summary>Whether packets of an address are wanted; they may overtake the server's answer to the request.</summary>
    public bool Contains(TransportAddress peer) => Find(peer) is not null;

    public void Remove(TransportAddress peer) => _permissions.RemoveAll(permission => permission.Peer.HasSameAddress(peer));

    /// <summary>Whether the server has confirmed the permission and it has not run out.</summary>
    public bool IsGranted(Instant now, TransportAddress peer) => Find(peer) is { ExpiresAt: { } expiry } && now < expiry;

    /// <summary>The next address to ask for; it is not due again before the answer.</summary>
    public bool TryTakeDue(Instant now, out TransportAddress peer)
    {
        foreach (var permission in _permissions)
        {
            if (permission.Due is not { } due || due > now) continue;

            permission.Due = null;
            peer = permission.Peer;
            return true;
        }

        peer = default;
        return false;
    }

    /// <summary>The server has confirmed; true for the first time.</summary>
    public bool HandleGranted(Instant now, TransportAddress peer)
    {
        if (Find(peer) is not { } permission) return false;

        var isNew = permission.ExpiresAt is null;
        (permission.ExpiresAt, permission.Due) = (now + Lifetime, now + RefreshInterval);
        return isNew;
    }

    public void RetryAt(Instant at, TransportAddress peer)
    {
        if (Find(peer) is { } permission) permission.Due = at;
    }

    /// <summary>The allocation is another one: everything has to be asked for again.</summary>
    public void Reset(Instant now)
    {
        foreach (var permission in _permissions) (permission.ExpiresAt, permission.Due) = (null, now);
    }

    private Permission? Find(TransportAddress peer)
    {
        foreach (var permission in _permissions)
        {
            if (permission.Peer.HasSameAddress(peer)) return permission;
        }

        return null;
    }

    private sealed class Permission(TransportAddress peer)
    {
        public TransportAddress Peer { get; } = peer;

        public Instant? Due { get; set; }

        public Instant? ExpiresAt { get; set; }
    }
}
