using System.Buffers.Binary;
using System.Text;
using SipNat.Wire;

namespace SipNat.Simulation;

/// <summary>
/// Answers STUN Binding requests (RFC 8489) with bytes of its own making, and, where its host has the alternate address,
/// CHANGE-REQUEST too (RFC 5780 §7.2). It shares no code with the client that it tests.
/// </summary>
public sealed class SimulatedStunServer : IProtocolCore
{
    private const uint MagicCookie = 0x2112_A442;
    private const int HeaderLength = 20;
    private const int ChangeIpFlag = 0x4;
    private const int ChangePortFlag = 0x2;
    private const int ChangeRequest = 0x0003;
    private const int ResponsePort = 0x0027;
    private const int Padding = 0x0026;
    private const int PaddingLength = 1500;

    // Delayed answers, oldest first: the delay is the same for all.
    private readonly Queue<(Instant Due, FlowId Flow, TransportAddress To, byte[] Bytes)> _delayed = new();
    private readonly Dictionary<TransportAddress, FlowId> _flows = [];
    private readonly Dictionary<FlowId, TransportAddress> _locals = [];
    private readonly List<TransportAddress> _sources = [];

    /// <summary>Whether it keeps silent; requests are counted all the same.</summary>
    public bool IsSilent { get; set; }

    /// <summary>Whether XOR-MAPPED-ADDRESS is left out, as servers of RFC 3489 do.</summary>
    public bool OmitsXorMappedAddress { get; set; }

    /// <summary>What it does where another address or port is asked for.</summary>
    public ChangeRequestHandling ChangeRequests { get; set; }

    /// <summary>Whether RESPONSE-PORT (RFC 5780 §7.5) is passed over, as servers do that do not know it.</summary>
    public bool IgnoresResponsePort { get; set; }

    /// <summary>Whether PADDING (RFC 5780 §7.6) is passed over; else the answer is padded by a packet's length.</summary>
    public bool IgnoresPadding { get; set; }

    /// <summary>What OTHER-ADDRESS tells in place of the truth; none: the truth.</summary>
    public TransportAddress AnnouncedAlternate { get; set; }

    /// <summary>What MAPPED-ADDRESS tells in place of the truth, as after a gateway on the way; none: the truth.</summary>
    public TransportAddress AnnouncedMapped { get; set; }

    /// <summary>How long it thinks before it answers.</summary>
    public TimeSpan ResponseDelay { get; set; }

    /// <summary>The address and port that OTHER-ADDRESS tells; none where the server has one address only.</summary>
    public TransportAddress Alternate { get; private set; }

    /// <summary>Binding requests that arrived.</summary>
    public int RequestCount { get; private set; }

    /// <summary>Where the requests came from, in order.</summary>
    public IReadOnlyList<TransportAddress> Sources => _sources;

    public Outbox Outbox { get; } = new();

    public Instant? Deadline => _delayed.TryPeek(out var next) ? next.Due : null;

    /// <summary>Adds a server with one address, such as <c>198.51.100.1:3478</c>.</summary>
    public static SimulatedStunServer AddTo(SimulatedNetwork network, string address)
    {
        var server = new SimulatedStunServer();
        network.AddHost(address, server);
        return server;
    }

    /// <summary>Adds a server with two addresses and two ports, as RFC 5780 §7 wants it for behaviour discovery.</summary>
    public static SimulatedStunServer AddTo(SimulatedNetwork network, string primary, string alternate)
    {
        var server = new SimulatedStunServer { Alternate = TransportAddress.Parse(alternate) };
        var first = TransportAddress.Parse(primary);
        var host = network.AddHost(primary, server);
        host.OpenUdp(server.Alternate.Port);
        host.AddAddress(server.Alternate.AddressText);
        host.OpenUdp(first.Port, server, server.Alternate);
        host.OpenUdp(server.Alternate.Port, server, server.Alternate);
        return server;
    }

    public void HandleFlow(Instant now, FlowId flow, FlowChange change)
    {
        if (change.Kind is not FlowChangeKind.Opened) return;

        _flows[change.Local] = flow;
        _locals[flow] = change.Local;
    }

    public void HandleDatagram(Instant now, FlowId flow, TransportAddress from, ReadOnlySpan<byte> datagram)
    {
        if (!IsBindingRequest(datagram)) return;

        RequestCount++;
        _sources.Add(from);
        if (ChangeRequests is ChangeRequestHandling.Dropped && ChangeFlags(datagram) != 0) return;
        if (IsSilent || !_flows.TryGetValue(Origin(_locals[flow], datagram), out var answering)) return;

        var response = Respond(datagram, from, _locals[answering], _locals[flow]);
        var to = !IgnoresResponsePort && Attribute(datagram, ResponsePort) is [var high, var low, ..] ? from.WithPort((high << 8) | low) : from;
        if (ResponseDelay == TimeSpan.Zero) Outbox.Add(answering, to, response);
        else _delayed.Enqueue((now + ResponseDelay, answering, to, response));
    }

    public void HandleTimeout(Instant now)
    {
        while (_delayed.TryPeek(out var next) && next.Due <= now)
        {
            Outbox.Add(next.Flow, next.To, next.Bytes);
            _delayed.Dequeue();
        }
    }

    public bool TryTakeRequest(out FlowRequest request)
    {
        request = default;
        return false;
    }

    private static bool IsBindingRequest(ReadOnlySpan<byte> bytes) =>
        bytes.Length >= HeaderLength
        && BinaryPrimitives.ReadUInt16BigEndian(bytes) == 0x0001
        && BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]) == bytes.Length - HeaderLength
        && BinaryPrimitives.ReadUInt32BigEndian(bytes[4..]) == MagicCookie;

    // The socket that answers: another one where CHANGE-REQUEST (0x0003) asks for it and the server has it.
    private TransportAddress Origin(TransportAddress asked, ReadOnlySpan<byte> request)
    {
        var flags = ChangeFlags(request);
        if (flags == 0 || Alternate.IsNone || ChangeRequests is ChangeRequestHandling.Ignored) return asked;

        var origin = asked;
        foreach (var local in _flows.Keys)
        {
            var isOtherAddress = !local.HasSameAddress(asked);
            var isOtherPort = local.Port != asked.Port;
            if (isOtherAddress == ((flags & ChangeIpFlag) != 0) && isOtherPort == ((flags & ChangePortFlag) != 0)) origin = local;
        }

        return origin;
    }

    private static int ChangeFlags(ReadOnlySpan<byte> request) => Attribute(request, ChangeRequest) is [_, _, _, var flags] ? flags : 0;

    // The value of an attribute; empty where there is none.
    private static ReadOnlySpan<byte> Attribute(ReadOnlySpan<byte> request, int type)
    {
        for (var rest = request[HeaderLength..]; rest.Length >= 4;)
        {
            var length = BinaryPrimitives.ReadUInt16BigEndian(rest[2..]);
            if (rest.Length < 4 + length) return [];
            if (BinaryPrimitives.ReadUInt16BigEndian(rest) == type) return rest.Slice(4, length);

            rest = rest[Math.Min(rest.Length, 4 + ((length + 3) & ~3))..];
        }

        return [];
    }

    private byte[] Respond(ReadOnlySpan<byte> request, TransportAddress mapped, TransportAddress origin, TransportAddress asked)
    {
        var response = new List<byte>();
        response.AddRange([0x01, 0x01, 0, 0]);
        response.AddRange(request[4..HeaderLength]);
        AddAddress(response, 0x0001, AnnouncedMapped.IsNone ? mapped : AnnouncedMapped, mask: default);
        if (!OmitsXorMappedAddress) AddAddress(response, 0x0020, mapped, request[4..HeaderLength]);
        AddAddress(response, 0x802B, origin, mask: default);
        var other = !AnnouncedAlternate.IsNone ? AnnouncedAlternate : Alternate.IsNone ? default : OtherThan(asked);
        if (!other.IsNone) AddAddress(response, 0x802C, other, mask: default);
        AddAttribute(response, 0x8022, Encoding.ASCII.GetBytes("simulation"));
        if (!IgnoresPadding && !Attribute(request, Padding).IsEmpty) AddAttribute(response, Padding, new byte[PaddingLength]);
        SetLength(response, 8);
        AddAttribute(response, 0x8028, Fingerprint([.. response]));
        return [.. response];
    }

    // OTHER-ADDRESS differs in both parts from where the request arrived (RFC 5780 §7.4).
    private TransportAddress OtherThan(TransportAddress asked)
    {
        foreach (var local in _flows.Keys)
        {
            if (!local.HasSameAddress(asked) && local.Port != asked.Port) return local;
        }

        return Alternate;
    }

    // The mask is the magic cookie with the transaction id after it, or nothing.
    private static void AddAddress(List<byte> response, int type, TransportAddress address, ReadOnlySpan<byte> mask)
    {
        Span<byte> value = stackalloc byte[20];
        value = value[..(4 + address.WriteOctets(value[4..]))];
        value[1] = (byte)(address.IsIPv4 ? 1 : 2);
        BinaryPrimitives.WriteUInt16BigEndian(value[2..], address.Port);
        if (!mask.IsEmpty)
        {
            value[2] ^= mask[0];
            value[3] ^= mask[1];
            for (var i = 4; i < value.Length; i++) value[i] ^= mask[i - 4];
        }

        AddAttribute(response, type, value);
    }

    private static void AddAttribute(List<byte> response, int type, ReadOnlySpan<byte> value)
    {
        response.AddRange([(byte)(type >> 8), (byte)type, (byte)(value.Length >> 8), (byte)value.Length]);
        response.AddRange(value);
        while (response.Count % 4 != 0) response.Add(0);
    }

    private static void SetLength(List<byte> response, int still)
    {
        var length = response.Count - HeaderLength + still;
        (response[2], response[3]) = ((byte)(length >> 8), (byte)length);
    }

    // RFC 8489 §14.7: CRC-32 over all that comes before, bit by bit, exclusive-or "STUN".
    private static byte[] Fingerprint(byte[] bytes)
    {
        var crc = uint.MaxValue;
        foreach (var octet in bytes)
        {
            crc ^= octet;
            for (var bit = 0; bit < 8; bit++) crc = (crc & 1) != 0 ? (crc >> 1) ^ 0xEDB8_8320 : crc >> 1;
        }

        var value = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(value, ~crc ^ 0x5354_554E);
        return value;
    }
}

/// <summary>What a server does about CHANGE-REQUEST (RFC 5780 §7.2).</summary>
public enum ChangeRequestHandling
{
    /// <summary>Answers from the address and port that are asked for.</summary>
    Honoured,

    /// <summary>Answers as if the attribute were not there.</summary>
    Ignored,

    /// <summary>Gives no answer, as where a firewall keeps the other address from sending.</summary>
    Dropped,
}
