using SipNat.Traversal.Stun;
using SipNat.Wire;

namespace SipNat.Simulation.Turn;

/// <summary>What the server keeps for one client (RFC 8656 §3.2): a relay socket, permissions of 300 s, channels of 600 s.</summary>
internal sealed class TurnServerAllocation(FlowId clientFlow, TransportAddress client, FlowId relayFlow, TransportAddress relayed)
{
    private static readonly TimeSpan PermissionLifetime = TimeSpan.FromSeconds(300);
    private static readonly TimeSpan ChannelLifetime = TimeSpan.FromSeconds(600);

    private readonly Dictionary<TransportAddress, Instant> _permissions = [];
    private readonly Dictionary<ushort, (TransportAddress Peer, Instant Expiry)> _channels = [];

    public FlowId ClientFlow => clientFlow;

    public TransportAddress Client => client;

    public FlowId RelayFlow => relayFlow;

    public TransportAddress Relayed => relayed;

    /// <summary>The Allocate request that made it.</summary>
    public StunTransactionId Transaction { get; init; }

    public Instant Expiry { get; set; }

    public void Permit(Instant now, TransportAddress peer) => _permissions[peer.WithPort(0)] = now + PermissionLifetime;

    public bool IsPermitted(Instant now, TransportAddress peer) => _permissions.TryGetValue(peer.WithPort(0), out var expiry) && now < expiry;

    /// <summary>False where the number or the peer is taken by another binding (RFC 8656 §12.2).</summary>
    public bool TryBind(Instant now, ushort number, TransportAddress peer)
    {
        if (number is < 0x4000 or > 0x4FFF) return false;
        if (_channels.TryGetValue(number, out var known) && known.Peer != peer && now < known.Expiry) return false;
        if (ChannelOf(now, peer) is { } other && other != number) return false;

        _channels[number] = (peer, now + ChannelLifetime);
        Permit(now, peer);
        return true;
    }

    public ushort? ChannelOf(Instant now, TransportAddress peer)
    {
        foreach (var (number, channel) in _channels)
        {
            if (channel.Peer == peer && now < channel.Expiry) return number;
        }

        return null;
    }

    public TransportAddress? PeerOf(Instant now, ushort number) =>
        _channels.TryGetValue(number, out var channel) && now < channel.Expiry ? channel.Peer : null;
}
