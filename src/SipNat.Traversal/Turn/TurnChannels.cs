using SipNat.Wire;

namespace SipNat.Traversal.Turn;

/// <summary>
/// The channels of an allocation (RFC 8656 §12). A binding lasts 600 s and is asked for again every 540 s. A number is
/// never given to another peer in the life of an allocation, so that its rest of 300 s (§12.1) need not be kept.
/// </summary>
internal sealed class TurnChannels
{
    /// <summary>Channels of one allocation at a time; more are refused here.</summary>
    public const int MaxCount = 64;

    public static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(600);
    public static readonly TimeSpan RefreshInterval = TimeSpan.FromSeconds(540);

    private readonly List<Channel> _channels = [];
    private int _next = ChannelData.FirstNumber;

    public Instant? Deadline
    {
        get
        {
            Instant? deadline = null;
            foreach (var channel in _channels) deadline = Instant.Earlier(deadline, channel.Due);
            return deadline;
        }
    }

    /// <summary>Wants a channel for a peer from now on; false where there are too many, now or in the life of the allocation.</summary>
    public bool TryAdd(Instant now, TransportAddress peer)
    {
        if (Find(peer) is not null) return true;
        if (_channels.Count == MaxCount || _next > ChannelData.LastNumber) return false;

        _channels.Add(new(peer, (ushort)_next++) { Due = now });
        return true;
    }

    public void Remove(TransportAddress peer) => _channels.RemoveAll(channel => channel.Peer == peer);

    /// <summary>Gives the channel by which packets for a peer go.</summary>
    public bool TryGetNumber(Instant now, TransportAddress peer, out ushort number)
    {
        var channel = Find(peer);
        number = channel?.Number ?? 0;
        return channel is { ExpiresAt: { } expiry } && now < expiry;
    }

    /// <summary>Gives the peer of a channel; also before the server's answer to the request, which packets may overtake.</summary>
    public bool TryGetPeer(ushort number, out TransportAddress peer)
    {
        foreach (var channel in _channels)
        {
            if (channel.Number != number) continue;

            peer = channel.Peer;
            return true;
        }

        peer = default;
        return false;
    }

    /// <summary>The next channel to ask for; it is not due again before the answer.</summary>
    public bool TryTakeDue(Instant now, out TransportAddress peer, out ushort number)
    {
        foreach (var channel in _channels)
        {
            if (channel.Due is not { } due || due > now) continue;

            channel.Due = null;
            (peer, number) = (channel.Peer, channel.Number);
            return true;
        }

        (peer, number) = (default, 0);
        return false;
    }

    /// <summary>The server has confirmed; true for the first time.</summary>
    public bool HandleBound(Instant now, TransportAddress peer)
    {
        if (Find(peer) is not { } channel) return false;

        var isNew = channel.ExpiresAt is null;
        (channel.ExpiresAt, channel.Due) = (now + Lifetime, now + RefreshInterval);
        return isNew;
    }

    public void RetryAt(Instant at, TransportAddress peer)
    {
        if (Find(peer) is { } channel) channel.Due = at;
    }

    /// <summary>The allocation is another one: everything has to be asked for again.</summary>
    public void Reset(Instant now)
    {
        foreach (var channel in _channels) (channel.ExpiresAt, channel.Due) = (null, now);
    }

    private Channel? Find(TransportAddress peer)
    {
        foreach (var channel in _channels)
        {
            if (channel.Peer == peer) return channel;
        }

        return null;
    }

    private sealed class Channel(TransportAddress peer, ushort number)
    {
        public TransportAddress Peer { get; } = peer;

        public ushort Number { get; } = number;

        public Instant? Due { get; set; }

        public Instant? ExpiresAt { get; set; }
    }
}
