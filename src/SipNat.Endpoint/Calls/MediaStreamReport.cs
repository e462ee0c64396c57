using SipNat.Media.Streams;
using SipNat.Wire;

namespace SipNat.Endpoint.Calls;

/// <summary>How one stream of a session is doing.</summary>
/// <param name="Index">Its place among the m-lines, from 0.</param>
/// <param name="Stream">Packets, files, gaps and sources.</param>
/// <param name="Remote">The source that is followed; none before one is.</param>
/// <param name="LastHeardAt">The last RTP or RTCP packet that belongs to the stream; null before any.</param>
public sealed record MediaStreamReport(int Index, StreamReport Stream, TransportAddress Remote, Instant? LastHeardAt);
