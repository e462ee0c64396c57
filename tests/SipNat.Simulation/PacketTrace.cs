using SipNat.Wire;

namespace SipNat.Simulation;

/// <summary>Watches the packets of a <see cref="SimulatedNetwork"/>.</summary>
public delegate void PacketTrace(PacketRecord packet);

/// <summary>One packet at one moment of its way. Its bytes are valid during the call only.</summary>
public readonly ref struct PacketRecord
{
    internal PacketRecord(Instant at, PacketStage stage, DropReason? reason, Packet packet)
    {
        (At, Stage, Reason) = (at, stage, reason);
        (Transport, From, To) = (packet.Transport, packet.From, packet.To);
        Bytes = packet.Bytes;
    }

    public Instant At { get; }

    public PacketStage Stage { get; }

    /// <summary>Why it was dropped; null at the other stages.</summary>
    public DropReason? Reason { get; }

    public TransportProtocol Transport { get; }

    /// <summary>The source as it is at this stage: before the sender's NATs when sent, behind them afterwards.</summary>
    public TransportAddress From { get; }

    /// <summary>The destination as it is at this stage: behind the receiver's NATs when delivered.</summary>
    public TransportAddress To { get; }

    /// <summary>The datagram or message; empty for the segments that open and close a connection.</summary>
    public ReadOnlySpan<byte> Bytes { get; }
}

/// <summary>Where on its way a traced packet is.</summary>
public enum PacketStage
{
    /// <summary>It leaves its host.</summary>
    Sent,

    /// <summary>It has reached its host and is handed to the core.</summary>
    Delivered,

    /// <summary>It is gone.</summary>
    Dropped,
}
