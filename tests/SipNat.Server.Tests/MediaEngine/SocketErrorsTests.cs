using System.Net;
using System.Net.Sockets;
using SipNat.Endpoint.Media;
using SipNat.Server.Hosting;
using SipNat.Server.MediaEngine;
using SipNat.Wire;

namespace SipNat.Server.Tests.MediaEngine;

/// <summary>ICMP about what a media socket has sent: the kernel of this machine says that a port is closed.</summary>
public sealed class SocketErrorsTests : IMediaReceiver, IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    private readonly ServerClock _clock = new(TimeProvider.System);
    private readonly List<Socket> _sockets = [];
    private readonly Dictionary<MediaSocket, Socket> _own = [];
    private readonly List<(FlowId Flow, IcmpError Error, byte[] Quoted)> _errors = [];
    private readonly List<byte> _received = [];
    private bool _canWait;

    [Theory]
    [InlineData("127.0.0.1", 3, 3)] // RFC 792
    [InlineData("::1", 1, 4)] // RFC 4443 §3.1
    public void A_closed_port_is_told_with_who_says_so_and_how_the_packet_began(string address, byte type, byte code)
    {
        using var sockets = Fast();
        var (socket, other, closed) = (Open(sockets, 1, address), Open(sockets, 2, address), Closed(address));
        byte[] packet = [.. Enumerable.Range(0, 172).Select(i => (byte)i)];

        Assert.True(socket.TrySend(closed, packet));
        ReceiveUntil(sockets, () => _errors.Count > 0);

        var (flow, error, quoted) = Assert.Single(_errors);
        Assert.Equal((socket.Flow, new IcmpError(closed, closed.WithPort(0), type, code)), (flow, error));
        Assert.Equal(IcmpReason.PortUnreachable, error.Reason);
        Assert.Equal(packet[..ErrorQueue.MaxQuoted], quoted);
        Assert.False(other.HasErrors);
    }

    [Theory]
    [InlineData("127.0.0.1", int.MaxValue)]
    [InlineData("127.0.0.1", 0)]
    [InlineData("::1", int.MaxValue)]
    [InlineData("::1", 0)]
    public void An_error_that_waits_costs_no_datagram_in_either_direction(string address, int maxWatched)
    {
        const int Rounds = 200;
        Assert.SkipUnless(EpollSockets.IsSupported, "The fast engine is for 64-bit Linux.");
        using var sockets = new EpollSockets(this, _clock) { MaxWatched = maxWatched };
        var (socket, closed, peer) = (Open(sockets, 1, address), Closed(address), Bind(address));
        var to = TransportAddress.From((IPEndPoint)peer.LocalEndPoint!);
        var refused = 0;
        for (var i = 0; i < Rounds; i++)
        {
            // The second of them, and the third, meet the errors of those before.
            if (!socket.TrySend(closed, [1])) refused++;
            if (!socket.TrySend(to, [(byte)i])) refused++;
            if (!socket.TrySend(closed, [2])) refused++;
            peer.SendTo([(byte)i], socket.Local.ToIPEndPoint());
            if (i % 3 == 0) sockets.Drain(socket);
        }

        sockets.Drain(socket);
        var sent = new List<byte>();
        for (var buffer = new byte[16]; peer.Poll(0, SelectMode.SelectRead);)
        {
            peer.Receive(buffer);
            sent.Add(buffer[0]);
        }

        var all = Enumerable.Range(0, Rounds).Select(i => (byte)i);
        Assert.Equal(0, refused);
        Assert.Equal(all, sent);
        Assert.Equal(all, _received);
        Assert.NotEmpty(_errors);
    }

    [Theory]
    [InlineData(int.MaxValue)]
    [InlineData(0)]
    public void Many_errors_are_taken_some_at_a_time_until_none_wakes_the_thread(int maxWatched)
    {
        Assert.SkipUnless(EpollSockets.IsSupported, "The fast engine is for 64-bit Linux.");
        using var sockets = new EpollSockets(this, _clock) { MaxWatched = maxWatched };
        var (socket, closed) = (Open(sockets, 1, "127.0.0.1"), Closed("127.0.0.1"));
        for (var i = 0; i < 100; i++) socket.TrySend(closed, [1]);

        sockets.Drain(socket);
        Assert.InRange(_errors.Count, 1, ErrorQueue.Capacity);

        // A wait that nothing ends lasts as long as it may, or until the next visits.
        var wait = TimeSpan.FromMilliseconds(50);
        var turns = 0;
        for (var before = -1; turns < 1_000 && before != _errors.Count; turns++)
        {
            before = _errors.Count;
            var began = _clock.Now;
            while (_clock.Now - began < SweepWheel.Step * SweepWheel.Slices * 2) sockets.Receive(wait);
        }

        var at = _clock.Now;
        sockets.Receive(wait);
        Assert.True(_clock.Now - at >= (maxWatched == 0 ? TimeSpan.Zero : wait / 2), "The wait ended at once.");
        Assert.Equal((false, false), (socket.HasErrors, HasErrorsLeft(socket)));
    }

    [Fact]
    public void A_steady_recording_whose_pinhole_packets_are_refused_is_visited_in_turn_all_the_same()
    {
        _canWait = true;
        using var sockets = Fast();
        var (socket, closed, peer) = (Open(sockets, 1, "127.0.0.1"), Closed("127.0.0.1"), Bind("127.0.0.1"));
        for (byte i = 0; i < 10; i++)
        {
            peer.SendTo([i], socket.Local.ToIPEndPoint());
            Assert.True(socket.TrySend(closed, [i]));
            var count = i + 1;
            ReceiveUntil(sockets, () => _received.Count == count);
        }

        Assert.Equal(1, sockets.Swept);
        ReceiveUntil(sockets, () => !HasErrorsLeft(socket));
        Assert.NotEmpty(_errors);
    }

    [Fact]
    public void What_this_machine_refuses_is_still_refused()
    {
        using var sockets = Fast();
        var socket = Open(sockets, 1, "127.0.0.1");

        // A socket of the loopback interface has no way to anybody else.
        Assert.False(socket.TrySend(TransportAddress.Parse("192.0.2.1:4000"), [1]));
        Assert.False(socket.TrySend(TransportAddress.Parse("[::1]:4000"), [1]));
        sockets.Drain(socket);
        Assert.Empty(_errors);
        Assert.True(socket.TrySend(TransportAddress.From((IPEndPoint)Bind("127.0.0.1").LocalEndPoint!), [1]));
    }

    [Fact]
    public void Errors_take_no_memory()
    {
        Assert.SkipUnless(EpollSockets.IsSupported, "The fast engine is for 64-bit Linux.");
        var counter = new Counter();
        using var sockets = new EpollSockets(counter, _clock);
        var (socket, closed) = (Open(sockets, 1, "127.0.0.1"), Closed("127.0.0.1"));
        var packet = new byte[172];
        long taken = 0;
        for (var i = 0; i < 2_000; i++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            socket.TrySend(closed, packet);
            sockets.Drain(socket);
            if (i >= 1_000) taken += GC.GetAllocatedBytesForCurrentThread() - before;
        }

        Assert.Equal(0, taken);
        Assert.NotEqual(0, counter.Errors);
    }

    [Theory]
    [InlineData("127.0.0.1", 3, 3)]
    [InlineData("::1", 1, 4)]
    public void The_portable_engine_is_told_with_the_next_packet_and_loses_none(string address, byte type, byte code)
    {
        Assert.SkipUnless(EpollSockets.IsSupported, "Other systems than 64-bit Linux do not tell.");
        using var sockets = new PolledSockets(this, _clock);
        var (socket, closed, peer) = (Open(sockets, 1, address), Closed(address), Bind(address));
        for (byte i = 0; i < 50; i++)
        {
            Assert.True(socket.TrySend(closed, [i]));
            peer.SendTo([i], socket.Local.ToIPEndPoint());
            if (i % 3 == 0) sockets.Drain(socket);
        }

        ReceiveUntil(sockets, () => _received.Count == 50);
        Assert.Equal(Enumerable.Range(0, 50).Select(i => (byte)i), _received);
        Assert.All(_errors, error => Assert.Equal((socket.Flow, new IcmpError(closed, closed.WithPort(0), type, code)), (error.Flow, error.Error)));
        Assert.Equal(_errors.Select(error => error.Quoted.Single()).Order(), _errors.Select(error => error.Quoted.Single()).Distinct());
        Assert.NotEmpty(_errors);
    }

    bool IMediaReceiver.Handle(MediaSocket socket, ReadOnlySpan<ReceivedDatagram> received, ReadOnlySpan<byte> bytes)
    {
        foreach (var datagram in received) _received.Add(bytes[datagram.Offset]);
        return _canWait;
    }

    void IMediaReceiver.HandleIcmp(MediaSocket socket, in IcmpError error, ReadOnlySpan<byte> quoted) => _errors.Add((socket.Flow, error, quoted.ToArray()));

    public void Dispose() => _sockets.ForEach(s => s.Dispose());

    private EpollSockets Fast()
    {
        Assert.SkipUnless(EpollSockets.IsSupported, "The fast engine is for 64-bit Linux.");
        return new(this, _clock);
    }

    private MediaSocket Open(IMediaSockets sockets, int flow, string address)
    {
        var at = IPAddress.Parse(address);
        var socket = new Socket(at.AddressFamily, SocketType.Dgram, ProtocolType.Udp) { Blocking = false };
        socket.Bind(new IPEndPoint(at, 0));
        var added = sockets.Add(new(flow), socket);
        _own.Add(added, socket);
        return added;
    }

    private Socket Bind(string address)
    {
        var at = IPAddress.Parse(address);
        var socket = new Socket(at.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        _sockets.Add(socket);
        socket.Bind(new IPEndPoint(at, 0));
        return socket;
    }

    // Bound a moment ago, so that hardly anybody else has it.
    private TransportAddress Closed(string address)
    {
        using var socket = Bind(address);
        return TransportAddress.From((IPEndPoint)socket.LocalEndPoint!);
    }

    private void ReceiveUntil(IMediaSockets sockets, Func<bool> isDone)
    {
        for (var began = _clock.Now; !isDone() && _clock.Now - began < Limit;) sockets.Receive(TimeSpan.FromMilliseconds(100));
        Assert.True(isDone());
    }

    // Asked of the kernel apart from the code under test.
    private bool HasErrorsLeft(MediaSocket socket) => _own[socket].Poll(0, SelectMode.SelectError);

    private sealed class Counter : IMediaReceiver
    {
        public int Errors { get; private set; }

        public bool Handle(MediaSocket socket, ReadOnlySpan<ReceivedDatagram> received, ReadOnlySpan<byte> bytes) => false;

        public void HandleIcmp(MediaSocket socket, in IcmpError error, ReadOnlySpan<byte> quoted) => Errors++;
    }
}
