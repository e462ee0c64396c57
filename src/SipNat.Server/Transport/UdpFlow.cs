using System.Net;
using System.Net.Sockets;
using SipNat.Wire;

namespace SipNat.Server.Transport;

/// <summary>One UDP socket that carries SIP, bound to one concrete local address.</summary>
internal sealed class UdpFlow : IFlow, IDisposable
{
    // A burst of INVITEs waits here while the core is busy; the kernel grants what net.core.rmem_max allows.
    private const int ReceiveBufferBytes = 1024 * 1024;

    // Windows reports an ICMP "port unreachable" as an error of the next receive unless it is told not to.
    private const int SioUdpConnectionReset = -1744830452;

    private readonly Socket _socket;
    private readonly SocketAddress _destination;

    private UdpFlow(FlowId id, Socket socket)
    {
        (Id, _socket) = (id, socket);
        _destination = new SocketAddress(socket.AddressFamily);
        Local = TransportAddress.From((IPEndPoint)socket.LocalEndPoint!);
    }

    public FlowId Id { get; }

    public TransportProtocol Transport => TransportProtocol.Udp;

    public TransportAddress Local { get; }

    public TransportAddress Remote => default;

    public bool IsAccepted => false;

    public string? TlsName => null;

    /// <summary>Binds the socket.</summary>
    /// <exception cref="SocketException">The address is not this machine's, or its port is taken.</exception>
    public static UdpFlow Open(FlowId id, TransportAddress local)
    {
        var socket = new Socket(local.Family, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            // Sends are made under the core's lock: a full buffer is a lost datagram, never a wait.
            socket.Blocking = false;
            socket.ReceiveBufferSize = ReceiveBufferBytes;
            if (OperatingSystem.IsWindows()) socket.IOControl(SioUdpConnectionReset, [0, 0, 0, 0], null);

            // Whoever listens to a group shares its port with the others that do.
            if (local.IsMulticastOrBroadcast) socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            socket.Bind(local.ToIPEndPoint());
            return new(id, socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Receives until it is stopped; any other end is an exception.</summary>
    public async Task ReceiveAsync(CoreHost host, CancellationToken stop)
    {
        var batch = new UdpBatch();
        var source = new SocketAddress(_socket.AddressFamily);
        while (true)
        {
            try
            {
                var length = await _socket.ReceiveFromAsync(batch.Free, SocketFlags.None, source, stop);
                batch.Add(source.ToTransportAddress(), length);
                while (batch.HasRoom && _socket.Available > 0)
                {
                    length = _socket.ReceiveFrom(batch.Free.Span, SocketFlags.None, source);
                    batch.Add(source.ToTransportAddress(), length);
                }
            }
            catch (SocketException error) when (IsAboutAnotherDatagram(error.SocketErrorCode))
            {
                // What was received before it is handed on.
            }

            while (batch.TryTake(out var from, out var datagram)) host.Receive(Id, from, datagram);
        }
    }

    public SendOutcome Send(TransportAddress destination, ReadOnlySpan<byte> payload)
    {
        if (!destination.TryCopyTo(_destination)) return SendOutcome.Failed;

        try
        {
            _socket.SendTo(payload, SocketFlags.None, _destination);
            return SendOutcome.Sent;
        }
        catch (SocketException error)
        {
            return error.SocketErrorCode is SocketError.WouldBlock or SocketError.NoBufferSpaceAvailable
                ? SendOutcome.Dropped
                : SendOutcome.Failed;
        }
        catch (ObjectDisposedException)
        {
            return SendOutcome.Failed;
        }
    }

    public void Close() => _socket.Dispose();

    public void Dispose() => _socket.Dispose();

    // The kernel reports on a receive what became of something that was sent earlier, or finds a datagram damaged.
    private static bool IsAboutAnotherDatagram(SocketError error) => error
        is SocketError.WouldBlock
        or SocketError.ConnectionRefused
        or SocketError.ConnectionReset
        or SocketError.NetworkReset
        or SocketError.HostUnreachable
        or SocketError.NetworkUnreachable
        or SocketError.MessageSize;
}
