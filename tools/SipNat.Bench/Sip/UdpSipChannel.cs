using System.Net;
using System.Net.Sockets;

namespace SipNat.Bench.Sip;

/// <summary>SIP over one UDP socket.</summary>
public sealed class UdpSipChannel : ISipChannel
{
    private const int MaxDatagram = 65_535;

    private readonly Socket _socket;
    private readonly byte[] _buffer = new byte[MaxDatagram];

    public UdpSipChannel(IPEndPoint local)
    {
        _socket = new Socket(local.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        _socket.Bind(local);
        Local = (IPEndPoint)_socket.LocalEndPoint!;
        KernelArrival.SwitchOn(_socket);
    }

    public IPEndPoint Local { get; }

    public string Transport => "UDP";

    public bool IsReliable => false;

    /// <inheritdoc/>
    /// <remarks>By the kernel's clock (<see cref="KernelArrival"/>).</remarks>
    public long ReceivedAt { get; private set; }

    /// <summary>The local address that routes to a server. Connecting a UDP socket sends nothing; it only asks the routing table.</summary>
    public static IPAddress RouteTo(IPEndPoint server)
    {
        using var probe = new Socket(server.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        probe.Connect(server);
        return ((IPEndPoint)probe.LocalEndPoint!).Address;
    }

    public async ValueTask SendAsync(ReadOnlyMemory<byte> message, IPEndPoint destination, CancellationToken stop)
    {
        try
        {
            await _socket.SendToAsync(message, SocketFlags.None, destination, stop);
        }
        catch (SocketException error) when (error.SocketErrorCode is SocketError.ConnectionRefused)
        {
            // An ICMP error of an earlier datagram; the retransmission timer decides, not the error.
        }
    }

    public async ValueTask<(byte[] Message, IPEndPoint From)> ReceiveAsync(CancellationToken stop)
    {
        while (true)
        {
            try
            {
                var any = new IPEndPoint(Local.AddressFamily is AddressFamily.InterNetworkV6 ? IPAddress.IPv6Any : IPAddress.Any, 0);
                var received = await _socket.ReceiveFromAsync(_buffer, SocketFlags.None, any, stop);
                if (received.ReceivedBytes == 0) continue;

                ReceivedAt = KernelArrival.OfLast(_socket);
                return (_buffer[..received.ReceivedBytes], (IPEndPoint)received.RemoteEndPoint);
            }
            catch (SocketException error) when (error.SocketErrorCode is SocketError.ConnectionRefused or SocketError.ConnectionReset)
            {
                // As above.
            }
        }
    }

    public void Dispose() => _socket.Dispose();
}
