using SipNat.Wire;

namespace SipNat.Endpoint.Sessions;

/// <summary>How many sessions each peer has. It holds as many entries as there are peers with sessions.</summary>
internal sealed class PeerTally
{
    private readonly Dictionary<TransportAddress, PeerSessions> _peers = [];

    public PeerSessions Of(TransportAddress peer) => _peers.GetValueOrDefault(peer.WithPort(0));

    /// <summary>A session begins, unacknowledged.</summary>
    public void Add(TransportAddress peer) => Change(peer, 1, 1);

    /// <summary>A session of the peer has its first ACK.</summary>
    public void Acknowledge(TransportAddress peer) => Change(peer, 0, -1);

    /// <summary>A session is over.</summary>
    public void Remove(TransportAddress peer, bool wasAcknowledged) => Change(peer, -1, wasAcknowledged ? 0 : -1);

    private void Change(TransportAddress peer, int all, int unacknowledged)
    {
        var key = peer.WithPort(0);
        var count = _peers.GetValueOrDefault(key);
        count = new(count.All + all, count.Unacknowledged + unacknowledged);
        if (count.All == 0) _peers.Remove(key);
        else _peers[key] = count;
    }
}

/// <param name="Unacknowledged">Of all, those whose 200 was never acknowledged, or has not been sent.</param>
internal readonly record struct PeerSessions(int All, int Unacknowledged);
