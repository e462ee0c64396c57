using SipNat.Media.Streams;
using SipNat.Wire;

namespace SipNat.Endpoint.Calls;

/// <summary>What a <see cref="MediaPlane"/> needs to know beside its calls.</summary>
public sealed record MediaPlaneOptions
{
    /// <summary>Pairs of ports kept bound and mapped on each internal address, ready for the next session.</summary>
    public int SparePorts { get; init; } = 8;

    /// <summary>Upper bound of the time between two packets that keep a mapping alive.</summary>
    public TimeSpan Keepalive { get; init; } = TimeSpan.FromSeconds(25);

    /// <summary>Whose media may be followed.</summary>
    public LatchPolicy Latch { get; init; } = LatchPolicy.Signalling;

    /// <summary>Where requests, and with <see cref="LatchPolicy.Allowed"/> media, may come from.</summary>
    public IReadOnlyList<NetworkPrefix> AllowedNetworks { get; init; } = [];

    /// <summary>The networks that are reached without a NAT.</summary>
    public IReadOnlyList<NetworkPrefix> LocalNetworks { get; init; } = [];

    /// <summary>A stream that should be sending and brings nothing for this long is a finding.</summary>
    public TimeSpan NoMediaAfter { get; init; } = TimeSpan.FromSeconds(5);
}
