using System.Globalization;
using SipNat.Endpoint.Addressing;
using SipNat.Media.Streams;

namespace SipNat.Endpoint.Diagnosis;

/// <summary>
/// Why a stream brings nothing: first what is certain, then each cause that the evidence speaks for. One endpoint cannot
/// see the path, so that a cause is a likely one, and where nothing speaks for any that is said too.
/// </summary>
public static class SilenceDiagnosis
{
    private const int MaxSourcesNamed = 4;

    public static IReadOnlyList<Finding> Explain(SilenceEvidence evidence)
    {
        ArgumentNullException.ThrowIfNull(evidence);
        if (evidence.Silence.HeardFor is { } heardFor) return [Stopped(evidence, heardFor)];

        var causes = CausesOf(evidence);
        return [NoMedia(evidence, isExplained: causes.Count > 0 || HasStrays(evidence) || !evidence.Silence.ControlFrom.IsNone), .. causes];
    }

    /// <summary>Sources by address and number of packets, at most <see cref="MaxSourcesNamed"/>.</summary>
    internal static string Name(IEnumerable<SourceSeen> sources)
    {
        var all = sources.ToList();
        var named = string.Join(", ", all.Take(MaxSourcesNamed).Select(s => Invariant($"{s.Address} ({s.Packets})")));
        return all.Count <= MaxSourcesNamed ? named : Invariant($"{named} and {all.Count - MaxSourcesNamed} more");
    }

    private static Finding NoMedia(SilenceEvidence e, bool isExplained)
    {
        var from = e.Described.IsNone ? "named no address of its own" : $"said that it sends from {e.Described}";
        var unexplained = isExplained ? "" : " Nothing here shows why: it does not send, or what it sends is dropped on the way.";
        return Found(e, FindingCode.NoMedia, Invariant(
            $"no packet in {e.Silence.Lasted.TotalSeconds:F0} s. The peer at {e.SignallingSource.AddressText} {from}, and was told to send to {e.Advertised.Address} ({e.Advertised.Explain()}).{Seen(e)}{unexplained}"));
    }

    private static Finding Stopped(SilenceEvidence e, TimeSpan heardFor) => Found(e, FindingCode.MediaStopped, Invariant(
        $"no packet for {e.Silence.Lasted.TotalSeconds:F0} s after {heardFor.TotalSeconds:F0} s of them, though the stream is not on hold.{Seen(e)}"));

    // What did arrive tells how far the packets come.
    private static string Seen(SilenceEvidence e)
    {
        var strays = HasStrays(e) ? $" Packets came from {Name(e.Silence.Sources.Where(IsStray))}, which may not be followed." : "";
        if (e.Silence.ControlFrom.IsNone) return strays;

        var sent = e.Silence.PeerSaysSent is { } packets ? Invariant($" and says that {packets} packets were sent") : "";
        return $"{strays} Its RTCP comes from {e.Silence.ControlFrom}{sent}.";
    }

    private static bool HasStrays(SilenceEvidence e) => e.Silence.Sources.Any(IsStray);

    private static bool IsStray(SourceSeen source) => source.Verdict is LatchVerdict.Stray;

    private static List<Finding> CausesOf(SilenceEvidence e)
    {
        Finding?[] causes = [Interface(e), PrivateAddress(e), Mapping(e), Firewall(e), NothingSent(e), Connections(e)];
        return [.. causes.OfType<Finding>()];
    }

    private static Finding? Interface(SilenceEvidence e)
    {
        var isOther = !e.SignallingLocal.IsNone && e.SignallingLocal.Family == e.Local.Family && !e.SignallingLocal.HasSameAddress(e.Local);
        return isOther && e.Advertised.Kind is AddressKind.Host
            ? Likely(e, FindingCode.InterfaceDiffers, $"the interface: media is received on {e.Local.AddressText}, and the peer's requests arrive at {e.SignallingLocal.AddressText}. Remove Media:Address, or set it to an address that the peer has a way to.")
            : null;
    }

    private static Finding? PrivateAddress(SilenceEvidence e)
    {
        var isTold = e.Advertised.Address.IsPrivate && e.Advertised.Reason is not AddressReason.MappingVaries;
        return isTold && !e.PeerIsLocal
            ? Likely(e, FindingCode.PrivateAddressAdvertised, $"the address: {e.Advertised.Address} is private, and the peer at {e.SignallingSource.AddressText} is in none of Nat:LocalNetworks. {Remedy(e)}")
            : null;
    }

    private static string Remedy(SilenceEvidence e) => e.SeenByProvider.IsNone || e.SeenByProvider.IsPrivate
        ? "Set Nat:ExternalAddress or Nat:StunServers, or add its network to Nat:LocalNetworks where it can reach this one."
        : $"The provider sees us at {e.SeenByProvider.AddressText}, behind a NAT, sends audio where it is told to, and {(e.StunIsKnown ? "no STUN server has answered" : "no STUN server is known: its domain names none (_stun._udp)")}. Add Nat:StunServers:0 with one, such as \"Nat\": {{ \"StunServers\": [ \"stun.example.org\" ] }}.";

    private static Finding? Mapping(SilenceEvidence e)
    {
        if (e.PeerIsLocal || e.Mapping is not { } seen || seen.Mapped == e.Advertised.Address) return null;
        if (seen.VariesByDestination && e.Advertised.Kind is not (AddressKind.Forwarded or AddressKind.Mapped))
        {
            return Likely(e, FindingCode.MappingVaries, $"the NAT: it shows each destination another port, STUN server {seen.Server} saw {seen.Mapped}, and no forward is configured for {e.Advertised.Address}. Forward the ports and set Nat:ForwardedPorts to Same.");
        }

        var fix = e.Advertised.Kind is AddressKind.Forwarded
            ? Invariant($"Forward UDP port {e.Advertised.Address.Port} to {e.Local}.")
            : e.Advertised.Kind is AddressKind.Mapped
            ? "The router opened that port and leads it to us by its own word: look for a second router behind it."
            : "Correct Nat:ExternalAddress, or forward the ports and set Nat:ForwardedPorts to Same.";
        return Likely(e, FindingCode.MappingDiffers, $"the NAT: the peer was told {e.Advertised.Address}, and STUN server {seen.Server} saw this socket as {seen.Mapped}. {fix}");
    }

    private static Finding? Firewall(SilenceEvidence e) => e is { StunIsSilent: true, SignallingMapped.IsNone: false, PeerIsLocal: false }
        ? Likely(e, FindingCode.MediaPortBlocked, $"a firewall: STUN servers answer on the SIP port ({e.SignallingMapped.AddressText} there) and never did on media port {e.Local}. Open UDP Media:FirstPort to Media:LastPort.")
        : null;

    private static Finding? NothingSent(SilenceEvidence e) => !e.Silence.HasSent
        ? Likely(e, FindingCode.NothingSent, $"a NAT or firewall that lets in only what answers: this system refused to send every packet from {e.Local}, so that nothing opened the way. Look for a firewall rule or a missing route on this machine, or forward the media ports.")
        : null;

    private static Finding? Connections(SilenceEvidence e) => !e.SessionConnection.IsNone
        ? Likely(e, FindingCode.ConnectionsDiffer, $"the peer's description: it names {e.SessionConnection.AddressText} for the session and {e.Described.AddressText} for the medium, which counts (RFC 8866 §5.7). A client that means the other one sends from an address that Media:Latch Allowed lets in.")
        : null;

    private static Finding Likely(SilenceEvidence e, FindingCode code, string cause) => Found(e, code, $"the likely cause of its silence is {cause}");

    private static Finding Found(SilenceEvidence e, FindingCode code, string text) =>
        new(code, Invariant($"Stream {e.Silence.Index + 1}: {text}"), e.Silence.At);

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
