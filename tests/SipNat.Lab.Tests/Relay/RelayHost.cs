using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using SipNat.Server.Hosting;
using SipNat.Server.MediaEngine;
using SipNat.Server.Transport;
using SipNat.Traversal.Turn;
using SipNat.Wire;

namespace SipNat.Lab.Tests.Relay;

/// <summary>
/// Allocations on real sockets, driven as a media thread drives them: one loop that polls UDP sockets and the
/// connections, and lets nothing wait.
/// </summary>
internal sealed class RelayHost(TlsTrust trust) : IAsyncDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(2);

    private readonly ServerClock _clock = new(TimeProvider.System);
    private readonly FlowIds _flows = new();
    private readonly TurnConnections _connections = new(trust, TimeSpan.FromSeconds(5), NullLogger<TurnConnections>.Instance);
    private readonly Dictionary<FlowId, Socket> _sockets = [];
    private readonly List<(TurnAllocation Allocation, TurnServerOptions Options, string? TlsName)> _allocations = [];
    private readonly byte[] _buffer = new byte[65_536];
    private TurnRace _race = new([]);

    public RelayHost()
        : this(TlsTrust.System)
    {
    }

    /// <summary>The allocation that relays.</summary>
    public TurnAllocation Winner => _race.Winner ?? throw new InvalidOperationException(string.Join('\n', Events));

    public Instant Now => _clock.Now;

    /// <summary>Every event, as text.</summary>
    public List<string> Events { get; } = [];

    /// <summary>Every relayed packet as "peer text".</summary>
    public List<string> Received { get; } = [];

    /// <summary>Why connections ended.</summary>
    public List<TurnConnectionEnd> Ends { get; } = [];

    /// <summary>Adds a server; all that were added are asked at once by <see cref="Start"/>.</summary>
    public TurnAllocation Add(TurnServerOptions options, string? tlsName = null)
    {
        options = options with { TlsName = tlsName };
        var allocation = new TurnAllocation(Open(options.Transport, options.Server, tlsName), options, new SecureRandom());
        _allocations.Add((allocation, options, tlsName));
        return allocation;
    }

    /// <summary>Adds an allocation by the very socket of another one, which is forgotten.</summary>
    public TurnAllocation Replace(TurnAllocation forgotten)
    {
        var place = _allocations.FindIndex(entry => entry.Allocation == forgotten);
        var (_, options, tlsName) = _allocations[place];
        var allocation = new TurnAllocation(forgotten.Flow, options, new SecureRandom());
        _allocations[place] = (allocation, options, tlsName);
        return allocation;
    }

    public void Start()
    {
        _race = new([.. _allocations.Select(static entry => entry.Allocation)]);
        _race.Start(Now);
    }

    /// <summary>Starts and waits for a relay.</summary>
    public async Task AllocateAsync()
    {
        Start();
        await RunAsync(() => _race.Winner is { State: TurnAllocationState.Allocated }, "a relay");
    }

    /// <summary>Lets a peer in, with or without a channel, and waits for the server's word.</summary>
    public async Task PermitAsync(TransportAddress peer, bool withChannel = false)
    {
        var before = Events.Count;
        Assert.True(withChannel ? Winner.Bind(Now, peer) : Winner.Permit(Now, peer));
        var word = withChannel ? "Channel" : "relays for";
        await RunAsync(() => Events.Skip(before).Any(text => text.Contains(word, StringComparison.Ordinal)), word);
    }

    /// <summary>Sends the echo a packet by the relay, again and again, until it is back.</summary>
    public async Task EchoAsync(TransportAddress peer, string text, double seconds = 5)
    {
        var sentAt = new Instant(0);
        await RunAsync(
            () =>
            {
                if (Received.Contains($"{peer} {text}")) return true;

                if (Now - sentAt < TimeSpan.FromMilliseconds(100)) return false;

                sentAt = Now;
                _race.Winner?.TrySend(Now, peer, Encoding.ASCII.GetBytes(text));
                return false;
            },
            text,
            seconds);
    }

    /// <summary>Whether another allocation relays.</summary>
    public bool HasOtherWinner(TurnAllocation than) => _race.Winner is { State: TurnAllocationState.Allocated } winner && winner != than;

    public Task RunForAsync(double seconds)
    {
        var end = Now + TimeSpan.FromSeconds(seconds);
        return RunAsync(() => Now >= end, "the time", seconds + 5);
    }

    /// <summary>Runs until something is so; a failure tells the events.</summary>
    public async Task RunAsync(Func<bool> isDone, string what, double seconds = 5)
    {
        var limit = Now + TimeSpan.FromSeconds(seconds);
        while (true)
        {
            Poll();
            var done = isDone();
            Drain();
            if (done) return;
            if (Now > limit) Assert.Fail($"Not within {seconds} s: {what}\n{string.Join('\n', Events)}\nConnections: {string.Join(' ', Ends)}");

            await Task.Delay(Pause, TestContext.Current.CancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _connections.DisposeAsync();
        foreach (var socket in _sockets.Values) socket.Dispose();
    }

    private FlowId Open(TransportProtocol transport, TransportAddress server, string? tlsName)
    {
        var flow = _flows.Next();
        if (transport.IsReliable)
        {
            Assert.True(_connections.Open(flow, transport, default, server, tlsName));
            return flow;
        }

        var socket = new Socket(server.Family, SocketType.Dgram, ProtocolType.Udp) { Blocking = false };
        socket.Bind(new IPEndPoint(server.IsIPv4 ? IPAddress.Loopback : IPAddress.IPv6Loopback, 0));
        _sockets.Add(flow, socket);
        return flow;
    }

    private void Poll()
    {
        foreach (var (flow, socket) in _sockets)
        {
            while (socket.Poll(0, SelectMode.SelectRead) && TryReceive(socket, out var length, out var from)) Handle(flow, from, _buffer.AsSpan(0, length));
        }

        while (_connections.TryTake(out var happened))
        {
            if (happened.Kind is TurnConnectionEventKind.Received) Handle(happened.Flow, default, happened.Message);
            else _race.HandleFlow(Now, happened.Flow, happened.Change);
            if (happened.Kind is TurnConnectionEventKind.Closed) HandleClosed(happened);
            _connections.Release(happened);
            Drain();
        }

        if (_race.Deadline <= Now) _race.HandleTimeout(Now);
        Drain();
    }

    // Another connection takes the place of one that ended, unless the server cannot be trusted.
    private void HandleClosed(in TurnConnectionEvent closed)
    {
        Ends.Add(closed.End);
        if (closed.End is TurnConnectionEnd.CertificateRefused) return;

        foreach (var (allocation, options, tlsName) in _allocations)
        {
            if (allocation is { State: TurnAllocationState.Closed } && allocation.Flow == closed.Flow) allocation.Continue(Now, Open(options.Transport, options.Server, tlsName));
        }
    }

    private bool TryReceive(Socket socket, out int length, out TransportAddress from)
    {
        (length, from) = (0, default);
        EndPoint source = new IPEndPoint(socket.AddressFamily is AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0);
        try
        {
            length = socket.ReceiveFrom(_buffer, ref source);
            from = TransportAddress.From((IPEndPoint)source);
            return true;
        }
        catch (SocketException)
        {
            // The server is gone: the kernel tells on the next receive.
            return false;
        }
    }

    private void Handle(FlowId flow, TransportAddress from, ReadOnlySpan<byte> message)
    {
        if (_race.TryHandle(Now, flow, from, message, out var packet) is TurnInput.Packet) Received.Add($"{packet.Peer} {Encoding.ASCII.GetString(packet.Payload)}");
        Drain();
    }

    private void Drain()
    {
        foreach (var (allocation, options, tlsName) in _allocations)
        {
            // The server that is named has to show the certificate of the one that named it, unless that one gave another name.
            if (allocation.State is TurnAllocationState.Redirected) allocation.Continue(Now, Open(options.Transport, allocation.Server, allocation.TlsName));
            _race.Outbox.TakeAllFrom(allocation.Outbox);
        }

        while (_race.Outbox.TryTake(out var transmit))
        {
            if (!_sockets.TryGetValue(transmit.Flow, out var socket)) _connections.TrySend(transmit.Flow, transmit.Payload);
            else Send(socket, transmit);
            _race.Outbox.Release(transmit);
        }

        while (_race.TryTake(out var happened)) Events.Add(happened.Explain());
    }

    private static void Send(Socket socket, in Transmit transmit)
    {
        try
        {
            socket.SendTo(transmit.Payload, transmit.Destination.ToIPEndPoint());
        }
        catch (SocketException)
        {
            // An earlier packet met a closed port.
            return;
        }
    }
}
