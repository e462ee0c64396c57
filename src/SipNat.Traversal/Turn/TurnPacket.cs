using SipNat.Wire;

namespace SipNat.Traversal.Turn;

/// <summary>A packet that came by a relay, unwrapped in place.</summary>
public readonly ref struct TurnPacket
{
    internal TurnPacket(TransportAddress peer, ReadOnlySpan<byte> payload)
    {
        Peer = peer;
        Payload = payload;
    }

    /// <summary>Who sent it to the relayed address.</summary>
    public TransportAddress Peer { get; }

    public ReadOnlySpan<byte> Payload { get; }
}

/// <summary>What an allocation made of a datagram.</summary>
public enum TurnInput
{
    /// <summary>It is not for this allocation: somebody else may take it.</summary>
    NotMine,

    /// <summary>It was an answer of the server, or something from it that is worth nothing.</summary>
    Taken,

    /// <summary>It held a peer's packet.</summary>
    Packet,
}
