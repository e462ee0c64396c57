using SipNat.Wire;

namespace SipNat.Simulation;

/// <summary>FNV-1a, 64 bits, over the moments, addresses and bytes of all packets.</summary>
internal sealed class TraceHash
{
    private const ulong Prime = 0x0000_0100_0000_01B3;

    public ulong Value { get; private set; } = 0xCBF2_9CE4_8422_2325;

    public void Add(Instant at, PacketStage stage, Packet packet)
    {
        Add((ulong)at.Ticks);
        Add(((ulong)stage << 8) | (ulong)packet.Kind);
        Add(packet.From);
        Add(packet.To);
        foreach (var octet in packet.Bytes) Add(octet);
    }

    private void Add(TransportAddress address)
    {
        Span<byte> octets = stackalloc byte[16];
        foreach (var octet in octets[..address.WriteOctets(octets)]) Add(octet);
        Add(address.Port);
    }

    private void Add(ulong value) => Value = unchecked((Value ^ value) * Prime);
}
