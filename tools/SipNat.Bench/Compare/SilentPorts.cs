using System.Net;
using System.Net.Sockets;

namespace SipNat.Bench.Compare;

/// <summary>
/// Ports that are open and never read: nobody is told that they are closed, and once the little room of each is taken,
/// the kernel drops what comes.
/// </summary>
internal sealed class SilentPorts : IDisposable
{
    private readonly List<Socket> _sockets = [];

    public SilentPorts(IEnumerable<IPEndPoint> addresses)
    {
        foreach (var address in addresses)
        {
            var socket = new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp) { ReceiveBufferSize = 0 };
            _sockets.Add(socket);
            socket.Bind(address);
        }
    }

    /// <summary>Where the first of them is bound.</summary>
    public IPEndPoint First => (IPEndPoint)_sockets[0].LocalEndPoint!;

    public void Dispose()
    {
        foreach (var socket in _sockets) socket.Dispose();
    }
}
