using SipNat.Wire;

namespace SipNat.Traversal.Turn;

/// <summary>
/// The channels of an allocation (RFC 8656 §12). A binding lasts 600 s and is asked for again every 540 s. A number is
/// never given to another peer in the life of an allocation, so that its rest of 300 s (§12.1) need not be kept.
/// </summary>
internal sealed class TurnChannels() : TurnRenewals<TurnChannels.Channel>(MaxCount, Lifetime, RefreshInterval)
{
    /// <summary>Channels of one allocation at a time; more are refused here.</summary>
    public const int MaxCount = 64;

    public static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(600);
    public static readonly TimeSpan RefreshInterval = TimeSpan.FromSeconds(540);

    private int _next = ChannelData.FirstNumber;

    /// <summary>Wants a channel for a peer from now on; false where there are too many, now or in the life of the allocation.</summary>
    public bool TryAdd(Instant now, TransportAddress peer)
    {
        if (Find(peer) is not null) return true;
        if (IsFull || _next > ChannelData.LastNumber) return false;

        Add(now, new(peer, (ushort)_next++));
        return true;
    }

    /// <summary>Whether any port of an address is wanted.</summary>
    public bool HasAddress(TransportAddress peer) => Entries.Exists(channel => channel.Peer.HasSameAddress(peer));

    /// <summary>Gives the channel by which packets for a peer go.</summary>
    public bool TryGetNumber(Instant now, TransportAddress peer, out ushort number)
    {
        var channel = Find(peer);
        number = channel?.Number ?? 0;
        return channel is not null && channel.Holds(now);
    }

    /// <summary>Gives the peer of a channel; also before the server's answer to the request, which packets may overtake.</summary>
    public bool TryGetPeer(ushort number, out TransportAddress peer)
    {
        foreach (var channel in Entries)
        {
            if (channel.Number != number) continue;

            peer = channel.Peer;
            return true;
        }

        peer = default;
        return false;
    }

    /// <summary>A channel is for one port of its peer.</summary>
    internal sealed class Channel(TransportAddress peer, ushort number) : TurnRenewal(peer)
    {
        public ushort Number { get; } = number;

        public override bool IsFor(TransportAddress peer) => Peer == peer;
    }
}
