using SipNat.Endpoint.Media;
using SipNat.Media.Streams;
using SipNat.Wire;

namespace SipNat.Endpoint.Diagnosis;

/// <summary>What a stream's own report, held against what was agreed on, can tell.</summary>
/// <param name="Index">The stream's place among the m-lines, from 0.</param>
/// <param name="At">When it was looked at.</param>
/// <param name="Agreed">The payload types that were agreed on.</param>
/// <param name="Described">The RTP address of the peer's description; none where it gave none.</param>
/// <param name="DescribedAt">Since when it is that one.</param>
/// <param name="SignallingSource">Where the peer's requests come from.</param>
/// <param name="Latch">Whose media may be followed.</param>
public sealed record StreamEvidence(
    int Index,
    Instant At,
    StreamReport Report,
    IReadOnlyList<int> Agreed,
    TransportAddress Described,
    Instant DescribedAt,
    TransportAddress SignallingSource,
    LatchPolicy Latch)
{
    /// <summary>Of the report's lost packets, those whose numbers passed while the stream was on hold: nobody missed them.</summary>
    public long LostInHolds { get; init; }

    /// <summary>What came of its packets under their keys; null where the stream is not encrypted.</summary>
    public SrtpReport? Srtp { get; init; }

    /// <summary>Where the last packet came from that was not genuine.</summary>
    public TransportAddress SrtpFailedFrom { get; init; }
}
