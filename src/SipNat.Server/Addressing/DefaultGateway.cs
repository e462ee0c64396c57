using System.Globalization;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using SipNat.Server.Transport;
using SipNat.Wire;

namespace SipNat.Server.Addressing;

/// <summary>The router that leads to the internet by IPv4, and this machine's address towards it; both with port 0.</summary>
internal sealed record DefaultGateway(TransportAddress Router, TransportAddress Local)
{
    private const string RouteTable = "/proc/net/route";

    // linux/route.h: RTF_UP and RTF_GATEWAY.
    private const int UpAndGateway = 0x1 | 0x2;

    /// <summary>What the system's table of routes says at this moment; null without a default route by IPv4.</summary>
    public static DefaultGateway? Find()
    {
        var router = OperatingSystem.IsLinux() ? FromRouteTable(RouteTable) : FromInterfaces();
        if (router.IsNone) return null;

        var local = OutboundAddress.Towards(router.WithPort(1));
        return local.IsNone ? null : new(router, local);
    }

    /// <summary>The gateway of the default route with the lowest metric; none where the table has none.</summary>
    /// <param name="table">Lines as Linux writes them: interface, destination, gateway, flags, two counters, metric, mask.</param>
    internal static TransportAddress Parse(IEnumerable<string> table)
    {
        var (best, found) = (int.MaxValue, default(TransportAddress));
        foreach (var line in table)
        {
            if (line.Split('\t', StringSplitOptions.TrimEntries) is not [_, "00000000", var gateway, var flags, _, _, var metric, "00000000", ..]) continue;
            if (!uint.TryParse(gateway, NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var address) || address == 0) continue;
            if (!int.TryParse(flags, NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var bits) || (bits & UpAndGateway) != UpAndGateway) continue;
            if (!int.TryParse(metric, NumberStyles.None, CultureInfo.InvariantCulture, out var cost) || cost >= best) continue;

            // The number is the four octets as they lie in this machine's memory.
            (best, found) = (cost, new(BitConverter.GetBytes(address), 0));
        }

        return found;
    }

    private static TransportAddress FromRouteTable(string path)
    {
        try
        {
            return Parse(File.ReadLines(path));
        }
        catch (IOException)
        {
            // A sandbox without /proc.
            return FromInterfaces();
        }
    }

    private static TransportAddress FromInterfaces()
    {
        foreach (var network in NetworkInterface.GetAllNetworkInterfaces().Where(n => n.OperationalStatus is OperationalStatus.Up))
        {
            foreach (var gateway in network.GetIPProperties().GatewayAddresses)
            {
                if (gateway.Address.AddressFamily is not AddressFamily.InterNetwork) continue;
                if (new TransportAddress(gateway.Address, 0) is { IsUnspecified: false } address) return address;
            }
        }

        return default;
    }
}
