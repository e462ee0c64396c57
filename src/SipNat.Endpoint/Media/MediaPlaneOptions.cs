using SipNat.Media.Codecs;
using SipNat.Media.Streams;
using SipNat.Wire;

namespace SipNat.Endpoint.Media;

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

    /// <summary>Whether ICE is used, and how.</summary>
    public IceMode Ice { get; init; } = IceMode.Offered;

    /// <summary>Media go by relays only, so that a peer outside the local networks learns no address of ours.</summary>
    public bool IsRelayOnly { get; init; }

    /// <summary>The mean time between two consent checks of a path (RFC 7675 §5.1).</summary>
    public TimeSpan ConsentInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>After so long without an answer a path is dead (RFC 7675 §5.1).</summary>
    public TimeSpan ConsentTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The codecs that calls can use.</summary>
    public CodecRegistry Codecs { get; init; } = CodecRegistry.BuiltIn;

    /// <summary>A stream that should be sending and brings nothing for this long is a finding.</summary>
    public TimeSpan NoMediaAfter { get; init; } = TimeSpan.FromSeconds(5);
}
