using SipNat.Media.Codecs;
using SipNat.Media.Rtcp;
using SipNat.Media.RtpDump;
using SipNat.Wire;

namespace SipNat.Media.Streams;

/// <summary>What is known of one recorded stream, while it runs or at its end.</summary>
public sealed record StreamReport
{
    /// <summary>Arrival of the first recorded packet; null when none came.</summary>
    public Instant? StartedAt { get; init; }

    /// <summary>The sender's wall clock at that packet, from RTCP SR; none where no SR came.</summary>
    public NtpTimestamp SenderStart { get; init; }

    /// <summary>Distinct packets of the recorded sources.</summary>
    public long Packets { get; init; }

    /// <summary>Sent by the sequence numbers and never arrived.</summary>
    public long Lost { get; init; }

    public long Duplicates { get; init; }

    /// <summary>Arrived after a packet with a higher sequence number.</summary>
    public long Reordered { get; init; }

    /// <summary>Audio frames that came after their place had been passed; they were written there.</summary>
    public long Late { get; init; }

    /// <summary>Audio frames that have no place: from before the file's start, of a closed file or of an old anchor.</summary>
    public long Unplaced { get; init; }

    /// <summary>Packets with a payload type that no one knows.</summary>
    public long UnknownPayloads { get; init; }

    /// <summary>Packets with a payload type that was not negotiated, whether known or not.</summary>
    public long UnexpectedPayloads { get; init; }

    /// <summary>The last payload type that was not negotiated; null where all were.</summary>
    public int? UnexpectedPayloadType { get; init; }

    /// <summary>Packets of a second SSRC while the recorded one was sending: counted and kept apart, never mixed.</summary>
    public long Secondary { get; init; }

    /// <summary>Packets of sources that the latch refused.</summary>
    public long Strays { get; init; }

    /// <summary>The file of packets that came beside the recorded source; null where none is kept.</summary>
    public StreamFile? Others { get; init; }

    /// <summary>Packets that found no room in it.</summary>
    public long OthersUnkept { get; init; }

    /// <summary>Packets of sources that found no place in <see cref="Sources"/>.</summary>
    public long Unlisted { get; init; }

    /// <summary>Key events that found no room because nobody took the earlier ones.</summary>
    public long EventsRefused { get; init; }

    /// <summary>Datagrams that were neither RTP nor RTCP by their structure.</summary>
    public long Defects { get; init; }

    /// <summary>Writes that found no room because nobody took the earlier ones.</summary>
    public long WritesRefused { get; init; }

    /// <summary>Interarrival jitter of the recorded source (RFC 3550 §6.4.1).</summary>
    public TimeSpan Jitter { get; init; }

    /// <summary>How long the stream was active: from its first packet on, without the time on hold.</summary>
    public TimeSpan Expected { get; init; }

    /// <summary>Audio that arrived and was placed, without filled silence; of packets that are kept the time they cover.</summary>
    public TimeSpan Recorded { get; init; }

    /// <summary>Length of all files together: audio and filled silence, and packets from the first to the last.</summary>
    public TimeSpan Duration { get; init; }

    /// <summary>Time between kept packets in which others are missing; nothing stands for it in their file.</summary>
    public TimeSpan PacketsMissing { get; init; }

    /// <summary>Silence written where nothing had arrived.</summary>
    public TimeSpan SilenceFilled => Duration - Recorded - PacketsMissing;

    /// <summary>File time minus elapsed time at the last audio frame: positive for a sender whose clock is fast.</summary>
    public TimeSpan Drift { get; init; }

    public IReadOnlyList<StreamFile> Files { get; init; } = [];

    /// <summary>The recorded SSRCs in order; at most <see cref="RtpReceiver.MaxSsrcsListed"/>.</summary>
    public IReadOnlyList<uint> Ssrcs { get; init; } = [];

    /// <summary>Places of the first <see cref="StreamTimeline.MaxGapsListed"/> gaps that were not filled later.</summary>
    public IReadOnlyList<StreamGap> Gaps { get; init; } = [];

    /// <summary>All gaps, listed or not.</summary>
    public long GapCount { get; init; }

    /// <summary>The first <see cref="StreamTimeline.MaxAnchorsListed"/> anchors.</summary>
    public IReadOnlyList<StreamAnchor> Anchors { get; init; } = [];

    /// <summary>All anchors, listed or not.</summary>
    public long AnchorCount { get; init; }

    /// <summary>Every source that sent RTP, up to <see cref="SourceLatch.MaxSources"/>.</summary>
    public IReadOnlyList<SourceSeen> Sources { get; init; } = [];
}

/// <summary>One file of a stream.</summary>
/// <param name="Index">0 for the first file; a change of codec begins the next.</param>
/// <param name="StartedAt">Arrival of its first frame.</param>
/// <param name="Length">Bytes of audio, which for G.711 are samples; of records, where packets are kept.</param>
public readonly record struct StreamFile(int Index, FileCodec Codec, Instant StartedAt, long Length)
{
    /// <summary>The packets of a file that keeps them; nothing in any other.</summary>
    public PacketCoverage Packets { get; init; }

    /// <summary>How long it plays, or from its first packet to its last.</summary>
    public TimeSpan Duration => Codec.Known is { } codec
        ? TimeSpan.FromTicks(Length * TimeSpan.TicksPerSecond / codec.ClockRate)
        : Packets.Duration;
}

/// <summary>Silence that stands for audio that did not come.</summary>
/// <param name="Start">Samples from the file's start.</param>
/// <param name="Length">Samples.</param>
/// <param name="IsLoss">Packets of it were sent, by their sequence numbers; else the sender paused, was held, or began anew.</param>
public readonly record struct StreamGap(int FileIndex, long Start, long Length, bool IsLoss = false);

/// <summary>A place where the RTP timestamp no longer decided, and the time of arrival did.</summary>
/// <param name="Position">Samples from the file's start.</param>
/// <param name="Silence">Samples of silence written before it.</param>
public readonly record struct StreamAnchor(int FileIndex, Instant At, long Position, long Silence, AnchorReason Reason);

public enum AnchorReason
{
    /// <summary>The first frame of a file.</summary>
    FileStart,

    /// <summary>Another SSRC is recorded.</summary>
    SourceChanged,

    /// <summary>The sender's sequence numbers began anew.</summary>
    Restarted,

    /// <summary>The timestamp disagrees with the arrival time, or went backwards.</summary>
    TimestampJump,

    /// <summary>The first frame after a hold.</summary>
    Resumed,
}
