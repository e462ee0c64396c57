using SipNat.NatLab.Topology;

namespace SipNat.NatLab.Repeat;

/// <summary>The NATs that <c>sipnat nat</c> has to name.</summary>
internal static class RepeatCases
{
    private const string Independent = "endpoint-independent";
    private const string AddressAndPort = "address-and-port-dependent";

    public static IReadOnlyList<RepeatCase> All { get; } =
    [
        Kind("none", NatBehaviour.Open, "none", "none", layers: 0),
        Kind("full-cone", NatBehaviour.FullCone, Independent, Independent),
        Kind("address-restricted", NatBehaviour.AddressRestricted, Independent, "address-dependent"),
        Kind("port-restricted", NatBehaviour.PortRestricted, Independent, AddressAndPort),
        Kind("symmetric", NatBehaviour.Symmetric, AddressAndPort, AddressAndPort),
        Kind("double", NatBehaviour.Double, Independent, AddressAndPort, layers: 2),
        new("udp-blocked", Of(NatBehaviour.UdpBlocked), ["--fast"], [new("udp", "blocked"), new("ipv4.udp", "blocked")]) { Duration = TimeSpan.FromSeconds(13) },
        Hairpin("hairpin-on", NatBehaviour.PortRestricted, isOn: true),
        Hairpin("hairpin-on-full-cone", NatBehaviour.FullCone, isOn: true),
        Hairpin("hairpin-off", NatBehaviour.PortRestricted, isOn: false),
        Fragments("fragments", areDropped: false),
        Fragments("fragments-dropped", areDropped: true),
        Lifetime("lifetime-10", NatBehaviour.PortRestricted, 10, 20),
        Lifetime("lifetime-10-symmetric", NatBehaviour.Symmetric, 10, 20),
        Lifetime("lifetime-30", NatBehaviour.PortRestricted, 30, 30),
        Lifetime("lifetime-30-symmetric", NatBehaviour.Symmetric, 30, 30),
        Lifetime("lifetime-60", NatBehaviour.PortRestricted, 60, 60),
        Lifetime("lifetime-60-symmetric", NatBehaviour.Symmetric, 60, 60),
        Alg("alg", isOn: true),
        Alg("alg-none", isOn: false),
    ];

    private static TopologyOptions Of(NatBehaviour left) => new() { Left = left, Right = NatBehaviour.Open };

    private static RepeatCase Kind(string name, NatBehaviour behaviour, string mapping, string filtering, int layers = 1) => new(
        name,
        Of(behaviour),
        [],
        [new("udp", "open"), new("ipv4.mapping", mapping), new("ipv4.filtering", filtering), new("ipv4.natLayers", layers)]);

    private static RepeatCase Hairpin(string name, NatBehaviour behaviour, bool isOn) =>
        new(name, Of(behaviour) with { Hairpin = isOn }, [], [new("ipv4.hairpin", isOn)]);

    private static RepeatCase Fragments(string name, bool areDropped) => new(
        name,
        Of(NatBehaviour.PortRestricted) with { DropFragments = areDropped },
        [],
        [new("ipv4.fragments.in", !areDropped), new("ipv4.fragments.out", !areDropped)]);

    private static RepeatCase Lifetime(string name, NatBehaviour behaviour, int fresh, int established) => new(
        name,
        Of(behaviour) with { UdpTimeout = TimeSpan.FromSeconds(fresh), UdpStreamTimeout = TimeSpan.FromSeconds(established) },
        ["--lifetime"],
        [new("ipv4.lifetimeSeconds", TimeSpan.FromSeconds(fresh)), new("ipv4.establishedLifetimeSeconds", TimeSpan.FromSeconds(established))])
    {
        AllowedInconclusive = fresh >= 60 ? 5 : 1,
        Duration = TimeSpan.FromSeconds(25 + (1.6 * established)),
    };

    private static RepeatCase Alg(string name, bool isOn) =>
        new(name, Of(NatBehaviour.PortRestricted) with { Alg = isOn }, ["--fast", "--sip", "203.0.113.1"], [new("alg", isOn ? "detected" : "none")]);
}
