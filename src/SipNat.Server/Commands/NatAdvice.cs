using System.Diagnostics;
using System.Globalization;
using SipNat.Endpoint.Diagnosis;
using SipNat.Server.Hosting;
using SipNat.Server.Options;
using SipNat.Traversal.Discovery;
using SipNat.Traversal.Stun;

namespace SipNat.Server.Commands;

/// <summary>What a measurement means for calls and recordings, and what to change.</summary>
internal static class NatAdvice
{
    public static IReadOnlyList<string> Of(NatReport report)
    {
        if (report.IsUdpBlocked) return [Blocked(report), .. OfTurn(report)];
        if (report.IsUnreachable) return ["No server answered, neither over UDP nor over TCP: check the names, whether this machine is connected, and name other servers."];

        var families = report.Families.Where(family => family.Measured.UdpBlocked.Value is false).ToList();
        var advice = new List<string>();
        foreach (var (name, measured) in families)
        {
            var prefix = families.Count > 1 ? $"{name}: " : "";
            advice.AddRange(Of(measured).Select(text => prefix + text));
        }

        if (report.Alg is { } alg && Of(alg) is { } text) advice.Add(text);
        advice.AddRange(OfTurn(report));
        return advice;
    }

    /// <summary>One thing that gave an ALG away, in a sentence.</summary>
    public static string Explain(SipAlgEvidence seen) => seen.Kind switch
    {
        SipAlgEvidenceKind.ReceivedIsLocal =>
            $"From {seen.Local}: the SIP server is made to say that it saw our own address {seen.Seen}, while STUN saw {seen.Sent}.",
        SipAlgEvidenceKind.ViaChanged => $"From {seen.Local}: Via was sent with {seen.Sent} and came back with {seen.Seen}.",
        SipAlgEvidenceKind.FromChanged => $"From {seen.Local}: From was sent as {seen.Sent} and came back as {seen.Seen}.",
        SipAlgEvidenceKind.ToChanged => $"From {seen.Local}: To was sent as {seen.Sent} and came back as {seen.Seen}.",
        SipAlgEvidenceKind.CallIdChanged => $"From {seen.Local}: Call-ID was sent as {seen.Sent} and came back as {seen.Seen}.",
        SipAlgEvidenceKind.MappedAddressChanged => $"From {seen.Local}: STUN's MAPPED-ADDRESS came as {seen.Seen}, the protected one is {seen.Sent}.",
        _ => throw new UnreachableException(),
    };

    private static IEnumerable<string> OfTurn(NatReport report)
    {
        foreach (var reach in report.Turn.Where(reach => reach.Outcome is TurnReachOutcome.Refused))
        {
            var server = $"The TURN server {reach.Target.Server.Server} answers over {reach.Target.Server.Transport.ToString().ToUpperInvariant()} and lends no relay ({reach.Code})";
            yield return reach.Code is 401 or 441 ? $"{server}: check its username and password." : $"{server}.";
        }

        var needsRelay = report.IsUdpBlocked || report.Families.Any(family => family.Measured.MappingVaries is true);
        if (needsRelay && report.Turn.FirstOrDefault(reach => reach.Outcome is TurnReachOutcome.Allocated) is { } relay)
        {
            yield return $"A relay can be had over {relay.Target.Server.Transport.ToString().ToUpperInvariant()} from {relay.Target.Server.Server}: with it in Nat:TurnServers peers that speak ICE are reached all the same.";
        }
    }

    private static string? Of(SipAlgMeasurement alg) => (alg.IsPresent.Value, alg.Obstacle) switch
    {
        (true, _) => $"Something on the way rewrites SIP (a SIP ALG): turn it off in the router, or use TLS, TCP or another port. {Explain(alg.Evidence.MinBy(seen => seen.Kind)!)}",
        (false, _) => null,
        (_, SipAlgObstacle.NoSipAnswer) => "Whether something rewrites SIP is not known: the SIP server did not answer every OPTIONS.",
        (_, SipAlgObstacle.NoStunAnswer) => "Whether something rewrites SIP is not known: no STUN server said how the SIP sockets are seen.",
        (_, SipAlgObstacle.NoReceived) => "Whether something rewrites SIP is not known: nothing was changed, yet the server does not say where it saw us (RFC 3581); name another one.",
        (_, SipAlgObstacle.PrivateServer) => "Whether something rewrites SIP is not known: the server is on a private network and may see our address as it is; name one on the internet.",
        _ => throw new UnreachableException(),
    };

    private static string Blocked(NatReport report) =>
        report.Families.Max(family => family.Measured.UdpBlocked.Samples) > 1
            ? "The servers answer over TCP and not over UDP: a firewall blocks UDP, so that neither calls nor recordings have audio here. Let UDP out, or use a network that does."
            : "The server answers over TCP and not over UDP: a firewall blocks UDP, unless that one server does not speak it. Name a second one to be sure.";

    private static IEnumerable<string> Of(NatMeasurement measured)
    {
        yield return Mapping(measured);
        if (measured.Layers.Value >= 2)
        {
            yield return "Your router is itself behind a NAT, mostly the provider's: forwarding ports on it cannot work. Ask the provider for a public address, or use IPv6 or a TURN server.";
        }

        if (Filtering(measured) is { } filtering) yield return filtering;
        if (Lifetime(measured) is { } lifetime) yield return lifetime;
        if (measured is { PortPreservation.Value: false, MappingVaries: not true })
        {
            yield return "The NAT changes ports, so that the address alone is not enough: set Nat:StunServers, which show the port too.";
        }

        if ((measured.FragmentsOut.Value, measured.FragmentsIn.Value) is (false, _) or (_, false))
        {
            yield return "Datagrams that do not fit into one packet are lost on the way: long SIP messages need TCP, as an INVITE with many candidates is one.";
        }

        if (measured.Hairpin.Value is false)
        {
            yield return "Hosts behind this NAT do not reach each other by its public address: peers on the same network need the local one (Nat:LocalNetworks).";
        }
    }

    private static string Mapping(NatMeasurement measured) => (measured.Mapping.Value, measured.MappingVaries) switch
    {
        (EndpointDependence.None, _) => "There is no NAT: the address of this machine is the one that peers see.",
        (_, true) => "The NAT maps anew for each destination, so that what a STUN server sees is wrong for every peer: forward the SIP and media ports (Nat:ForwardedPorts), "
            + "or rely on peers that answer where packets come from.",
        (EndpointDependence.EndpointIndependent, _) => "The NAT gives a socket one address for all destinations: what STUN shows is right for every peer (Nat:StunServers).",
        _ => "Whether the mapping changes with the destination is not known: name two STUN servers at different addresses.",
    };

    private static string? Lifetime(NatMeasurement measured)
    {
        if (measured.Lifetimes.Shorter is not { } shorter) return null;

        var configured = new NatOptions().Keepalive;
        var bound = KeepaliveInterval.BoundFor(shorter, configured);
        return (measured.Lifetimes.IsEndSeen, bound < configured) switch
        {
            (true, true) => string.Create(
                CultureInfo.InvariantCulture,
                $"A silent mapping ends after {shorter.TotalSeconds:F0} s: serve measures that too and keeps mappings alive every {KeepaliveInterval.Describe(bound)}; where Nat:MeasureLifetime is off, set Nat:Keepalive to {TimeSpan.FromSeconds(Math.Max(1, Math.Floor(bound.TotalSeconds))):c}."),
            (true, false) => string.Create(CultureInfo.InvariantCulture, $"A silent mapping lives for {shorter.TotalSeconds:F0} s: the default of Nat:Keepalive keeps it."),
            (false, false) => string.Create(CultureInfo.InvariantCulture, $"A silent mapping lives for more than {shorter.TotalSeconds:F0} s: the default of Nat:Keepalive keeps it."),
            _ => null,
        };
    }

    private static string? Filtering(NatMeasurement measured) => measured.Filtering.Value switch
    {
        EndpointDependence.None => null,
        EndpointDependence.EndpointIndependent => "Everybody's packets are let in at that address while it is kept alive: peers can call in.",
        EndpointDependence.AddressDependent or EndpointDependence.AddressAndPortDependent =>
            "Only those that were sent to are let in: without a forwarded port nobody calls in uninvited, and a recorder has to send first and keep sending (it does, Nat:Keepalive).",
        _ when !measured.BehaviourServer.IsNone => "Who is let in could not be told: the answers from the server's other address did not come, and it may be the server.",
        _ => "Who is let in is not known: that takes a STUN server with two addresses (RFC 5780).",
    };
}
