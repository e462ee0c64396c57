using SipNat.Sip.Sdp;
using SipNat.Traversal.Ice;
using SipNat.Wire;

namespace SipNat.Endpoint.Media;

/// <summary>What was agreed on for one medium.</summary>
/// <param name="Index">Its place among the m-lines, from 0.</param>
/// <param name="Port">Its place among the ports of the session.</param>
/// <param name="PayloadMap">What each payload type stands for.</param>
/// <param name="RemoteRtp">The peer's RTP address as it wrote it; none where it gave none.</param>
/// <param name="RemoteRtcp">The peer's RTCP address as it wrote it; none where it gave none.</param>
/// <param name="RtcpMux">RTCP shares the RTP port (RFC 5761).</param>
/// <param name="ShouldSend">Whether the peer sends: agreed on, and neither held, inactive nor paused.</param>
/// <param name="Ice">What the peer told by ICE; null where it is not used.</param>
/// <param name="IsRelayed">The peer was told an address that a TURN server lends.</param>
/// <param name="Keys">What protects its packets; null where nothing does.</param>
public sealed record MediaStreamSettings(
    int Index,
    int Port,
    IReadOnlyList<PayloadMapping> PayloadMap,
    TransportAddress RemoteRtp,
    TransportAddress RemoteRtcp,
    bool RtcpMux,
    bool ShouldSend,
    IceDescription? Ice = null,
    bool IsRelayed = false,
    StreamKeys? Keys = null)
{
    /// <summary>
    /// What is sent goes where the peer's description says, wherever its own media come from: by its reports it does not
    /// hear what goes back there.
    /// </summary>
    public bool KeepsToDescription { get; init; }

    /// <summary>The audio of a call, which is played and heard; null for a recording. It is one or the other for good.</summary>
    public CallAudioSettings? Audio { get; init; }
}
