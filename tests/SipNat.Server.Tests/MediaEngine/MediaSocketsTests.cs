using System.Net;
using System.Net.Sockets;
using SipNat.Endpoint.Media;
using SipNat.Server.Hosting;
using SipNat.Server.MediaEngine;
using SipNat.Wire;

namespace SipNat.Server.Tests.MediaEngine;

/// <summary>What both ways of looking after media sockets have in common, and what the fast one does beyond.</summary>
public sealed class MediaSocketsTests : IMediaReceiver, IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    private readonly ServerClock _clock = new(TimeProvider.System);
    private readonly Socket _sender = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
    private readonly List<(FlowId Flow, byte[] Bytes, Instant Arrival, TransportAddress From)> _received = [];
    private readonly List<int> _batches = [];
    private bool _canWait;
    private Action<FlowId>? _onReceived;

    public MediaSocketsTests() => _sender.Bind(new IPEndPoint(IPAddress.Loopback, 0));

    public static TheoryData<MediaEngineKind> Kinds => [MediaEngineKind.Auto, MediaEngineKind.Portable];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Datagrams_come_in_order_with_their_sender(MediaEngineKind kind)
    {
        using var sockets = Create(kind);
        var (first, second) = (Open(sockets, 1), Open(sockets, 2));
        for (byte i = 0; i < 100; i++) Send(first, i);
        Send(second, 200, 201);

        ReceiveUntil(sockets, 101);

        Assert.Equal(Enumerable.Range(0, 100).Select(i => (byte)i), _received.Where(r => r.Flow == first.Flow).Select(r => r.Bytes.Single()));
        Assert.Equal([200, 201], _received.Single(r => r.Flow == second.Flow).Bytes);
        Assert.All(_received, r => Assert.Equal(TransportAddress.From((IPEndPoint)_sender.LocalEndPoint!), r.From));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void What_a_socket_has_when_it_is_drained_is_handed_over_at_once(MediaEngineKind kind)
    {
        using var sockets = Create(kind);
        var socket = Open(sockets, 1);
        Send(socket, 1);
        Send(socket, 2);

        sockets.Drain(socket);

        Assert.Equal([1, 2], _received.Select(r => r.Bytes.Single()));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_wait_ends_when_it_is_told_to(MediaEngineKind kind)
    {
        using var sockets = Create(kind);
        var waiting = Task.Run(() => sockets.Receive(TimeSpan.FromMinutes(5)), TestContext.Current.CancellationToken);
        sockets.Wake();
        await waiting.WaitAsync(Limit, TestContext.Current.CancellationToken);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Of_many_wakes_at_any_moment_none_is_lost(MediaEngineKind kind)
    {
        const int Wakes = 100_000;
        using var sockets = Create(kind);
        var (asked, seen) = (0, 0);
        var waiting = Task.Run(
            () =>
            {
                while ((seen = Volatile.Read(ref asked)) < Wakes) sockets.Receive(TimeSpan.FromMinutes(5));
            },
            TestContext.Current.CancellationToken);
        var random = new Random(1);
        for (var i = 1; i <= Wakes; i++)
        {
            Volatile.Write(ref asked, i);
            sockets.Wake();
            if (random.Next(4) == 0) SpinWait.SpinUntil(() => Volatile.Read(ref seen) == i, TimeSpan.FromSeconds(5));
        }

        await waiting.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        Assert.Equal(Wakes, seen);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_socket_that_was_removed_brings_nothing_more_and_its_port_is_free(MediaEngineKind kind)
    {
        using var sockets = Create(kind);
        var socket = Open(sockets, 1);
        Send(socket, 1);
        sockets.Remove(socket);
        sockets.Receive(TimeSpan.Zero);

        Assert.Empty(_received);
        Assert.Equal(0, sockets.Count);
        using var again = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        again.Bind(socket.Local.ToIPEndPoint());
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Datagrams_that_are_longer_than_any_media_are_passed_over(MediaEngineKind kind)
    {
        using var sockets = Create(kind);
        var socket = Open(sockets, 1);
        Send(socket, new byte[DatagramBatch.MaxDatagram + 1]);
        Send(socket, 7);

        ReceiveUntil(sockets, 1);

        Assert.Equal([7], Assert.Single(_received).Bytes);
    }

    [Fact]
    public void A_steady_recording_is_visited_in_turn_and_watched_again_when_it_pauses()
    {
        Assert.SkipUnless(EpollSockets.IsSupported, "The fast engine is for 64-bit Linux.");
        _canWait = true;
        using var sockets = Create(MediaEngineKind.Auto);
        var socket = Open(sockets, 1);

        Send(socket, 0);
        ReceiveUntil(sockets, 1);
        Assert.Equal(0, sockets.Swept);

        Send(socket, 1);
        ReceiveUntil(sockets, 2);
        Assert.Equal(1, sockets.Swept);

        for (byte i = 2; i < 12; i++) Send(socket, i);
        ReceiveUntil(sockets, 12);
        Assert.Equal(10, _batches[^1]);

        for (var began = _clock.Now; sockets.Swept > 0 && _clock.Now - began < Limit;) sockets.Receive(Limit);
        Assert.Equal((0, 1), (sockets.Swept, sockets.Count));

        Send(socket, 12);
        ReceiveUntil(sockets, 13);
        Assert.Equal(Enumerable.Range(0, 13).Select(i => (byte)i), _received.Select(r => r.Bytes.Single()));
    }

    [Fact]
    public void A_socket_that_somebody_waits_for_is_watched_again_at_its_next_packet()
    {
        Assert.SkipUnless(EpollSockets.IsSupported, "The fast engine is for 64-bit Linux.");
        _canWait = true;
        using var sockets = Create(MediaEngineKind.Auto);
        var socket = Open(sockets, 1);
        Send(socket, 0);
        ReceiveUntil(sockets, 1);
        Send(socket, 1);
        ReceiveUntil(sockets, 2);
        Assert.Equal(1, sockets.Swept);

        _canWait = false;
        Send(socket, 2);
        ReceiveUntil(sockets, 3);

        Assert.Equal(0, sockets.Swept);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_flood_to_one_socket_leaves_the_others_their_turn(MediaEngineKind kind)
    {
        using var sockets = Create(kind);
        var (flooded, other) = (Open(sockets, 1), Open(sockets, 2));

        // For each one that is taken another comes, up to a number that only an endless visit reaches.
        _onReceived = flow =>
        {
            if (flow == flooded.Flow && _received.Count < 10_000) Send(flooded, 0);
        };
        for (var i = 0; i < 200; i++) Send(flooded, 0);
        Send(other, 1);

        sockets.Drain(flooded);
        Assert.InRange(_received.Count, 1, EpollSockets.MaxPerVisit);

        sockets.Receive(Limit);
        Assert.Single(_received, r => r.Flow == other.Flow);
        Assert.InRange(_received.Count, 2, (2 * EpollSockets.MaxPerVisit) + 1);
    }

    [Fact]
    public void Sockets_beyond_what_can_be_watched_are_visited_in_turn()
    {
        Assert.SkipUnless(EpollSockets.IsSupported, "The fast engine is for 64-bit Linux.");
        using var sockets = new EpollSockets(this, _clock) { MaxWatched = 1 };
        var (first, second) = (Open(sockets, 1), Open(sockets, 2));
        Assert.Equal((2, 1), (sockets.Count, sockets.Swept));

        Send(first, 1);
        Send(second, 2);
        ReceiveUntil(sockets, 2);
        sockets.Remove(first);
        Send(second, 3);
        ReceiveUntil(sockets, 3);

        Assert.Equal([1, 2, 3], _received.Select(r => r.Bytes.Single()));
        Assert.Equal((1, 0), (sockets.Count, sockets.Swept));
    }

    [Fact]
    public void The_time_of_a_datagram_is_that_of_the_kernel_and_not_of_the_visit()
    {
        Assert.SkipUnless(EpollSockets.IsSupported, "The fast engine is for 64-bit Linux.");
        using var sockets = Create(MediaEngineKind.Auto);
        var socket = Open(sockets, 1);

        // Clocks of the kernel and of the process may part by a little, and the kernel begins to note times a moment
        // after the first socket of the machine has asked for them.
        var slack = TimeSpan.FromMilliseconds(5);
        Assert.True(SpinWait.SpinUntil(IsThatOfTheKernel, Limit));

        bool IsThatOfTheKernel()
        {
            _received.Clear();
            var before = _clock.Now;
            Send(socket, 1);
            var sent = _clock.Now;
            SpinWait.SpinUntil(() => _clock.Now - sent > TimeSpan.FromMilliseconds(50));

            ReceiveUntil(sockets, 1);
            return _received.Single().Arrival >= before - slack && _received.Single().Arrival <= sent + slack;
        }
    }

    [Fact]
    public void What_a_full_queue_had_no_room_for_is_counted()
    {
        Assert.SkipUnless(EpollSockets.IsSupported, "The fast engine is for 64-bit Linux.");
        using var sockets = Create(MediaEngineKind.Auto);
        var socket = Open(sockets, 1, receiveBuffer: 4096);
        var bytes = new byte[1000];
        for (var i = 0; i < 100; i++) Send(socket, bytes);
        sockets.Receive(Limit);
        var kept = _received.Count;

        // It is told with the next datagram that finds room.
        Send(socket, 1);
        ReceiveUntil(sockets, kept + 1);

        Assert.InRange(kept, 1, 99);
        Assert.Equal(100 - kept, sockets.Overflowed);
    }

    [Fact]
    public void A_visit_takes_no_memory()
    {
        Assert.SkipUnless(EpollSockets.IsSupported, "The fast engine is for 64-bit Linux.");
        var quiet = new Quiet();
        using var sockets = new EpollSockets(quiet, _clock);
        var socket = Open(sockets, 1);
        var target = socket.Local.ToIPEndPoint().Serialize();
        var bytes = new byte[172];
        long taken = 0;
        for (var i = 0; i < 2_000; i++)
        {
            _sender.SendTo(bytes, SocketFlags.None, target);
            var before = GC.GetAllocatedBytesForCurrentThread();
            sockets.Drain(socket);
            if (i >= 1_000) taken += GC.GetAllocatedBytesForCurrentThread() - before;
        }

        Assert.Equal((0, 2_000), (taken, quiet.Count));
    }

    [Fact]
    public void Dropped_packets_of_the_kernel_stand_in_the_second_column() // Documentation/networking/scaling.rst
    {
        Assert.Equal(0x1f, KernelDrops.Read("0003a1c2 0000001f 00000002 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000001"));
        Assert.Equal(0, KernelDrops.Read(""));
    }

    bool IMediaReceiver.Handle(MediaSocket socket, ReadOnlySpan<ReceivedDatagram> received, ReadOnlySpan<byte> bytes)
    {
        _batches.Add(received.Length);
        foreach (var datagram in received)
        {
            _received.Add((socket.Flow, bytes.Slice(datagram.Offset, datagram.Length).ToArray(), datagram.Arrival, datagram.From));
            _onReceived?.Invoke(socket.Flow);
        }

        return _canWait;
    }

    void IMediaReceiver.HandleIcmp(MediaSocket socket, in IcmpError error, ReadOnlySpan<byte> quoted) => Assert.Fail($"Nothing was sent, and ICMP says {error}.");

    public void Dispose() => _sender.Dispose();

    private IMediaSockets Create(MediaEngineKind kind) =>
        kind is MediaEngineKind.Auto && EpollSockets.IsSupported ? new EpollSockets(this, _clock) : new PolledSockets(this, _clock);

    private static MediaSocket Open(IMediaSockets sockets, int flow, int receiveBuffer = 1 << 18)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { Blocking = false, ReceiveBufferSize = receiveBuffer };
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return sockets.Add(new(flow), socket);
    }

    private void Send(MediaSocket to, params byte[] bytes) => _sender.SendTo(bytes, to.Local.ToIPEndPoint());

    private void ReceiveUntil(IMediaSockets sockets, int count)
    {
        for (var began = _clock.Now; _received.Count < count && _clock.Now - began < Limit;) sockets.Receive(TimeSpan.FromMilliseconds(100));
        Assert.Equal(count, _received.Count);
    }

    private sealed class Quiet : IMediaReceiver
    {
        public int Count { get; private set; }

        public bool Handle(MediaSocket socket, ReadOnlySpan<ReceivedDatagram> received, ReadOnlySpan<byte> bytes)
        {
            Count += received.Length;
            return false;
        }

        public void HandleIcmp(MediaSocket socket, in IcmpError error, ReadOnlySpan<byte> quoted) => Assert.Fail($"Nothing was sent, and ICMP says {error}.");
    }
}
