using SipNat.Wire;

namespace SipNat.Endpoint.Media;

/// <summary>A pair of sockets that the shell has bound on one internal address: RTP on an even port, RTCP on the next.</summary>
public sealed record MediaPortFlows(FlowId Rtp, TransportAddress LocalRtp, FlowId Rtcp, TransportAddress LocalRtcp);
