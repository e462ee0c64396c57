using System.Runtime.InteropServices;
using SipNat.Endpoint.Media;
using SipNat.Server.Hosting;
using SipNat.Wire;

namespace SipNat.Server.MediaEngine;

/// <summary>Fetches up to <see cref="Capacity"/> datagrams of a socket with one call, each with the kernel's time of it.</summary>
internal sealed unsafe class DatagramBatch : IDisposable
{
    /// <summary>A visit of ten packets, six times over.</summary>
    public const int Capacity = 64;

    /// <summary>Longer datagrams are no media and are dropped.</summary>
    public const int MaxDatagram = 2048;

    // Not a power of two: the beginnings of all datagrams would share a few lines of the processor's cache.
    private const int Stride = MaxDatagram + 64;
    private const int NameSize = 32;
    private const int ControlSize = 64;
    private const int ControlHeader = 16;
    private const int Truncated = 0x20;

    // An error is told once; where another one comes in that moment the visit after this one has the datagrams.
    private const int MaxAttempts = 3;
    private const long TicksPerSecond = TimeSpan.TicksPerSecond;
    private const int NanosecondsPerTick = 100;

    // What the kernel's time is further back than this, the clock was set meanwhile.
    private static readonly TimeSpan MaxAge = TimeSpan.FromSeconds(10);

    private readonly ServerClock _clock;
    private readonly ReceivedDatagram[] _received = new ReceivedDatagram[Capacity];
    private readonly byte* _memory;
    private readonly byte* _bytes;
    private readonly LinuxSockets.MessageHeader* _headers;
    private Instant _now;
    private long _realTime;
    private int _used = Capacity;

    public DatagramBatch(ServerClock clock)
    {
        _clock = clock;
        var headers = sizeof(LinuxSockets.MessageHeader) + sizeof(LinuxSockets.Vector) + NameSize + ControlSize;
        _memory = (byte*)NativeMemory.AlignedAlloc((nuint)(Capacity * (headers + Stride)), 64);
        _headers = (LinuxSockets.MessageHeader*)_memory;
        var vectors = (LinuxSockets.Vector*)(_headers + Capacity);
        var names = (byte*)(vectors + Capacity);
        var controls = names + (Capacity * NameSize);
        _bytes = controls + (Capacity * ControlSize);
        for (var i = 0; i < Capacity; i++)
        {
            vectors[i] = new() { Bytes = _bytes + (i * Stride), Length = MaxDatagram };
            _headers[i] = new() { Name = names + (i * NameSize), Vectors = vectors + i, VectorCount = 1, Control = controls + (i * ControlSize) };
        }
    }

    /// <summary>Longer datagrams than <see cref="MaxDatagram"/>.</summary>
    public long Oversized { get; private set; }

    /// <summary>What the last <see cref="Receive"/> has fetched.</summary>
    public ReadOnlySpan<ReceivedDatagram> Received => _received.AsSpan(0, Count);

    /// <summary>How many those are.</summary>
    public int Count { get; private set; }

    /// <summary>Whether the last <see cref="Receive"/> was told of an error: the queue of errors has the cause.</summary>
    public bool HasFailed { get; private set; }

    /// <summary>The bytes of all of them.</summary>
    public ReadOnlySpan<byte> Bytes => new(_bytes, Capacity * Stride);

    /// <summary>The time that arrivals are counted back from: once for each round of visits.</summary>
    public void LookAtClock()
    {
        LinuxSockets.TimeSpec time;
        _ = LinuxSockets.ClockGetTime(LinuxSockets.RealTimeClock, &time);
        (_now, _realTime) = (_clock.Now, TicksOf(time));
    }

    /// <summary>Fetches what a socket has; false where it has nothing more than that.</summary>
    /// <param name="overflowed">How many its queue had no room for, since it was opened; as before where the kernel does not say.</param>
    public bool Receive(int socket, ref uint overflowed)
    {
        for (var i = 0; i < _used; i++) (_headers[i].NameLength, _headers[i].ControlLength) = (NameSize, ControlSize);

        (Count, HasFailed) = (0, false);
        _used = ReceiveMany(socket);
        for (var i = 0; i < _used; i++)
        {
            ref readonly var header = ref _headers[i];
            if ((header.Flags & Truncated) != 0)
            {
                Oversized++;
                continue;
            }

            _received[Count++] = new(ReadControl(header, ref overflowed), LinuxSockets.ReadAddress(new(header.Name, NameSize)), i * Stride, (int)header.Length);
        }

        return _used == Capacity;
    }

    public void Dispose() => NativeMemory.AlignedFree(_memory);

    // Where ICMP has told of something that was sent the call says so in place of what there is, once for each.
    private int ReceiveMany(int socket)
    {
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            var count = LinuxSockets.ReceiveMany(socket, _headers, Capacity, LinuxSockets.DontWait, null);
            if (count >= 0) return count;
            if (Marshal.GetLastPInvokeError() == LinuxSockets.WouldBlock) return 0;

            HasFailed = true;
        }

        return 0;
    }

    // struct cmsghdr: length (with the header), level, type; the next one begins at a multiple of eight.
    private Instant ReadControl(in LinuxSockets.MessageHeader header, ref uint overflowed)
    {
        var arrival = _now;
        var at = header.Control;
        var end = at + header.ControlLength;
        while (end - at >= ControlHeader)
        {
            var length = *(long*)at;
            if (length < ControlHeader || length > end - at) break;
            if (*(int*)(at + 8) == LinuxSockets.SocketLevel)
            {
                var type = *(int*)(at + 12);
                var value = at + ControlHeader;
                if (type == LinuxSockets.TimestampNanoseconds) arrival = ToInstant(*(LinuxSockets.TimeSpec*)value);
                else if (type == LinuxSockets.QueueOverflow) overflowed = *(uint*)value;
            }

            at += (length + 7) & ~7L;
        }

        return arrival;
    }

    private Instant ToInstant(LinuxSockets.TimeSpec time)
    {
        var age = _realTime - TicksOf(time);
        return age > 0 && age < MaxAge.Ticks ? new(_now.Ticks - age) : _now;
    }

    private static long TicksOf(LinuxSockets.TimeSpec time) => (time.Seconds * TicksPerSecond) + (time.Nanoseconds / NanosecondsPerTick);
}
