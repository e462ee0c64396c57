using SipNat.Media.Playout;

namespace SipNat.Endpoint.Calls;

/// <summary>How the audio of a call is doing.</summary>
public sealed record CallAudioReport
{
    /// <summary>Packets of audio that left, those of digits included.</summary>
    public long PacketsSent { get; init; }

    /// <summary>Bytes of payload in them.</summary>
    public long OctetsSent { get; init; }

    /// <summary>What our audio is encoded by, as in an rtpmap; null where no codec here does it.</summary>
    public string? CodecSent { get; init; }

    /// <summary>What the last audio of the peer was encoded by; null before any.</summary>
    public string? CodecReceived { get; init; }

    /// <summary>What became of the peer's packets.</summary>
    public PlayoutCounts Playout { get; init; }

    /// <summary>How long what is heard waits now.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>Blocks of 20 ms that were heard, by whether they were silent.</summary>
    public long SilentBlocks { get; init; }

    /// <summary>Blocks of 20 ms in which something was to be heard.</summary>
    public long AudibleBlocks { get; init; }

    /// <summary>Seconds of capture that found no room, in blocks of 20 ms.</summary>
    public long CapturesRefused { get; init; }
}
