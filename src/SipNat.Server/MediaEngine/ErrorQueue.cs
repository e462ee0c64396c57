using System.Runtime.InteropServices;
using SipNat.Endpoint.Media;

namespace SipNat.Server.MediaEngine;

/// <summary>
/// Fetches what ICMP said of datagrams that a socket has sent, from the queue that the kernel keeps for a socket that asks
/// for it (ip(7), IP_RECVERR). The queue shares the memory of what was received, so that it must not be left standing.
/// </summary>
internal sealed unsafe class ErrorQueue : IDisposable
{
    /// <summary>What one visit takes; what is beyond, as of a flood, has its turn with the next one.</summary>
    public const int Capacity = 16;

    /// <summary>Of the datagram that a message quotes: the header of any media.</summary>
    public const int MaxQuoted = 32;

    private const int NameSize = 32;
    private const int ControlSize = 256;
    private const int ControlHeader = 16;

    // struct sock_extended_err: the number of the error, then origin, type and code in a byte each; the address of who
    // says so is behind it.
    private const int OriginOffset = 4;
    private const int TypeOffset = 5;
    private const int CodeOffset = 6;
    private const int ErrorSize = 16;
    private const byte OriginIcmp = 2;
    private const byte OriginIcmp6 = 3;

    private readonly IMediaReceiver _receiver;
    private readonly byte* _memory;
    private readonly LinuxSockets.MessageHeader* _headers;
    private readonly byte* _quoted;

    public ErrorQueue(IMediaReceiver receiver)
    {
        _receiver = receiver;
        var each = sizeof(LinuxSockets.MessageHeader) + sizeof(LinuxSockets.Vector) + NameSize + ControlSize + MaxQuoted;
        _memory = (byte*)NativeMemory.AlignedAlloc((nuint)(Capacity * each), 64);
        _headers = (LinuxSockets.MessageHeader*)_memory;
        var vectors = (LinuxSockets.Vector*)(_headers + Capacity);
        var controls = (byte*)(vectors + Capacity);
        var names = controls + (Capacity * ControlSize);
        _quoted = names + (Capacity * NameSize);
        for (var i = 0; i < Capacity; i++)
        {
            vectors[i] = new() { Bytes = _quoted + (i * MaxQuoted), Length = MaxQuoted };
            _headers[i] = new() { Name = names + (i * NameSize), Vectors = vectors + i, VectorCount = 1, Control = controls + (i * ControlSize) };
        }
    }

    /// <summary>Hands over what the queue of a socket has, <see cref="Capacity"/> messages at most.</summary>
    public void Read(MediaSocket socket)
    {
        socket.HasErrors = false;
        for (var i = 0; i < Capacity; i++) (_headers[i].NameLength, _headers[i].ControlLength) = (NameSize, ControlSize);

        var count = LinuxSockets.ReceiveMany(socket.Descriptor, _headers, Capacity, LinuxSockets.DontWait | LinuxSockets.FromErrorQueue, null);
        for (var i = 0; i < count && !socket.IsClosed; i++)
        {
            ref readonly var header = ref _headers[i];
            if (TryRead(header, out var error)) _receiver.HandleIcmp(socket, error, new(_quoted + (i * MaxQuoted), (int)header.Length));
        }
    }

    public void Dispose() => NativeMemory.AlignedFree(_memory);

    // Others than ICMP are told by the call that failed.
    private static bool TryRead(in LinuxSockets.MessageHeader header, out IcmpError error)
    {
        var at = header.Control;
        var end = at + header.ControlLength;
        while (end - at >= ControlHeader)
        {
            var length = *(long*)at;
            if (length < ControlHeader || length > end - at) break;

            var value = at + ControlHeader;
            var isError = (*(int*)(at + 8), *(int*)(at + 12)) is (LinuxSockets.IPLevel, LinuxSockets.ReceiveErrors) or (LinuxSockets.IPv6Level, LinuxSockets.ReceiveErrors6);
            if (isError && length >= ControlHeader + ErrorSize && value[OriginOffset] is OriginIcmp or OriginIcmp6)
            {
                var offender = LinuxSockets.ReadAddress(new(value + ErrorSize, (int)(length - ControlHeader - ErrorSize)));
                error = new(LinuxSockets.ReadAddress(new(header.Name, NameSize)), offender.WithPort(0), value[TypeOffset], value[CodeOffset]);
                return true;
            }

            at += (length + 7) & ~7L;
        }

        error = default;
        return false;
    }
}
