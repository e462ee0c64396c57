using SipNat.Wire;

namespace SipNat.Traversal.PortMapping;

/// <summary>Which router a <see cref="PortMapper"/> asks, and how.</summary>
public sealed record PortMapperOptions
{
    /// <summary>The default gateway; the port is ignored. Nobody else is ever believed.</summary>
    public required TransportAddress Router { get; init; }

    /// <summary>
    /// What is asked for; the router may grant another. Two hours are what RFC 6886 §3.3 recommends: a program that was
    /// killed leaves its ports open for as long.
    /// </summary>
    public TimeSpan Lifetime { get; init; } = TimeSpan.FromHours(2);

    /// <summary>How often the router is asked whether it still has its table, while anything is mapped.</summary>
    public TimeSpan CheckInterval { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long after a round in which nobody answered the next one begins.</summary>
    public TimeSpan SearchInterval { get; init; } = TimeSpan.FromMinutes(15);
}
