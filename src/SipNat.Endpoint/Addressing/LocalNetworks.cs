using SipNat.Wire;

namespace SipNat.Endpoint.Addressing;

/// <summary>The networks whose hosts reach this machine at its local address, with no NAT between.</summary>
public sealed class LocalNetworks(IReadOnlyList<NetworkPrefix> networks)
{
    /// <summary>The first network that holds the address, whatever its port.</summary>
    public bool TryFind(TransportAddress address, out NetworkPrefix network)
    {
        foreach (var candidate in networks)
        {
            if (!candidate.Contains(address)) continue;

            network = candidate;
            return true;
        }

        network = default;
        return false;
    }

    /// <summary>Whether packets from this source did not cross a NAT of ours: a local network, or this machine itself.</summary>
    public bool IsInside(TransportAddress source) => source.IsLoopback || TryFind(source, out _);

    /// <summary>
    /// Whether an address that somebody wrote into a message can be meant for us at all. It is judged by where the message
    /// came from: the same private address exists in many networks, and the one written by a peer from outside is not ours.
    /// </summary>
    /// <param name="written">The address in SDP, a Contact or a candidate.</param>
    /// <param name="source">The source of the message that carried it.</param>
    public UnusableAddress Judge(TransportAddress written, TransportAddress source)
    {
        if (written.IsNone || written.Port == 0) return UnusableAddress.Missing;
        if (written.IsUnspecified) return UnusableAddress.Unspecified;
        if (written.IsMulticastOrBroadcast) return UnusableAddress.Multicast;
        if (written.HasSameAddress(source)) return UnusableAddress.None;
        if (written.IsLoopback) return source.IsLoopback ? UnusableAddress.None : UnusableAddress.Loopback;
        return written.IsPrivate && !IsInside(source) ? UnusableAddress.PrivateOutside : UnusableAddress.None;
    }
}

/// <summary>Why nothing is ever sent to an address that a peer wrote into a message.</summary>
public enum UnusableAddress
{
    /// <summary>It can be used.</summary>
    None,

    /// <summary>No address, a name that did not resolve, or port 0.</summary>
    Missing,

    /// <summary>0.0.0.0 or ::.</summary>
    Unspecified,

    /// <summary>A group or a broadcast address.</summary>
    Multicast,

    /// <summary>A loopback address, written by another machine.</summary>
    Loopback,

    /// <summary>A private address, written by a peer outside the local networks: it is private to somebody else.</summary>
    PrivateOutside,
}
