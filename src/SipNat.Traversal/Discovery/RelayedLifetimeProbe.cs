using System.Buffers.Binary;
using SipNat.Traversal.Stun;
using SipNat.Traversal.Turn;
using SipNat.Wire;

namespace SipNat.Traversal.Discovery;

/// <summary>
/// Measures how long a NAT keeps a silent UDP mapping where no STUN server knows RESPONSE-PORT, with a TURN relay in its
/// place: the silent sockets open towards the relayed address, and what is sent from there to their external ports
/// leaves by the relay.
/// </summary>
/// <remarks>
/// The shell opens <see cref="SocketCount"/> UDP sockets on one local address, of which the first reaches the TURN
/// server; the measurement begins with the last of them.
/// </remarks>
public sealed class RelayedLifetimeProbe : IProtocolCore
{
    // The relay's own mapping has to outlive the shortest of lifetimes, else the server no longer knows us.
    private static readonly TimeSpan Keepalive = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan AllocationLimit = TimeSpan.FromSeconds(15);
    private const int LongestAnswer = StunMessage.HeaderLength + 24;

    private readonly TurnServerOptions _server;
    private readonly MappingLifetimeOptions? _options;
    private readonly Random _random;
    private readonly List<(FlowId Flow, TransportAddress Local)> _sockets = [];
    private TurnAllocation? _allocation;
    private MappingLifetimeProbe? _probe;
    private TransportAddress _mapped;
    private Instant _limit;

    /// <param name="server">Reached over UDP.</param>
    /// <param name="random">Transaction ids come from it.</param>
    /// <param name="options">The silences; the server in it is replaced by the relay. The default where null.</param>
    public RelayedLifetimeProbe(TurnServerOptions server, Random random, MappingLifetimeOptions? options = null)
    {
        if (server.Transport.IsReliable) throw new ArgumentException("The relay is reached over UDP.", nameof(server));

        (_server, _random, _options) = (server with { KeepaliveBound = Keepalive }, random, options);
        SocketCount = 1 + (2 * (options ?? new() { Server = server.Server }).Silences.Count);
    }

    /// <summary>How many UDP sockets have to be opened for it.</summary>
    public int SocketCount { get; }

    /// <summary>What was found; null while it is being measured. Inconclusive where no relay was lent.</summary>
    public MappingLifetimes? Result { get; private set; }

    /// <summary>Sockets that are done, and all of them; for people who wait.</summary>
    public (int Done, int Known) Progress => _probe?.Progress ?? (0, SocketCount);

    public Outbox Outbox { get; } = new();

    public Instant? Deadline =>
        Result is not null || _allocation is null ? null
        : Instant.Earlier(_allocation.Deadline, _probe is null ? _limit : _probe.Deadline);

    public void HandleFlow(Instant now, FlowId flow, FlowChange change)
    {
        if (change.Kind is not FlowChangeKind.Opened || _sockets.Count == SocketCount) return;

        _sockets.Add((flow, change.Local));
        if (_sockets.Count < SocketCount) return;

        _limit = now + AllocationLimit;
        _allocation = new(_sockets[0].Flow, _server, _random);
        _allocation.Start(now);
        Settle(now);
    }

    public void HandleDatagram(Instant now, FlowId flow, TransportAddress from, ReadOnlySpan<byte> datagram)
    {
        if (Result is not null || _allocation is null) return;

        if (flow != _allocation.Flow) _probe?.HandleDatagram(now, flow, from, datagram);
        else if (_allocation.TryHandle(now, flow, from, datagram, out var packet) is TurnInput.Packet) Answer(now, packet);
        Settle(now);
    }

    public void HandleTimeout(Instant now)
    {
        if (Result is not null || _allocation is null) return;

        _allocation.HandleTimeout(now);
        _probe?.HandleTimeout(now);
        if (_probe is null && _limit <= now) Result = MappingLifetimes.Inconclusive;
        Settle(now);
    }

    public bool TryTakeRequest(out FlowRequest request)
    {
        request = default;
        return false;
    }

    // The relay does for the silent sockets what a STUN server would: it says where their requests came from.
    private void Answer(Instant now, TurnPacket packet)
    {
        if (!StunMessage.TryRead(packet.Payload, out var request, out _) || request is not { Class: StunClass.Request, Method: StunMethod.Binding }) return;

        Send(now, packet.Peer, request.TransactionId);
    }

    private void Send(Instant now, TransportAddress peer, StunTransactionId id)
    {
        Span<byte> buffer = stackalloc byte[LongestAnswer];
        var writer = new StunWriter(buffer, StunClass.Success, StunMethod.Binding, id);
        writer.AddAddress(StunAttributeType.XorMappedAddress, peer);
        _allocation!.TrySend(now, peer, writer.Written);
    }

    private void Settle(Instant now)
    {
        while (_allocation!.TryTake(out var happened)) Handle(now, happened);

        if (_probe is not null) Relay(now, _probe);
        if (Result is not null) _allocation.Release(now);
        Outbox.TakeAllFrom(_allocation.Outbox);
    }

    private void Handle(Instant now, TurnEvent happened)
    {
        switch (happened)
        {
            case TurnEvent.Allocated allocated when _mapped.IsNone:
                _mapped = allocated.Mapped;
                if (!_allocation!.Permit(now, _mapped)) Result = MappingLifetimes.Inconclusive;
                break;
            case TurnEvent.PeerPermitted when _probe is null && _allocation!.Relayed is { } relayed:
                _probe = new((_options ?? new() { Server = relayed }) with { Server = relayed }, _random);
                foreach (var (flow, local) in _sockets) _probe.HandleFlow(now, flow, new(FlowChangeKind.Opened, TransportProtocol.Udp, local, default));
                _probe.HandleTimeout(now);
                break;
            case TurnEvent.Failed or TurnEvent.Lost or TurnEvent.Redirected or TurnEvent.PeerRefused:
                Result ??= MappingLifetimes.Inconclusive;
                break;
        }
    }

    // What the probe would ask a server to send (RESPONSE-PORT), the relay sends by itself.
    private void Relay(Instant now, MappingLifetimeProbe probe)
    {
        while (probe.Outbox.TryTake(out var transmit))
        {
            if (transmit.Flow != _allocation!.Flow) Outbox.Add(transmit.Flow, transmit.Destination, transmit.Payload);
            else if (StunMessage.TryRead(transmit.Payload, out var asked, out _) && asked.TryGet(StunAttributeType.ResponsePort, out var port))
            {
                Send(now, _mapped.WithPort(BinaryPrimitives.ReadUInt16BigEndian(port)), asked.TransactionId);
            }

            probe.Outbox.Release(transmit);
        }

        Result ??= probe.Result;
    }
}
