using SipNat.Wire;

namespace SipNat.Traversal.Turn;

/// <summary>
/// The addresses from which an allocation lets packets in (RFC 8656 §9). A permission lasts 300 s and nothing but a
/// request extends it; it is asked for again every 240 s, for as long as the peer is wanted.
/// </summary>
internal sealed class TurnPermissions() : TurnRenewals<TurnPermissions.Permission>(MaxCount, Lifetime, RefreshInterval)
{
    /// <summary>Peers of one allocation; more are refused here.</summary>
    public const int MaxCount = 64;

    public static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(300);
    public static readonly TimeSpan RefreshInterval = TimeSpan.FromSeconds(240);

    /// <summary>Wants an address from now on; false where there are too many.</summary>
    public bool TryAdd(Instant now, TransportAddress peer)
    {
        if (Find(peer) is not null) return true;
        if (IsFull) return false;

        Add(now, new(peer.WithPort(0)));
        return true;
    }

    /// <summary>Whether packets of an address are wanted; they may overtake the server's answer to the request.</summary>
    public bool Contains(TransportAddress peer) => Find(peer) is not null;

    /// <summary>Whether the server has confirmed the permission and it has not run out.</summary>
    public bool IsGranted(Instant now, TransportAddress peer) => Find(peer) is { } permission && permission.Holds(now);

    /// <summary>A permission is for every port of its address.</summary>
    internal sealed class Permission(TransportAddress peer) : TurnRenewal(peer)
    {
        public override bool IsFor(TransportAddress peer) => Peer.HasSameAddress(peer);
    }
}
