using SipNat.Wire;

namespace SipNat.Media.Streams;

/// <summary>One packet's payload that belongs to the recording, in the order in which it is to be placed.</summary>
public readonly ref struct ReceivedFrame
{
    /// <summary>When the packet reached this machine.</summary>
    public required Instant Arrival { get; init; }

    public required uint Ssrc { get; init; }

    /// <summary>The extended sequence number: it rises over wraps and restarts (<see cref="Rtp.SequenceTracker"/>).</summary>
    public required long Sequence { get; init; }

    public required uint Timestamp { get; init; }

    public required PayloadFormat Format { get; init; }

    /// <summary>Where the run of sequence numbers began that this one belongs to; it changes with a restart.</summary>
    public required int Run { get; init; }

    /// <summary>Valid until the receiver's next input.</summary>
    public required ReadOnlySpan<byte> Payload { get; init; }

    /// <summary>The whole packet as it came, valid as long.</summary>
    public required ReadOnlySpan<byte> Packet { get; init; }
}
