using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using SipNat.Server.Transport;
using SipNat.Wire;

namespace SipNat.Server.MediaEngine;

/// <summary>One UDP socket of the media engine.</summary>
internal sealed class MediaSocket : IDisposable
{
    // An error that was pending is told once; another one may come in that moment.
    private const int MaxAttempts = 3;

    // Of what a flood of them brings, so much stands before one datagram.
    private const int MaxErrors = 16;

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

    /// <summary>Whether it asks the kernel for what ICMP says of its datagrams.</summary>
    public bool AsksForErrors { get; private set; }

    /// <summary>Whether the queue of errors has something that no later call and no event will tell of.</summary>
    public bool HasErrors { get; set; }

    /// <summary>
    /// Asks 64-bit Linux for what ICMP says of its datagrams. A call on it then fails where there is such a message, whatever
    /// the call was about.
    /// </summary>
    public void AskForErrors() => AsksForErrors = Local.IsIPv6
        ? LinuxSockets.TrySwitchOn(Descriptor, LinuxSockets.ReceiveErrors6, LinuxSockets.IPv6Level)
        : LinuxSockets.TrySwitchOn(Descriptor, LinuxSockets.ReceiveErrors, LinuxSockets.IPLevel);

    /// <summary>Takes one datagram that is there already; false where none is.</summary>
    public bool TryReceive(Span<byte> buffer, out int length, out TransportAddress from)
    {
        (length, from) = (0, default);
        for (var errors = 0; errors < MaxErrors && !IsClosed; errors++)
        {
            try
            {
                if (!_socket.Poll(0, SelectMode.SelectRead)) return false;

                length = _socket.ReceiveFrom(buffer, SocketFlags.None, _source);
                from = _source.ToTransportAddress();
                return true;
            }
            catch (SocketException) when (AsksForErrors)
            {
                // In place of what there is, which comes after it.
                HasErrors = true;
            }
            catch (SocketException error) when (error.SocketErrorCode is SocketError.ConnectionReset or SocketError.NetworkReset or SocketError.MessageSize)
            {
                // Windows says by the receive that ICMP told of an earlier send, and not of which; what there is comes after it.
                // What does not fit is no media.
            }
            catch (SocketException)
            {
                return false;
            }
        }

        return false;
    }

    /// <summary>False where the kernel rejected the datagram.</summary>
    public bool TrySend(TransportAddress destination, ReadOnlySpan<byte> payload)
    {
        if (IsClosed || destination.Family != Local.Family) return false;

        destination.TryCopyTo(_destination);
        if (AsksForErrors) return TrySendDirectly(payload);

        try
        {
            _socket.SendTo(payload, SocketFlags.None, _destination);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    // A message of ICMP, about whatever destination, fails the next call in place of what it was to do, and once: what is
    // refused again is refused here.
    private unsafe bool TrySendDirectly(ReadOnlySpan<byte> payload)
    {
        fixed (byte* bytes = payload)
        fixed (byte* address = _destination.Buffer.Span)
        {
            for (var attempt = 0; attempt < MaxAttempts; attempt++)
            {
                if (LinuxSockets.SendTo(Descriptor, bytes, (nuint)payload.Length, LinuxSockets.DontWait, address, (uint)_destination.Size) >= 0) return true;

                switch (Marshal.GetLastPInvokeError())
                {
                    case LinuxSockets.WouldBlock:
                        return false;
                    case LinuxSockets.NoBuffers:
                        // As without the question for errors: it left the socket, and is lost on the way.
                        return true;
                    default:
                        HasErrors = true;
                        break;
                }
            }
        }

        return false;
    }

    public void Dispose()
    {
        IsClosed = true;
        _socket.Dispose();
    }
}
