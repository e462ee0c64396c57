using System.Net;
using System.Net.Sockets;

namespace SipNat.Server.Tests;

/// <summary>
/// Ports for programs that are told theirs. They are below those that systems give to whoever asks for any, as between the
/// look at a port and its use a test beside this one may be given it.
/// </summary>
internal static class LoopbackPorts
{
    private const int First = 20_000;
    private const int Count = 10_000;

    private static int _next = Random.Shared.Next(Count);

    /// <summary>A port of 127.0.0.1 that nobody has, for UDP and TCP, and that nobody is given again.</summary>
    public static int Next()
    {
        while (true)
        {
            var port = First + (int)((uint)Interlocked.Increment(ref _next) % Count);
            if (IsFree(port, SocketType.Dgram, ProtocolType.Udp) && IsFree(port, SocketType.Stream, ProtocolType.Tcp)) return port;
        }
    }

    private static bool IsFree(int port, SocketType type, ProtocolType protocol)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, type, protocol);
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
