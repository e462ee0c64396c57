using System.Net.NetworkInformation;
using System.Net.Sockets;
using SipNat.Wire;

namespace SipNat.Server.Transport;

/// <summary>What this machine's interfaces say about its own addresses and networks.</summary>
public static class LocalInterfaces
{
    /// <summary>
    /// The unicast addresses of all interfaces that are up, loopback included, in the order of the interfaces.
    /// IPv6 link-local addresses are left out: they mean nothing without a scope, which SIP and SDP cannot carry.
    /// </summary>
    public static IReadOnlyList<InterfaceAddress> Read()
    {
        var found = new List<InterfaceAddress>();
        foreach (var network in NetworkInterface.GetAllNetworkInterfaces())
        {
            if (network.OperationalStatus is not (OperationalStatus.Up or OperationalStatus.Unknown)) continue;

            foreach (var unicast in network.GetIPProperties().UnicastAddresses)
            {
                if (unicast.Address.IsIPv6LinkLocal) continue;
                if (unicast.Address.AddressFamily is not (AddressFamily.InterNetwork or AddressFamily.InterNetworkV6)) continue;

                var address = new TransportAddress(unicast.Address, 0);
                found.Add(new(network.Name, address, new NetworkPrefix(address, unicast.PrefixLength)));
            }
        }

        return found;
    }

    /// <summary>The networks of this machine's interfaces that the public internet cannot reach; loopback not among them.</summary>
    public static IReadOnlyList<NetworkPrefix> PrivateNetworks(IReadOnlyList<InterfaceAddress> addresses) =>
        [.. addresses.Where(a => a.Address is { IsPrivate: true, IsLoopback: false }).Select(a => a.Network).Distinct()];
}

/// <param name="Interface">The interface's name, for logs.</param>
/// <param name="Address">One of its addresses, with port 0.</param>
/// <param name="Network">The network that is on the link.</param>
public sealed record InterfaceAddress(string Interface, TransportAddress Address, NetworkPrefix Network);
