using SipNat.Wire;

namespace SipNat.Traversal.Discovery;

/// <summary>
/// Draws the conclusions from the requests of a <see cref="NatBehaviourProbe"/> once all are over. What was answered is
/// a fact; silence is one only where nothing else can explain it.
/// </summary>
/// <param name="requests">Every request, over.</param>
/// <param name="locals">The local address of each socket.</param>
/// <param name="primary">The server that has a second address; none where there is none.</param>
/// <param name="alternate">Its other address and port.</param>
internal sealed class NatVerdict(
    IReadOnlyList<ProbeRequest> requests,
    IReadOnlyList<TransportAddress> locals,
    TransportAddress primary,
    TransportAddress alternate)
{
    // A negative verdict takes this many sockets.
    private const int NegativeSamples = 3;

    // Behind a dependent mapping nothing can be let in from the other address for a control: the server's word counts.
    // Where fragments are lost it may be the server's side that loses them.
    private const double UncontrolledTrust = 0.8;

    public NatMeasurement Measure()
    {
        var local = locals[0];
        var first = Of(ProbePurpose.Map).FirstOrDefault(request => request.IsAnswered);
        if (first is null) return new() { Local = local, UdpBlocked = Blocked() };

        var mapping = Mapping();
        var samples = Of(ProbePurpose.Map).Where(request => request.IsAnswered).Select(request => request.Socket).Distinct().Count();
        return new()
        {
            Local = local,
            External = (Of(ProbePurpose.Map).FirstOrDefault(request => request is { IsAnswered: true, Socket: 0 }) ?? first).Mapped,
            UdpBlocked = Measured<bool>.Of(false, samples),
            Mapping = mapping,
            MappingVaries = Varies(mapping.Value),
            Filtering = Filtering(mapping.Value),
            Hairpin = Hairpin(mapping.Value),
            PortPreservation = PortPreservation(),
            FragmentsOut = Fragments(ProbePurpose.FragmentOut),
            FragmentsIn = Fragments(ProbePurpose.FragmentIn),
            BehaviourServer = primary,
        };
    }

    private IEnumerable<ProbeRequest> Of(ProbePurpose purpose) => requests.Where(request => request.Purpose == purpose);

    // A server that is down looks the same; several at different addresses hardly are.
    private Measured<bool> Blocked() =>
        Measured<bool>.Of(true, Of(ProbePurpose.Map).Select(request => request.Server.WithPort(0)).Distinct().Count());

    private Measured<EndpointDependence> Mapping()
    {
        var samples = Enumerable.Range(0, NatBehaviourProbe.MappingSamples).Select(MappingOf).OfType<EndpointDependence>().ToList();
        return samples.Count > 0 && samples.TrueForAll(sample => sample == samples[0])
            ? Measured<EndpointDependence>.Of(samples[0], samples.Count)
            : default;
    }

    // Mappings of one socket for several destinations (RFC 5780 §4.3).
    private EndpointDependence? MappingOf(int socket)
    {
        var seen = Answered(socket);
        var byAddress = seen.GroupBy(request => request.Server.WithPort(0)).ToList();
        if (byAddress.Exists(ports => AreSeveral(ports))) return EndpointDependence.AddressAndPortDependent;
        if (AreSeveral(seen)) return byAddress.Exists(ports => ports.Count() > 1) ? EndpointDependence.AddressDependent : null;
        if (seen.Count > 0 && seen[0].Mapped == locals[socket]) return EndpointDependence.None;

        return byAddress.Count > 1 ? EndpointDependence.EndpointIndependent : null;
    }

    private bool? Varies(EndpointDependence? mapping)
    {
        if (mapping is { } known) return known is EndpointDependence.AddressDependent or EndpointDependence.AddressAndPortDependent;

        return Enumerable.Range(0, NatBehaviourProbe.MappingSamples).Any(socket => AreSeveral(Answered(socket))) ? true : null;
    }

    private List<ProbeRequest> Answered(int socket) => [.. Of(ProbePurpose.Map).Where(request => request.IsAnswered && request.Socket == socket)];

    private static bool AreSeveral(IEnumerable<ProbeRequest> requests) => requests.Select(request => request.Mapped).Distinct().Count() > 1;

    // RFC 5780 §4.4, on sockets that have sent to nobody else.
    private Measured<EndpointDependence> Filtering(EndpointDependence? mapping)
    {
        if (primary.IsNone || Of(ProbePurpose.OtherAddress).Any(request => request.IsUnsupported)) return default;

        var admitted = Of(ProbePurpose.OtherAddress).Count(request => request.IsAnswered);
        if (admitted > 0)
        {
            return Measured<EndpointDependence>.Of(mapping is EndpointDependence.None ? EndpointDependence.None : EndpointDependence.EndpointIndependent, admitted);
        }

        var silent = Of(ProbePurpose.OtherAddress).Count(request => request.IsSilent);
        if (silent < NegativeSamples || Trust(mapping, ProbePurpose.ControlAddress, alternate) is not { } address) return default;

        var samePort = Of(ProbePurpose.OtherPort).Count(request => request.IsAnswered);
        if (samePort > 0) return Measured<EndpointDependence>.Of(EndpointDependence.AddressDependent, silent, address);

        silent = Of(ProbePurpose.OtherPort).Count(request => request.IsSilent);
        return silent >= NegativeSamples && Trust(mapping, ProbePurpose.ControlPort, primary.WithPort(alternate.Port)) is { } port
            ? Measured<EndpointDependence>.Of(EndpointDependence.AddressAndPortDependent, silent, Math.Min(address, port))
            : default;
    }

    // How far silence can be held against the filter: the server was seen to answer from there, or, where no filter could
    // have let that in, it answers there when it is asked directly.
    private double? Trust(EndpointDependence? mapping, ProbePurpose control, TransportAddress origin)
    {
        if (Of(control).Any(request => request.IsAnswered)) return 1;

        var isDependent = mapping is EndpointDependence.AddressDependent or EndpointDependence.AddressAndPortDependent;
        var isThere = Of(ProbePurpose.Map).Any(request => request.IsAnswered && request.Server == origin);
        return isDependent && isThere && !Of(control).Any(request => request.IsUnsupported) ? UncontrolledTrust : null;
    }

    // Behind a dependent mapping the external address that a server saw is not the one to send to: silence says nothing.
    private Measured<bool> Hairpin(EndpointDependence? mapping)
    {
        var returned = Of(ProbePurpose.Hairpin).Count(request => request.IsAnswered);
        if (returned > 0) return Measured<bool>.Of(true, returned);

        var silent = Of(ProbePurpose.Hairpin).Count(request => request.IsSilent);
        return silent > 0 && mapping is EndpointDependence.EndpointIndependent ? Measured<bool>.Of(false, silent) : default;
    }

    // The sockets had short answers from the same server.
    private Measured<bool> Fragments(ProbePurpose purpose)
    {
        var arrived = Of(purpose).Count(request => request.IsAnswered);
        if (arrived > 0) return Measured<bool>.Of(true, arrived);

        var silent = Of(purpose).Count(request => request.IsSilent);
        return silent >= NegativeSamples ? Measured<bool>.Of(false, silent, UncontrolledTrust) : default;
    }

    // By the first request of each socket alone: where mappings are dependent, a later one finds its own port taken.
    private Measured<bool> PortPreservation()
    {
        var firsts = requests.GroupBy(request => request.Socket)
            .Select(group => group.First())
            .Where(request => request.IsAnswered)
            .Select(request => request.Mapped.Port == locals[request.Socket].Port)
            .ToList();
        if (firsts.Count == 0) return default;
        if (firsts.TrueForAll(preserved => preserved)) return Measured<bool>.Of(true, firsts.Count);

        return firsts.Count >= NegativeSamples && firsts.TrueForAll(preserved => !preserved) ? Measured<bool>.Of(false, firsts.Count) : default;
    }
}
