using SipNat.Wire;

namespace SipNat.Traversal.Stun;

/// <summary>Whom a <see cref="StunBindingClient"/> asks and how often.</summary>
public sealed record StunBindingOptions
{
    /// <summary>More servers are not asked.</summary>
    public const int MaxServers = 8;

    /// <summary>Resolved addresses in order of preference; a socket asks those of its own address family.</summary>
    public IReadOnlyList<TransportAddress> Servers { get; init; } = [];

    /// <summary>
    /// The longest time between two requests. A client whose mapping ends sooner lowers it for itself, and its owner may
    /// replace it (<see cref="StunBindingClient.LimitKeepalive"/>).
    /// </summary>
    public TimeSpan KeepaliveBound { get; init; } = KeepaliveInterval.DefaultBound;

    /// <summary>How long after one server the next is asked, while none has answered.</summary>
    public TimeSpan Stagger { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>The repetitions of a first request.</summary>
    public StunSchedule Probe { get; init; } = StunSchedule.Default;

    /// <summary>The repetitions of a keepalive.</summary>
    public StunSchedule Keepalive { get; init; } = StunSchedule.Keepalive;

    /// <summary>The same for one socket: a loopback address reaches nobody outside, so it asks only servers on this machine.</summary>
    public StunBindingOptions ReachableFrom(TransportAddress local) =>
        local.IsLoopback ? this with { Servers = [.. Servers.Where(s => s.IsLoopback)] } : this;
}
