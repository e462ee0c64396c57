using SipNat.Endpoint.Diagnosis;
using SipNat.Traversal.Discovery;
using SipNat.Wire;

namespace SipNat.Server.Hosting;

/// <summary>What was measured for each address family; null where no server or no route has it.</summary>
internal sealed record NatReport(NatMeasurement? IPv4, NatMeasurement? IPv6)
{
    /// <summary>Null where no SIP server was named.</summary>
    public SipAlgMeasurement? Alg { get; init; }

    /// <summary>What became of each TURN server; empty where none is known.</summary>
    public IReadOnlyList<TurnReach> Turn { get; init; } = [];

    public IEnumerable<(string Name, NatMeasurement Measured)> Families
    {
        get
        {
            if (IPv4 is not null) yield return ("IPv4", IPv4);
            if (IPv6 is not null) yield return ("IPv6", IPv6);
        }
    }

    /// <summary>Whether no family has UDP: at least one is blocked, and none is open.</summary>
    public bool IsUdpBlocked => HasNoUdp && Families.Any(family => family.Measured.UdpBlocked.Value is true);

    /// <summary>Whether no server of any family answered, not over TCP either: nothing is known.</summary>
    public bool IsUnreachable => Families.All(family => family.Measured.UdpBlocked.Value is null);

    /// <summary>Whether a relay is lent over a transport; null where no server was asked over it, or one answered and lent none.</summary>
    public bool? HasTurn(TransportProtocol transport)
    {
        var asked = Turn.Where(reach => reach.Target.Server.Transport == transport).ToList();
        if (asked.Exists(reach => reach.Outcome is TurnReachOutcome.Allocated)) return true;

        return asked.Count > 0 && asked.TrueForAll(reach => reach.Outcome is TurnReachOutcome.Silent) ? false : null;
    }

    private bool HasNoUdp => Families.All(family => family.Measured.UdpBlocked.Value is not false);
}
