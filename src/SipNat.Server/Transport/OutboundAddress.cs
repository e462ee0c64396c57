using System.Net;
using System.Net.Sockets;
using SipNat.Wire;

namespace SipNat.Server.Transport;

/// <summary>Which of this machine's addresses the kernel would send from.</summary>
internal static class OutboundAddress
{
    /// <summary>The local address towards a destination, with port 0; none where there is no route. Nothing is sent.</summary>
    public static TransportAddress Towards(TransportAddress destination)
    {
        try
        {
            using var socket = new Socket(destination.Family, SocketType.Dgram, ProtocolType.Udp);
            socket.Connect(destination.ToIPEndPoint());
            return TransportAddress.From((IPEndPoint)socket.LocalEndPoint!).WithPort(0);
        }
        catch (SocketException)
        {
            return default;
        }
    }
}
