using SipNat.Wire;

namespace SipNat.Simulation.Ice;

/// <summary>
/// Lends addresses as a TURN server does, in words of its own: a client asks for one, and afterwards wraps what it sends
/// with the peer's IPv4 address and gets what comes in the same way. Every client has a port of the relay's address.
/// </summary>
public sealed class SimulatedRelay : IProtocolCore
{
    private const byte AllocateWord = 0xC0;
    private const byte AllocatedWord = 0xC1;
    private const byte DataWord = 0xC2;
    private const int AddressLength = 6;
    private const int ServerPort = 3478;

    private readonly Dictionary<TransportAddress, FlowId> _byClient = [];
    private readonly Dictionary<FlowId, TransportAddress> _byFlow = [];
    private readonly Dictionary<FlowId, TransportAddress> _locals = [];
    private readonly Queue<FlowId> _free = new();
    private FlowId _server;

    public Outbox Outbox { get; } = new();

    public Instant? Deadline => null;

    /// <summary>Adds a relay with an address and so many ports to lend.</summary>
    public static TransportAddress AddTo(SimulatedNetwork network, string address, int ports)
    {
        var relay = new SimulatedRelay();
        var host = network.AddHost(address, relay);
        host.OpenUdp(ServerPort);
        for (var i = 0; i < ports; i++) host.OpenUdp(50_000 + i);
        return TransportAddress.Parse(address, ServerPort);
    }

    public static byte[] Allocate() => [AllocateWord];

    public static byte[] Wrap(TransportAddress peer, ReadOnlySpan<byte> payload) => [DataWord, .. Octets(peer), .. payload];

    public static bool TryUnwrap(ReadOnlySpan<byte> datagram, out TransportAddress peer, out ReadOnlySpan<byte> payload)
    {
        peer = default;
        payload = default;
        if (datagram.Length < 1 + AddressLength || datagram[0] != DataWord) return false;

        peer = Read(datagram[1..]);
        payload = datagram[(1 + AddressLength)..];
        return true;
    }

    public static bool TryReadAllocated(ReadOnlySpan<byte> datagram, out TransportAddress relayed, out TransportAddress mapped)
    {
        (relayed, mapped) = (default, default);
        if (datagram.Length != 1 + (2 * AddressLength) || datagram[0] != AllocatedWord) return false;

        (relayed, mapped) = (Read(datagram[1..]), Read(datagram[(1 + AddressLength)..]));
        return true;
    }

    public void HandleFlow(Instant now, FlowId flow, FlowChange change)
    {
        _locals[flow] = change.Local;
        if (change.Local.Port == ServerPort) _server = flow;
        else _free.Enqueue(flow);
    }

    public void HandleDatagram(Instant now, FlowId flow, TransportAddress from, ReadOnlySpan<byte> datagram)
    {
        if (flow != _server)
        {
            if (_byFlow.TryGetValue(flow, out var client)) Outbox.Add(_server, client, Wrap(from, datagram));
        }
        else if (datagram is [AllocateWord])
        {
            if (TryLend(from) is { } lent) Outbox.Add(_server, from, [AllocatedWord, .. Octets(lent), .. Octets(from)]);
        }
        else if (_byClient.TryGetValue(from, out var own) && TryUnwrap(datagram, out var peer, out var payload))
        {
            Outbox.Add(own, peer, payload);
        }
    }

    public void HandleTimeout(Instant now)
    {
    }

    public bool TryTakeRequest(out FlowRequest request)
    {
        request = default;
        return false;
    }

    // The same address to the same client; null where all are lent.
    private TransportAddress? TryLend(TransportAddress client)
    {
        if (_byClient.TryGetValue(client, out var known)) return _locals[known];
        if (!_free.TryDequeue(out var flow)) return null;

        (_byClient[client], _byFlow[flow]) = (flow, client);
        return _locals[flow];
    }

    private static byte[] Octets(TransportAddress address)
    {
        var bytes = new byte[AddressLength];
        address.WriteOctets(bytes);
        (bytes[4], bytes[5]) = ((byte)(address.Port >> 8), (byte)address.Port);
        return bytes;
    }

    private static TransportAddress Read(ReadOnlySpan<byte> bytes) => new(bytes[..4], (bytes[4] << 8) | bytes[5]);
}
