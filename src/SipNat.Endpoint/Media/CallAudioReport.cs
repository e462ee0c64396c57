using SipNat.Media.Playout;
using SipNat.Media.Rtcp;
using SipNat.Wire;

namespace SipNat.Endpoint.Media;

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

    /// <summary>How the arrival of packets varies (RFC 3550 §6.4.1).</summary>
    public TimeSpan Jitter { get; init; }

    /// <summary>How long what is heard waits now.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>Blocks of 20 ms that were heard, by whether they were silent.</summary>
    public long SilentBlocks { get; init; }

    /// <summary>Blocks of 20 ms in which something was to be heard.</summary>
    public long AudibleBlocks { get; init; }

    /// <summary>When something was to be heard last; null before.</summary>
    public Instant? LastAudibleAt { get; init; }

    /// <summary>What the peer reports of what we send; null before it has.</summary>
    public PeerAudioReport? Peer { get; init; }

    /// <summary>When it said last what it receives, be it that it hears nobody; null before.</summary>
    public Instant? PeerReportedAt { get; init; }

    /// <summary>What the peer tells of how it hears us (RFC 3611 §4.7); null where it does not.</summary>
    public VoipMetrics? PeerMetrics { get; init; }

    /// <summary>The rating factor R of what we hear, 0 to 93.2 (ITU-T G.107); null before anything was played.</summary>
    public double? Rating { get; init; }

    /// <summary>The mean opinion score that the rating stands for, 1 to 4.5.</summary>
    public double? MeanOpinion { get; init; }

    /// <summary>How far packets have come.</summary>
    public AudioStages Stages { get; init; }

    /// <summary>What of a capture found no room, in blocks of 20 ms.</summary>
    public long CapturesRefused { get; init; }
}

/// <summary>What the peer reports of what we send (RFC 3550 §6.4.1).</summary>
/// <param name="ReceivedAt">When its last report came.</param>
/// <param name="PacketsLost">Since the beginning; negative where it counts duplicates.</param>
/// <param name="FractionLost">Since the report before, 0 to 1.</param>
/// <param name="RoundTrip">Null where it has had no report of ours.</param>
public sealed record PeerAudioReport(Instant ReceivedAt, int PacketsLost, double FractionLost, TimeSpan Jitter, TimeSpan? RoundTrip);
