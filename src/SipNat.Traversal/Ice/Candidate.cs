using SipNat.Wire;

namespace SipNat.Traversal.Ice;

/// <summary>A UDP address at which one component of a stream may be reached (RFC 8445 §5.1).</summary>
/// <param name="Foundation">Equal for candidates of one type, base and server; 1–32 characters (RFC 8445 §5.1.1.3).</param>
/// <param name="Component">1 for RTP, 2 for RTCP; at most 256.</param>
/// <param name="Priority">1 to 2^31 − 1; the higher one is tried first.</param>
/// <param name="Address">Address and port.</param>
/// <param name="Type">How the address came to be known.</param>
/// <param name="Related">The base of a reflexive candidate, the mapped address of a relayed one; none for a host candidate.</param>
public sealed record Candidate(
    string Foundation,
    int Component,
    uint Priority,
    TransportAddress Address,
    CandidateType Type,
    TransportAddress Related = default)
{
    public const int MaxFoundationLength = 32;
    public const int MaxComponent = 256;

    /// <summary>The preference of the only, or best, address of a machine.</summary>
    public const int MaxLocalPreference = 65535;

    /// <summary>RFC 8445 §5.1.2.1.</summary>
    /// <param name="type">The type, which weighs most.</param>
    /// <param name="localPreference">0–65535: orders the addresses of one machine.</param>
    /// <param name="component">1–256.</param>
    public static uint PriorityOf(CandidateType type, int localPreference, int component)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(localPreference);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(localPreference, MaxLocalPreference);
        ArgumentOutOfRangeException.ThrowIfLessThan(component, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(component, MaxComponent);
        return ((uint)type.Preference << 24) | ((uint)localPreference << 8) | (uint)(MaxComponent - component);
    }
}
