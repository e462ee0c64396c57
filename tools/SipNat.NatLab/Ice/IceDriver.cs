using System.Buffers.Binary;
using SipNat.Traversal.Ice;
using SipNat.Traversal.Stun;
using SipNat.Traversal.Turn;
using SipNat.Wire;

namespace SipNat.NatLab.Ice;

/// <summary>
/// One ICE agent on one socket, with a STUN server, a TURN server, and media: a packet each 20 ms as soon as there is a
/// path. Silence and a changed mapping begin it anew, as a session does it.
/// </summary>
internal sealed class IceDriver
{
    public static readonly FlowId Socket = new(1);

    // What it waits for servers before it tells its candidates.
    private static readonly TimeSpan Gathering = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan MediaInterval = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan Silence = TimeSpan.FromMilliseconds(500);
    private static readonly FlowId Relay = new(-1);

    private readonly IceDriverOptions _options;
    private readonly IceExchange _exchange;
    private readonly IceReport _report;
    private readonly IceAgent _agent;
    private readonly StunBindingClient _stun;
    private readonly TurnAllocation? _turn;
    private readonly Queue<(TransportAddress Peer, byte[] Packet)> _held = new();
    private readonly Instant _start;
    private TransportAddress _mapped;
    private Instant? _nextMedia;
    private Instant? _heard;
    private Instant? _end;
    private ushort _sequence;
    private int _generation = 1;
    private bool _isTold;
    private bool _isAnswered;

    public IceDriver(Instant now, TransportAddress local, IceDriverOptions options, IceReport report)
    {
        (_options, _report, _start) = (options, report, now);
        var random = new Random();
        _exchange = new(options.Folder, options.Role);
        _agent = new(options.Agent, options.Role, random);
        _agent.AddHost(now, Socket, 1, local);
        _stun = new(Socket, local, new() { Servers = options.StunServer.IsNone ? [] : [options.StunServer] }, random);
        _stun.Start(now);
        if (options.TurnServer.IsNone) return;

        _turn = new(Socket, new() { Server = options.TurnServer, Credentials = options.Credentials }, random);
        _turn.Start(now);
    }

    public Outbox Outbox { get; } = new();

    /// <summary>Whether it has done all that it was asked to.</summary>
    public bool HasEnded { get; private set; }

    public Instant? Deadline => Instant.Earlier(Instant.Earlier(_agent.Deadline, _stun.Deadline), Instant.Earlier(_turn?.Deadline, Instant.Earlier(_nextMedia, _end)));

    public void HandleDatagram(Instant now, TransportAddress from, ReadOnlySpan<byte> datagram)
    {
        if (_stun.TryHandle(now, from, datagram)) return;

        var packet = default(TurnPacket);
        switch (_turn?.TryHandle(now, Socket, from, datagram, out packet) ?? TurnInput.NotMine)
        {
            case TurnInput.Packet:
                Receive(now, Relay, packet.Peer, packet.Payload);
                break;
            case TurnInput.NotMine:
                Receive(now, Socket, from, datagram);
                break;
        }
    }

    /// <summary>Does what is due, and looks for descriptions.</summary>
    public void HandleTimeout(Instant now)
    {
        _stun.HandleTimeout(now, Outbox);
        _turn?.HandleTimeout(now);
        // What servers have answered belongs into the description.
        Drain(now);
        Exchange(now);
        if (_heard is { } heard && now - heard >= Silence) HandleSilence(now);
        _agent.HandleTimeout(now);
        SendMedia(now);
        Drain(now);
        if (_end <= now) HasEnded = true;
    }

    private void Exchange(Instant now)
    {
        if (!_isTold && (IsGathered || now - _start >= Gathering)) Tell(now);
        if (!_isTold) return;

        if (!_isAnswered && _exchange.Read(_generation) is { } answer)
        {
            _isAnswered = true;
            _report.Begin(now);
            _agent.SetRemote(now, answer);
        }

        if (!_isAnswered || _exchange.Read(_generation + 1) is not { } restart) return;

        // Other credentials restart the agent, whose own are then to be told.
        _generation++;
        _report.Begin(now);
        _agent.SetRemote(now, restart);
        _exchange.Tell(_generation, _agent.Describe());
    }

    private bool IsGathered => (!_stun.HasServers || _stun.Mapped is not null) && _turn is not { State: TurnAllocationState.Allocating };

    private void Tell(Instant now)
    {
        _isTold = true;
        _exchange.Tell(_generation, _agent.Describe());
        _report.Gathered(now - _start);
    }

    private void Restart(Instant now)
    {
        if (!_isTold || !_isAnswered) return;

        _agent.Restart();
        (_generation, _isAnswered, _heard) = (_generation + 1, false, null);
        _exchange.Tell(_generation, _agent.Describe());
        _report.Restarted(now);
    }

    private void Receive(Instant now, FlowId flow, TransportAddress from, ReadOnlySpan<byte> datagram)
    {
        if (_agent.TryHandle(now, flow, from, datagram) || StunMessage.LooksLikeStun(datagram) || !_agent.Accepts(flow, from)) return;

        _heard = now;
        _report.Received(now);
    }

    // Media that flowed have stopped: is the path dead, and are we seen as before?
    private void HandleSilence(Instant now)
    {
        _heard = null;
        _agent.HandleSilence(now, 1);
        _stun.Refresh(now);
    }

    private void SendMedia(Instant now)
    {
        if (!_options.SendsMedia || _agent.PathOf(1) is not { } path)
        {
            _nextMedia = null;
            return;
        }

        if (_nextMedia > now) return;

        Span<byte> packet = stackalloc byte[172];
        packet.Clear();
        packet[0] = 0x80;
        BinaryPrimitives.WriteUInt16BigEndian(packet[2..], _sequence++);
        Send(now, path.Flow, path.Remote, packet);
        _report.Sent();
        _nextMedia = _nextMedia + MediaInterval > now ? _nextMedia + MediaInterval : now + MediaInterval;
    }

    private void Send(Instant now, FlowId flow, TransportAddress to, ReadOnlySpan<byte> packet)
    {
        if (flow == Socket) Outbox.Add(Socket, to, packet);
        else if (!_turn!.TrySend(now, to, packet) && _turn.Permit(now, to)) _held.Enqueue((to, packet.ToArray()));
    }

    private void Drain(Instant now)
    {
        while (_stun.TryTake(out var happened)) Handle(now, happened);
        while (_turn is not null && _turn.TryTake(out var happened)) Handle(now, happened);
        while (_agent.TryTake(out var happened)) Handle(now, happened);
        while (_agent.Outbox.TryTake(out var transmit))
        {
            Send(now, transmit.Flow, transmit.Destination, transmit.Payload);
            _agent.Outbox.Release(transmit);
        }

        if (_turn is not null) Outbox.TakeAllFrom(_turn.Outbox);
    }

    private void Handle(Instant now, StunBindingEvent happened)
    {
        var (mapped, server) = happened switch
        {
            StunBindingEvent.MappingLearned learned => (learned.Mapped, learned.Server),
            StunBindingEvent.MappingChanged changed => (changed.Mapped, changed.Server),
            _ => default,
        };
        if (mapped.IsNone || mapped == _mapped) return;

        var isOther = !_mapped.IsNone;
        _mapped = mapped;
        _agent.SetServerReflexive(Socket, mapped, server);
        if (isOther) Restart(now);
    }

    private void Handle(Instant now, TurnEvent happened)
    {
        switch (happened)
        {
            case TurnEvent.Allocated(var server, var relayed, var mapped, _, _):
                _agent.AddRelayed(now, Relay, 1, relayed, mapped, server);
                break;
            case TurnEvent.Lost:
                _agent.RemoveRelayed(Relay);
                break;
            case TurnEvent.PeerPermitted(var peer, _):
                for (var waiting = _held.Count; waiting > 0; waiting--)
                {
                    var (to, packet) = _held.Dequeue();
                    if (to.HasSameAddress(peer)) _turn!.TrySend(now, to, packet);
                    else _held.Enqueue((to, packet));
                }

                break;
        }
    }

    private void Handle(Instant now, IceEvent happened)
    {
        switch (happened)
        {
            case IceEvent.PathChanged changed:
                if (changed.Path.Flow == Relay) _turn!.Bind(now, changed.Path.Remote);
                _report.Path(now, changed.Path);
                break;
            case IceEvent.Connected:
                _report.Connected(now, _agent.PathOf(1)!);
                _end ??= now + _options.Duration;
                break;
            case IceEvent.PermissionWanted wanted:
                _turn!.Permit(now, wanted.Peer);
                break;
            case IceEvent.ConsentLost:
                _report.Lost(now);
                Restart(now);
                break;
            case IceEvent.Failed:
                _report.Failed(now);
                HasEnded = true;
                break;
        }
    }
}
