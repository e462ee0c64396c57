using SipNat.Endpoint.Addressing;
using SipNat.Endpoint.Media;
using SipNat.Sip.Sdp;
using SipNat.Traversal.Ice;
using SipNat.Wire;

namespace SipNat.Endpoint.Sessions;

/// <summary>ICE in session descriptions (RFC 8839): what the peer's says, and what ours has to.</summary>
public static class IceNegotiation
{
    /// <summary>Tells the peer that its candidates and its address do not fit (RFC 8839 §4.2.5).</summary>
    public static readonly SdpAttribute Mismatch = new("ice-mismatch");

    /// <summary>What a description says of one medium; null where the peer does without ICE there.</summary>
    /// <param name="isMismatched">
    /// Something on the way changed the address of the medium, so that it is none of the candidates: ICE is not used then
    /// (RFC 8839 §4.2.5).
    /// </param>
    /// <param name="attributes">Those of the session, then those of the medium.</param>
    /// <param name="rtp">Where RTP goes by the description; null where it does not say.</param>
    /// <param name="rtcp">Where RTCP goes; equal where both share a port.</param>
    public static IceDescription? Read(
        IReadOnlyList<SdpAttribute> attributes, TransportAddress? rtp, TransportAddress? rtcp, out bool isMismatched)
    {
        isMismatched = false;
        var reader = new IceDescriptionReader();
        foreach (var attribute in attributes) reader.TryAdd(attribute.Name, attribute.Value);
        if (!reader.TryRead(out var description) || attributes.Has(Mismatch.Name)) return null;

        isMismatched = !Confirms(description!, 1, rtp) || (rtcp != rtp && !Confirms(description!, 2, rtcp));
        return isMismatched ? null : description;
    }

    /// <summary>
    /// The attributes for our m-line. Its c= and m= have to be a candidate: an address that is none, as it was configured
    /// or known from before, becomes one.
    /// </summary>
    /// <param name="mux">RTCP shares the port of RTP: there is one component.</param>
    /// <param name="trims">Whether of each component and type the best candidate alone is told.</param>
    public static IReadOnlyList<SdpAttribute> Describe(
        IceDescription ours, MediaPortAddresses port, AdvertisedAddress rtp, AdvertisedAddress rtcp, bool mux, bool trims)
    {
        var candidates = ours.Candidates.Where(c => c.Component == 1 || !mux).ToList();
        if (trims) candidates = [.. candidates.GroupBy(c => (c.Component, c.Type)).Select(same => same.MaxBy(c => c.Priority)!)];
        AddDefault(candidates, ours.IsLite, 1, port.Rtp.Local, rtp);
        if (!mux) AddDefault(candidates, ours.IsLite, 2, port.Rtcp.Local, rtcp);
        return [.. IceDescriptionWriter.Write(ours with { Candidates = candidates }).Select(line => new SdpAttribute(line.Name, line.Value))];
    }

    // On hold (0.0.0.0, or port 9 of RFC 8838) nothing is said of where the medium is.
    private static bool Confirms(IceDescription description, int component, TransportAddress? address) =>
        address is not { IsNone: false, IsUnspecified: false, Port: > 9 } known || description.Confirms(component, known);

    private static void AddDefault(List<Candidate> candidates, bool isLite, int component, TransportAddress local, AdvertisedAddress advertised)
    {
        if (advertised.Address.IsNone || advertised.Kind is AddressKind.Relayed) return;
        if (candidates.Exists(c => c.Component == component && c.Address == advertised.Address)) return;

        // A lite agent has host candidates only (RFC 8445 §2.5).
        var type = isLite ? CandidateType.Host : CandidateType.ServerReflexive;
        // Below those of all sockets, which every candidate has a priority of its own beside (RFC 8445 §5.1.2).
        var priority = Candidate.PriorityOf(type, Candidate.MaxLocalPreference - MediaPlane.MaxHosts, component);
        candidates.Add(new("ext", component, priority, advertised.Address, type, isLite ? default : local));
    }
}
