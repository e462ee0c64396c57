using SipNat.Media.Streams;
using SipNat.Traversal.Ice;
using SipNat.Wire;

namespace SipNat.Endpoint.Media;

/// <summary>How one stream of a session is doing.</summary>
/// <param name="Index">Its place among the m-lines, from 0.</param>
/// <param name="Stream">Packets, files, gaps and sources.</param>
/// <param name="Remote">The source that is followed; none before one is.</param>
/// <param name="LastHeardAt">The last RTP or RTCP packet that belongs to the stream; null before any.</param>
/// <param name="Path">The path that ICE found for RTP; null where it found none or is not used.</param>
/// <param name="Srtp">What came of its packets under their keys; null where the stream is not encrypted.</param>
public sealed record MediaStreamReport(int Index, StreamReport Stream, TransportAddress Remote, Instant? LastHeardAt, MediaPath? Path = null, SrtpReport? Srtp = null)
{
    /// <summary>The last RTP packet that belongs to the stream; null before any.</summary>
    public Instant? LastPacketAt { get; init; }

    /// <summary>Where its RTCP comes from; none where there is none.</summary>
    public TransportAddress ControlFrom { get; init; }

    /// <summary>What the peer says that it has sent; null before a sender report.</summary>
    public PeerCount? PeerSent { get; init; }

    /// <summary>Datagrams that the system refused to send: no route, or a firewall here.</summary>
    public long SendsFailed { get; init; }

    /// <summary>What ICMP says of the audio of a call, where it goes at this moment; null where nothing that is believed.</summary>
    public IcmpRefusal? RefusedByIcmp { get; init; }

    /// <summary>What was sent and is kept; null where nothing sent is.</summary>
    public StreamReport? Sent { get; init; }

    /// <summary>The audio of a call; null for a recording.</summary>
    public CallAudioReport? Audio { get; init; }
}

/// <summary>A path of media that ICE found.</summary>
/// <param name="Local">Our candidate, as the peer sees it.</param>
/// <param name="LocalKind">How it came to be known.</param>
/// <param name="Remote">The peer's candidate.</param>
/// <param name="RemoteKind">How it came to be known.</param>
public sealed record MediaPath(TransportAddress Local, CandidateType LocalKind, TransportAddress Remote, CandidateType RemoteKind)
{
    public override string ToString() => $"{Local} ({LocalKind.Token}) > {Remote} ({RemoteKind.Token})";
}

/// <summary>What the peer says that it has sent (RFC 3550 §6.4.1).</summary>
/// <param name="Packets">Of RTP, since it began.</param>
/// <param name="At">When its report came.</param>
public readonly record struct PeerCount(uint Packets, Instant At);
