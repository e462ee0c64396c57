using System.Net;
using System.Net.Sockets;
using SipNat.Server.Transport;
using SipNat.Wire;

namespace SipNat.Server.MediaEngine;

/// <summary>One UDP socket of the media engine.</summary>
internal sealed class MediaSocket : IDisposable
{
    private readonly Socket _socket;
    private readonly SocketAddress _source;
    private readonly SocketAddress _destination;

    public MediaSocket(FlowId flow, Socket socket)
    {
        (Flow, _socket) = (flow, socket);
        Local = TransportAddress.From((IPEndPoint)socket.LocalEndPoint!);
        Descriptor = (int)socket.Handle;
        _source = new(socket.AddressFamily);
        _destination = new(socket.AddressFamily);
    }

    public FlowId Flow { get; }

    public TransportAddress Local { get; }

    /// <summary>The system's number for it.</summary>
    public int Descriptor { get; }

    public bool IsClosed { get; private set; }

    /// <summary>Its place in the wheel; -1 while it is watched.</summary>
    public int Slice { get; set; } = -1;

    /// <summary>Its place in the slice.</summary>
    public int Place { get; set; }

    /// <summary>Visits in a row that have found nothing.</summary>
    public int EmptyVisits { get; set; }

    /// <summary>When something last came; null before.</summary>
    public Instant? LastHeard { get; set; }

    /// <summary>Of <see cref="IMediaSockets.Overflowed"/>, what the system has told of this socket.</summary>
    public uint Overflowed { get; set; }

    /// <summary>Takes one datagram that is there already; false where none is.</summary>
    public bool TryReceive(Span<byte> buffer, out int length, out TransportAddress from)
    {
        (length, from) = (0, default);
        if (IsClosed) return false;

        try
        {
            if (!_socket.Poll(0, SelectMode.SelectRead)) return false;

            length = _socket.ReceiveFrom(buffer, SocketFlags.None, _source);
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
        if (IsClosed || destination.Family != Local.Family) return false;

        try
        {
            destination.TryCopyTo(_destination);
            _socket.SendTo(payload, SocketFlags.None, _destination);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    public void Dispose()
    {
        IsClosed = true;
        _socket.Dispose();
    }
}
