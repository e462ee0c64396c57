using System.Globalization;
using SipNat.Endpoint.Diagnosis;
using SipNat.Traversal.Ice;

namespace SipNat.Endpoint.Media;

/// <summary>What happened to the ways of a stream, in words.</summary>
internal static class PathText
{
    /// <summary>The entry of the timeline; null where there is nothing to say.</summary>
    public static (string Kind, string Text)? Describe(int stream, PathEvent happened) => happened switch
    {
        PathEvent.Changed(var component, var path) => ("path", $"Stream {stream + 1}: {Name(component)} takes {path}{Why(path)}."),
        PathEvent.Connected(var took) => ("ice", string.Create(CultureInfo.InvariantCulture, $"Stream {stream + 1}: ICE connected in {took.TotalMilliseconds:F0} ms.")),
        PathEvent.Relayed(var component, var address, var server) => ("relay", $"Stream {stream + 1}: TURN server {server} relays {Name(component)} at {address}."),
        PathEvent.MappingChanged(var mapped) => ("mapping", $"Stream {stream + 1}: a STUN server sees the media port as {mapped} now; ICE begins anew."),
        _ => null,
    };

    public static (FindingCode Code, string Text)? Find(int stream, PathEvent happened) => happened switch
    {
        PathEvent.Failed(var pairs) => (
            FindingCode.IceFailed,
            $"Stream {stream + 1}: ICE found no path: none of {pairs} candidate pairs was answered in 40 s. Media is taken as without ICE, from the peer's address. Set Nat:TurnServers where both sides are behind NATs, or forward the media ports."),
        PathEvent.Lost(var component, var path) => (
            FindingCode.PathLost,
            $"Stream {stream + 1}: {Name(component)} lost its path {path}: the peer answers no more there. ICE begins anew."),
        PathEvent.NoRelay(var component, var why) => (
            FindingCode.RelayUnavailable,
            $"Stream {stream + 1}: no TURN server relays {Name(component)}: {why}"),
        _ => null,
    };

    private static string Name(int component) => component == 1 ? "RTP" : "RTCP";

    private static string Why(IcePath path) => path switch
    {
        { IsRelayed: true } => ", by a relay, as no direct pair was answered in time",
        { Local.Type: CandidateType.Host, Peer.Type: CandidateType.Host } => ", without a NAT between",
        { Local.Type: CandidateType.Host } => ", as the peer's NAT let checks through",
        _ => ", as both sides' checks opened the NAT",
    };
}
