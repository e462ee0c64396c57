using System.Buffers.Binary;
using SipNat.Traversal.Stun;
using SipNat.Wire;

namespace SipNat.Simulation.Turn;

/// <summary>
/// A TURN server for the simulation (RFC 8656), written from the RFC and apart from the client; only the reading and
/// writing of STUN messages is shared. It relays, expires, restarts, and errs where a test wants it to.
/// </summary>
public sealed class SimulatedTurnServer : IProtocolCore
{
    private const int MaxMessage = 2048;

    private readonly SimulatedTurnServerOptions _options;
    private readonly TurnServerUsers _users;
    private readonly List<TurnServerAllocation> _allocations = [];
    private readonly Dictionary<FlowId, TransportProtocol> _flows = [];
    private readonly List<TurnServerAnswer> _answers = [];
    private SimulatedHost _host = null!;

    private SimulatedTurnServer(SimulatedTurnServerOptions options) => (_options, _users) = (options, new(options));

    /// <summary>Whether it hears and says nothing.</summary>
    public bool IsSilent { get; set; }

    /// <summary>The server that it names to everybody who asks for an allocation (300); none for itself.</summary>
    public TransportAddress Alternate { get; set; }

    /// <summary>The error that it gives to authenticated requests of a method; 0 for none.</summary>
    public Func<StunMethod, int> Error { get; set; } = static _ => 0;

    /// <summary>Every answer, in order.</summary>
    public IReadOnlyList<TurnServerAnswer> Answers => _answers;

    public int AllocationCount => _allocations.Count;

    /// <summary>Packets that were dropped for want of an allocation, a permission or a channel.</summary>
    public int Dropped { get; private set; }

    /// <summary>Packets that left a relay socket for a peer, by channel and by indication.</summary>
    public (int ByChannel, int ByIndication) Relayed { get; private set; }

    public Outbox Outbox { get; } = new();

    public Instant? Deadline => null;

    /// <summary>Adds a server that is reached by UDP and TCP, such as at <c>198.51.100.1:3478</c>.</summary>
    public static SimulatedTurnServer AddTo(SimulatedNetwork network, string address, SimulatedTurnServerOptions? options = null)
    {
        var server = new SimulatedTurnServer(options ?? new());
        server._host = network.AddHost(address, server);
        server._host.Listen(TransportAddress.Parse(address).Port);
        return server;
    }

    /// <summary>Ends as a process does and begins anew: allocations, sockets and nonces are gone.</summary>
    public void Restart()
    {
        foreach (var allocation in _allocations) _host.Close(allocation.RelayFlow);
        _allocations.Clear();
        _users.Forget();
    }

    public void HandleFlow(Instant now, FlowId flow, FlowChange change)
    {
        if (change.Kind is FlowChangeKind.Opened) _flows[flow] = change.Transport;
    }

    public void HandleDatagram(Instant now, FlowId flow, TransportAddress from, ReadOnlySpan<byte> datagram)
    {
        Expire(now);
        if (IsSilent) return;

        if (_allocations.Find(a => a.RelayFlow == flow) is { } relay) HandlePeer(now, relay, from, datagram);
        else if (datagram.Length >= 4 && datagram[0] >> 4 == 4) HandleChannelData(now, flow, from, datagram);
        else if (StunMessage.TryRead(datagram, out var message, out _)) HandleMessage(now, flow, from, message);
    }

    public void HandleTimeout(Instant now)
    {
    }

    public bool TryTakeRequest(out FlowRequest request)
    {
        request = default;
        return false;
    }

    private void HandleMessage(Instant now, FlowId flow, TransportAddress from, StunMessage message)
    {
        if (message is { Class: StunClass.Indication, Method: StunMethod.Send }) HandleSend(now, flow, from, message);
        if (message.Class is not StunClass.Request) return;

        var code = _users.Check(now, message, out _);
        if (code == 0) code = Error(message.Method);
        if (code == 0 && message.Method is StunMethod.Allocate && !Alternate.IsNone) code = 300;
        if (code == 0)
        {
            code = message.Method switch
            {
                StunMethod.Allocate => Allocate(now, flow, from, message),
                StunMethod.Refresh => Refresh(now, flow, from, message),
                StunMethod.CreatePermission => CreatePermission(now, flow, from, message),
                StunMethod.ChannelBind => ChannelBind(now, flow, from, message),
                _ => 400,
            };
        }

        Answer(now, flow, from, message, code);
    }

    private void Answer(Instant now, FlowId flow, TransportAddress from, StunMessage request, int code)
    {
        _answers.Add(new(now, request.Method, code));
        var type = code == 0 ? StunClass.Success : StunClass.Error;
        var writer = new StunWriter(new byte[MaxMessage], type, request.Method, request.TransactionId);
        if (code == 420) StunUnknownAttributes.Write(ref writer, request);
        else if (code != 0) writer.AddErrorCode(code, "Refused");
        if (code == 300) writer.AddAddress(StunAttributeType.AlternateServer, Alternate);
        if (code == 0 && request.Method is StunMethod.Allocate)
        {
            writer.AddAddress(StunAttributeType.XorRelayedAddress, Find(flow, from)!.Relayed);
            writer.AddAddress(StunAttributeType.XorMappedAddress, from);
        }

        if (code == 0 && request.Method is StunMethod.Allocate or StunMethod.Refresh) writer.AddUInt32(StunAttributeType.Lifetime, LifetimeFor(request));
        if (code is 401 or 438) _users.Challenge(now, ref writer);
        else if (request.TryGet(StunAttributeType.Nonce, out _)) _users.Sign(ref writer);
        Outbox.Add(flow, from, writer.Written);
    }

    private uint LifetimeFor(StunMessage request) =>
        request.TryGetUInt32(StunAttributeType.Lifetime, out var wanted) && wanted == 0 ? 0 : (uint)_options.Lifetime.TotalSeconds;

    private int Allocate(Instant now, FlowId flow, TransportAddress from, StunMessage request)
    {
        // A request that is repeated because its answer was lost gets the same answer (RFC 8656 §7.2).
        if (Find(flow, from) is { } known) return known.Transaction == request.TransactionId ? 0 : 437;
        if (!request.TryGetUInt32(StunAttributeType.RequestedTransport, out var transport)) return 400;
        if (transport >> 24 != 17) return 442;
        // 2 is IPv6, which this server has no address for.
        if (request.TryGetUInt32(StunAttributeType.RequestedAddressFamily, out var family) && family >> 24 == 2) return 440;

        var relay = _host.OpenUdp(0, this);
        _allocations.Add(new(flow, from, relay, _host.LocalOf(relay)) { Expiry = now + _options.Lifetime, Transaction = request.TransactionId });
        return 0;
    }

    private int Refresh(Instant now, FlowId flow, TransportAddress from, StunMessage request)
    {
        if (Find(flow, from) is not { } allocation) return 437;

        allocation.Expiry = now + TimeSpan.FromSeconds(LifetimeFor(request));
        Expire(now);
        return 0;
    }

    private int CreatePermission(Instant now, FlowId flow, TransportAddress from, StunMessage request)
    {
        if (Find(flow, from) is not { } allocation) return 437;
        if (!request.TryGetAddress(StunAttributeType.XorPeerAddress, out var peer)) return 400;
        if (peer.Family != allocation.Relayed.Family) return 443;

        allocation.Permit(now, peer);
        return 0;
    }

    private int ChannelBind(Instant now, FlowId flow, TransportAddress from, StunMessage request)
    {
        if (Find(flow, from) is not { } allocation) return 437;
        if (!request.TryGetAddress(StunAttributeType.XorPeerAddress, out var peer)) return 400;
        if (!request.TryGetUInt32(StunAttributeType.ChannelNumber, out var number)) return 400;
        if (peer.Family != allocation.Relayed.Family) return 443;

        return allocation.TryBind(now, (ushort)(number >> 16), peer) ? 0 : 400;
    }

    private void HandleSend(Instant now, FlowId flow, TransportAddress from, StunMessage indication)
    {
        if (Find(flow, from) is not { } allocation
            || !indication.TryGetAddress(StunAttributeType.XorPeerAddress, out var peer)
            || !indication.TryGet(StunAttributeType.Data, out var data)
            || !allocation.IsPermitted(now, peer))
        {
            Dropped++;
            return;
        }

        Relayed = Relayed with { ByIndication = Relayed.ByIndication + 1 };
        Outbox.Add(allocation.RelayFlow, peer, data);
    }

    private void HandleChannelData(Instant now, FlowId flow, TransportAddress from, ReadOnlySpan<byte> message)
    {
        var number = BinaryPrimitives.ReadUInt16BigEndian(message);
        var length = BinaryPrimitives.ReadUInt16BigEndian(message[2..]);
        if (Find(flow, from) is not { } allocation
            || allocation.PeerOf(now, number) is not { } peer
            || !allocation.IsPermitted(now, peer)
            || message.Length < 4 + length)
        {
            Dropped++;
            return;
        }

        Relayed = Relayed with { ByChannel = Relayed.ByChannel + 1 };
        Outbox.Add(allocation.RelayFlow, peer, message.Slice(4, length));
    }

    private void HandlePeer(Instant now, TurnServerAllocation allocation, TransportAddress peer, ReadOnlySpan<byte> datagram)
    {
        if (!allocation.IsPermitted(now, peer))
        {
            Dropped++;
            return;
        }

        if (allocation.ChannelOf(now, peer) is { } number)
        {
            // Over a connection, messages begin at multiples of four (RFC 8656 §12.5).
            var padding = _flows[allocation.ClientFlow].IsReliable ? -datagram.Length & 3 : 0;
            byte[] message = [(byte)(number >> 8), (byte)number, (byte)(datagram.Length >> 8), (byte)datagram.Length, .. datagram, .. new byte[padding]];
            Outbox.Add(allocation.ClientFlow, allocation.Client, message);
            return;
        }

        var writer = new StunWriter(new byte[MaxMessage], StunClass.Indication, StunMethod.Data, new(7, (ulong)now.Ticks));
        writer.AddAddress(StunAttributeType.XorPeerAddress, peer);
        writer.Add(StunAttributeType.Data, datagram);
        Outbox.Add(allocation.ClientFlow, allocation.Client, writer.Written);
    }

    private TurnServerAllocation? Find(FlowId flow, TransportAddress client) =>
        _allocations.Find(allocation => allocation.ClientFlow == flow && allocation.Client == client);

    private void Expire(Instant now)
    {
        foreach (var allocation in _allocations.FindAll(allocation => allocation.Expiry <= now))
        {
            _allocations.Remove(allocation);
            _host.Close(allocation.RelayFlow);
        }
    }
}

/// <summary>One answer of the server; the code is 0 for success.</summary>
public readonly record struct TurnServerAnswer(Instant At, StunMethod Method, int Code);
