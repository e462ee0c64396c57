using System.Buffers.Binary;
using System.Runtime.InteropServices;
using SipNat.Wire;

namespace SipNat.Server.MediaEngine;

/// <summary>The calls of Linux that .NET's sockets have no word for, and the layout of what they take.</summary>
internal static unsafe partial class LinuxSockets
{
    /// <summary>MSG_DONTWAIT: what is there now, or nothing.</summary>
    public const int DontWait = 0x40;

    /// <summary>MSG_ERRQUEUE: not what was received, but what became of datagrams that were sent.</summary>
    public const int FromErrorQueue = 0x2000;

    /// <summary>IPPROTO_IP.</summary>
    public const int IPLevel = 0;

    /// <summary>IPPROTO_IPV6.</summary>
    public const int IPv6Level = 41;

    /// <summary>IP_RECVERR: what ICMP says of datagrams is kept, and the next call fails.</summary>
    public const int ReceiveErrors = 11;

    /// <summary>IPV6_RECVERR.</summary>
    public const int ReceiveErrors6 = 25;

    /// <summary>EAGAIN: there is nothing to receive, or no room to send.</summary>
    public const int WouldBlock = 11;

    /// <summary>ENOBUFS: the queue of an interface is full, which sockets are told only where they ask for errors.</summary>
    public const int NoBuffers = 105;

    /// <summary>SOL_SOCKET.</summary>
    public const int SocketLevel = 1;

    /// <summary>SO_TIMESTAMPNS: each datagram comes with the time at which the kernel received it.</summary>
    public const int TimestampNanoseconds = 35;

    /// <summary>SO_RXQ_OVFL: each datagram comes with how many the socket's queue had no room for so far.</summary>
    public const int QueueOverflow = 40;

    /// <summary>EPOLL_CTL_ADD.</summary>
    public const int EpollAdd = 1;

    /// <summary>EPOLL_CTL_DEL.</summary>
    public const int EpollDelete = 2;

    /// <summary>EPOLLIN.</summary>
    public const uint EpollIn = 1;

    /// <summary>EPOLLERR: it is told whether or not it was asked for, as long as there is an error.</summary>
    public const uint EpollError = 8;

    /// <summary>CLOCK_REALTIME.</summary>
    public const int RealTimeClock = 0;

    /// <summary>CLOCK_THREAD_CPUTIME_ID: what the calling thread has run.</summary>
    public const int ThreadClock = 3;

    private const int CloseOnExec = 0x80000;
    private const int NonBlocking = 0x800;
    private const int IPv4Family = 2;
    private const int IPv6Family = 10;
    private const int IPv4AddressSize = 8;
    private const int IPv6AddressSize = 24;

    // struct epoll_event is packed on x86-64 alone (eventpoll.h).
    private static readonly int DataOffset = RuntimeInformation.ProcessArchitecture is Architecture.X64 ? 4 : 8;

    /// <summary>Bytes of one <c>struct epoll_event</c>.</summary>
    public static int EventSize { get; } = DataOffset + sizeof(ulong);

    public static ulong ReadEvent(byte* events, int index) => *(ulong*)(events + (index * EventSize) + DataOffset);

    /// <summary>What has happened: <see cref="EpollIn"/>, <see cref="EpollError"/>.</summary>
    public static uint ReadEventKinds(byte* events, int index) => *(uint*)(events + (index * EventSize));

    /// <summary>Reads a <c>struct sockaddr</c>; none where it is of another family than IPv4 and IPv6.</summary>
    public static TransportAddress ReadAddress(ReadOnlySpan<byte> name)
    {
        if (name.Length < IPv4AddressSize) return default;

        var port = BinaryPrimitives.ReadUInt16BigEndian(name[2..]);
        return MemoryMarshal.Read<ushort>(name) switch
        {
            IPv4Family => new(name.Slice(4, 4), port),
            IPv6Family when name.Length >= IPv6AddressSize => new(name.Slice(8, 16), port),
            _ => default,
        };
    }

    /// <exception cref="InvalidOperationException">The system has no room for one.</exception>
    public static int CreateEpoll() => Checked(EpollCreate(CloseOnExec), "epoll_create1");

    /// <exception cref="InvalidOperationException">The system has no room for one.</exception>
    public static int CreateEvent() => Checked(EventFd(0, CloseOnExec | NonBlocking), "eventfd");

    /// <summary>False where the user has as many watched files as the kernel allows, or its memory is out.</summary>
    public static bool TryWatch(int epoll, int socket, ulong data)
    {
        var change = stackalloc byte[16];
        *(uint*)change = EpollIn;
        *(ulong*)(change + DataOffset) = data;
        return EpollControl(epoll, EpollAdd, socket, change) == 0;
    }

    public static void Unwatch(int epoll, int socket)
    {
        var change = stackalloc byte[16];
        _ = EpollControl(epoll, EpollDelete, socket, change);
    }

    /// <summary>Whether the socket took an option that is on or off.</summary>
    public static bool TrySwitchOn(int socket, int option, int level = SocketLevel)
    {
        var on = 1;
        return SetOption(socket, level, option, &on, sizeof(int)) == 0;
    }

    [LibraryImport("libc", EntryPoint = "sendto", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial nint SendTo(int socket, byte* bytes, nuint length, int flags, byte* address, uint addressLength);

    [LibraryImport("libc", EntryPoint = "recvmmsg", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial int ReceiveMany(int socket, MessageHeader* messages, uint count, int flags, void* timeout);

    [LibraryImport("libc", EntryPoint = "epoll_wait", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial int EpollWait(int epoll, byte* events, int count, int milliseconds);

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial int ClockGetTime(int clock, TimeSpec* time);

    [LibraryImport("libc", EntryPoint = "eventfd_write")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial int EventWrite(int file, ulong value);

    [LibraryImport("libc", EntryPoint = "eventfd_read")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial int EventRead(int file, ulong* value);

    [LibraryImport("libc", EntryPoint = "close")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial int Close(int file);

    private static int Checked(int result, string call) =>
        result >= 0 ? result : throw new InvalidOperationException($"{call} failed with error {Marshal.GetLastPInvokeError()}.");

    [LibraryImport("libc", EntryPoint = "setsockopt")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SetOption(int socket, int level, int name, void* value, uint length);

    [LibraryImport("libc", EntryPoint = "epoll_create1", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int EpollCreate(int flags);

    [LibraryImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int EpollControl(int epoll, int operation, int socket, byte* change);

    [LibraryImport("libc", EntryPoint = "eventfd", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int EventFd(uint value, int flags);

    /// <summary><c>struct timespec</c> of 64-bit systems.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }

    /// <summary><c>struct iovec</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Vector
    {
        public byte* Bytes;
        public nuint Length;
    }

    /// <summary><c>struct mmsghdr</c>: a <c>struct msghdr</c>, and how long its message is.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct MessageHeader
    {
        public byte* Name;
        public uint NameLength;
        public Vector* Vectors;
        public nuint VectorCount;
        public byte* Control;
        public nuint ControlLength;
        public int Flags;
        private readonly uint _paddingOfMessage;
        public uint Length;
        private readonly uint _padding;
    }
}
