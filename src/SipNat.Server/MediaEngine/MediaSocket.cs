using System.Net;
using System.Net.Sockets;
using SipNat.Server.Transport;
using SipNat.Wire;

namespace SipNat.Server.MediaEngine;

/// <summary>
/// One UDP socket of the media engine. It is never awaited: an async operation would put it into .NET's own epoll set
/// for life.
/// </summary>
internal sealed class MediaSocket(FlowId flow, Socket socket, TransportAddress local) : IDisposable
{
    private readonly SocketAddress _source = new(socket.AddressFamily);
    private readonly SocketAddress _destination = new(socket.AddressFamily);
    private bool _closed;

    public FlowId Flow { get; } = flow;

    public TransportAddress Local { get; } = local;

    /// <summary>Takes one datagram that is there already; false where none is.</summary>
    public bool TryReceive(Span<byte> buffer, out int length, out TransportAddress from)
    {
        (length, from) = (0, default);
        if (_closed) return false;

        try
        {
            if (!socket.Poll(0, SelectMode.SelectRead)) return false;

            length = socket.ReceiveFrom(buffer, SocketFlags.None, _source);
            from = _source.ToTransportAddress();
            return true;
        }
        catch (SocketException)
        {
            // An ICMP error of an earlier send is reported by the receive; the next one goes on.
            return false;
        }
    }

    /// <summary>False where the kernel rejected the datagram.</summary>
    public bool TrySend(TransportAddress destination, ReadOnlySpan<byte> payload)
    {
        if (destination.Family != Local.Family) return false;

        try
        {
            destination.TryCopyTo(_destination);
            socket.SendTo(payload, SocketFlags.None, _destination);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    public void Dispose()
    {
        _closed = true;
        socket.Dispose();
    }
}
