using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using SipNat.Bench.Audio;
using SipNat.Bench.Rtp;

namespace SipNat.Bench.Load;

/// <summary>
/// A socket and the streams that are sent from it at the same moment of each 20 ms, by one call of the kernel. All is
/// laid out once in native memory; a round writes headers and payloads in place.
/// </summary>
internal sealed unsafe partial class SendGroup : IDisposable
{
    public const int MaxStreams = 64;

    private const int PacketLength = RtpFrames.HeaderLength + FrameContent.Length;
    private const int AddressLength = 28;
    private const int SendBuffer = 1 << 20;
    private const int DontWait = 0x40;

    private readonly Socket _socket;
    private readonly LoadStream[] _streams = new LoadStream[MaxStreams];
    private readonly byte* _packets = (byte*)NativeMemory.AllocZeroed(MaxStreams, PacketLength);
    private readonly byte* _addresses = (byte*)NativeMemory.AllocZeroed(MaxStreams, AddressLength);
    private readonly Vector* _vectors = (Vector*)NativeMemory.AllocZeroed(MaxStreams, (nuint)sizeof(Vector));
    private readonly MessageEntry* _messages = (MessageEntry*)NativeMemory.AllocZeroed(MaxStreams, (nuint)sizeof(MessageEntry));
    private readonly byte* _incoming = (byte*)NativeMemory.AllocZeroed(1, 2048);
    private int _count;

    public SendGroup(IPAddress local)
    {
        _socket = new Socket(local.AddressFamily, SocketType.Dgram, ProtocolType.Udp) { SendBufferSize = SendBuffer };
        _socket.Bind(new IPEndPoint(local, 0));
        Port = ((IPEndPoint)_socket.LocalEndPoint!).Port;
        for (var i = 0; i < MaxStreams; i++)
        {
            _vectors[i] = new() { Base = _packets + (i * PacketLength), Length = PacketLength };
            _messages[i].Header = new() { Name = _addresses + (i * AddressLength), Vectors = _vectors + i, VectorCount = 1 };
        }
    }

    public int Port { get; }

    /// <summary>Streams that have a place here, sent or not; the owner's.</summary>
    public int Reserved { get; set; }

    /// <summary>Packets that the kernel did not take.</summary>
    public long NotSent { get; private set; }

    /// <summary>Datagrams that came back: the recorder's keepalives and reports.</summary>
    public long Received { get; private set; }

    public void Add(LoadStream stream)
    {
        _streams[_count] = stream;
        Place(_count++);
    }

    /// <summary>Sends the next frame of every stream; streams that are over leave. Gives the number of packets sent.</summary>
    public int SendFrames()
    {
        for (var i = 0; i < _count; i++) Write(_streams[i], new Span<byte>(_packets + (i * PacketLength), PacketLength));

        var sent = 0;
        while (sent < _count)
        {
            var taken = SendMessages(_socket.SafeHandle, _messages + sent, (uint)(_count - sent), 0);
            if (taken > 0)
            {
                sent += taken;
                continue;
            }

            // The first packet of the rest was refused; the others may go.
            NotSent++;
            sent++;
        }

        for (var i = _count - 1; i >= 0; i--)
        {
            _streams[i].CountFrame();
            if (_streams[i].IsOver) Remove(i);
        }

        return sent;
    }

    /// <summary>Takes and counts what has come in.</summary>
    public void Drain()
    {
        while (Receive(_socket.SafeHandle, _incoming, 2048, DontWait) >= 0) Received++;
    }

    public void Dispose()
    {
        _socket.Dispose();
        NativeMemory.Free(_packets);
        NativeMemory.Free(_addresses);
        NativeMemory.Free(_vectors);
        NativeMemory.Free(_messages);
        NativeMemory.Free(_incoming);
    }

    private static void Write(LoadStream stream, Span<byte> packet)
    {
        var frame = stream.FramesSent;
        var sequence = unchecked((ushort)(stream.FirstSequence + frame));
        var timestamp = unchecked(stream.FirstTimestamp + (uint)(frame * FrameContent.Length));
        RtpFrames.WriteHeader(packet, stream.Codec.PayloadType, frame == 0, sequence, timestamp, stream.Ssrc);
        FrameContent.Fill(packet[RtpFrames.HeaderLength..], stream.Number, frame);
    }

    private void Remove(int index)
    {
        _streams[index] = _streams[--_count];
        if (index < _count) Place(index);
        _streams[_count] = null!;
    }

    private void Place(int index)
    {
        var address = _streams[index].Destination!;
        address.Buffer.Span[..address.Size].CopyTo(new Span<byte>(_addresses + (index * AddressLength), AddressLength));
        _messages[index].Header.NameLength = (uint)address.Size;
    }

    [LibraryImport("libc", EntryPoint = "sendmmsg", SetLastError = true)]
    private static partial int SendMessages(SafeHandle socket, MessageEntry* messages, uint count, int flags);

    [LibraryImport("libc", EntryPoint = "recv", SetLastError = true)]
    private static partial nint Receive(SafeHandle socket, byte* buffer, nuint length, int flags);

    // struct iovec, msghdr and mmsghdr as Linux lays them out for 64-bit programs.
    [StructLayout(LayoutKind.Sequential)]
    private struct Vector
    {
        public byte* Base;
        public nuint Length;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct MessageHeader
    {
        public byte* Name;
        public uint NameLength;
        public Vector* Vectors;
        public nuint VectorCount;
        public void* Control;
        public nuint ControlLength;
        public int Flags;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct MessageEntry
    {
        public MessageHeader Header;
        public uint Sent;
    }
}
