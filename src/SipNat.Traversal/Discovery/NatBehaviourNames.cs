using System.Diagnostics;

namespace SipNat.Traversal.Discovery;

/// <summary>The words for NAT behaviours: the classic names, and those of RFC 4787.</summary>
public static class NatBehaviourNames
{
    private const char Separator = '/';

    private static readonly (string Name, NatBehaviour Behaviour)[] Classic =
    [
        ("open", NatBehaviour.Open),
        ("full-cone", NatBehaviour.FullCone),
        ("address-restricted", NatBehaviour.AddressRestricted),
        ("port-restricted", NatBehaviour.PortRestricted),
        ("symmetric", NatBehaviour.Symmetric),
        ("double", NatBehaviour.Double),
        ("udp-blocked", NatBehaviour.UdpBlocked),
    ];

    private static readonly (string Word, EndpointDependence Dependence)[] Words =
    [
        ("none", EndpointDependence.None),
        ("endpoint-independent", EndpointDependence.EndpointIndependent),
        ("address-dependent", EndpointDependence.AddressDependent),
        ("address-and-port-dependent", EndpointDependence.AddressAndPortDependent),
    ];

    /// <summary>Every classic name, in the order from the kindest to the strictest.</summary>
    public static IEnumerable<string> ClassicNames => Classic.Select(pair => pair.Name);

    /// <summary>Every word of RFC 4787, and <c>none</c>.</summary>
    public static IEnumerable<string> RfcWords => Words.Select(pair => pair.Word);

    /// <summary>Reads a classic name, <c>MAPPING/FILTERING</c> in the words of RFC 4787, or one such word for both.</summary>
    public static bool TryParse(string text, out NatBehaviour behaviour)
    {
        behaviour = Array.Find(Classic, pair => pair.Name == text).Behaviour;
        if (behaviour is not null) return true;

        behaviour = NatBehaviour.Open;
        var parts = text.Split(Separator);
        if (parts.Length > 2 || !TryParseWord(parts[0], out var mapping) || !TryParseWord(parts[^1], out var filtering)) return false;

        behaviour = new(mapping, filtering);
        return true;
    }

    extension(NatBehaviour behaviour)
    {
        /// <summary>The classic name; null for a combination that has none.</summary>
        public string? ClassicName => Array.Find(Classic, pair => pair.Behaviour == behaviour).Name;
    }

    extension(EndpointDependence dependence)
    {
        /// <summary>The word of RFC 4787.</summary>
        public string Word => Array.Find(Words, pair => pair.Dependence == dependence).Word ?? throw new UnreachableException();
    }

    private static bool TryParseWord(string text, out EndpointDependence dependence)
    {
        var found = Array.FindIndex(Words, pair => pair.Word == text);
        dependence = found >= 0 ? Words[found].Dependence : default;
        return found >= 0;
    }
}
