namespace SipNat.NatLab.Topology;

/// <summary>A laboratory to build: a client's network on the left, a recorder's on the right, the internet between.</summary>
public sealed record TopologyOptions
{
    /// <summary>Prefix of the namespaces, at most 12 characters; null makes one that no other run has.</summary>
    public string? Name { get; init; }

    /// <summary>The first three numbers of the internet's addresses; a port mapping daemon takes 203.0.113 for no internet.</summary>
    public string PublicNetwork { get; init; } = "203.0.113";

    /// <summary>The router in front of <c>hostA</c>.</summary>
    public NatBehaviour Left { get; init; } = NatBehaviour.PortRestricted;

    /// <summary>The router in front of <c>hostB</c>.</summary>
    public NatBehaviour Right { get; init; } = NatBehaviour.PortRestricted;

    /// <summary>Both private networks are 10.0.0.0/24, and hostA's address is also that of hostB's neighbour.</summary>
    public bool Overlap { get; init; }

    /// <summary>Both private networks are 10.0.0.0/24, and hostA has hostB's very address.</summary>
    public bool SameAddress { get; init; }

    /// <summary>The kernel's SIP ALG (nf_nat_sip) works on UDP port 5060 of both routers.</summary>
    public bool Alg { get; init; }

    /// <summary>Ports of the right router that are forwarded 1:1 to hostB, UDP and TCP.</summary>
    public IReadOnlyList<PortRange> ForwardRight { get; init; } = [];

    /// <summary>Packets from inside to a router's public address come back in: UDP to the private host, TCP to its forwarded ports.</summary>
    public bool Hairpin { get; init; }

    /// <summary>Lifetime of a UDP mapping on all routers; null leaves the kernel's 30 s (fresh) and 120 s (established).</summary>
    public TimeSpan? UdpTimeout { get; init; }

    /// <summary>Lifetime of a UDP mapping that carried packets both ways for two seconds; null for that of a fresh one.</summary>
    public TimeSpan? UdpStreamTimeout { get; init; }

    /// <summary>No router passes IP fragments on.</summary>
    public bool DropFragments { get; init; }

    /// <summary>Packets in a hundred that are lost on their way to a host: 0–99.</summary>
    public int LossPercent { get; init; }
}

/// <summary>Ports from first to last, both included.</summary>
public readonly record struct PortRange(int First, int Last)
{
    /// <summary>Reads <c>5060</c> or <c>10000-10099</c>.</summary>
    public static bool TryParse(string text, out PortRange range)
    {
        var ends = text.Split('-');
        range = default;
        if (ends.Length > 2 || !ushort.TryParse(ends[0], out var first) || !ushort.TryParse(ends[^1], out var last)) return false;

        range = new(first, last);
        return first > 0 && first <= last;
    }

    public override string ToString() => First == Last ? $"{First}" : $"{First}-{Last}";
}
