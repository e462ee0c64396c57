using System.Text;
using SipNat.Wire;

namespace SipNat.Simulation.Ice.Topologies;

/// <summary>Hosts, the routers in front of them, who talks to whom, and what goes wrong: everything that a run and its oracle know.</summary>
/// <param name="Seed">What it was drawn from.</param>
/// <param name="Routers">Outer ones before those behind them.</param>
/// <param name="Hosts">Two to four.</param>
/// <param name="Sessions">Who talks to whom.</param>
/// <param name="Path">What the internet does to datagrams.</param>
/// <param name="Restart">The router that restarts once all are connected; null where none does.</param>
public sealed record IceTopology(
    int Seed,
    IReadOnlyList<RouterPlan> Routers,
    IReadOnlyList<HostPlan> Hosts,
    IReadOnlyList<SessionPlan> Sessions,
    Impairment Path,
    RestartPlan? Restart)
{
    public override string ToString()
    {
        var text = new StringBuilder();
        text.Append(FormattableString.Invariant(
            $"loss {Path.Loss:P1}, duplication {Path.Duplication:P1}, delay {Path.Delay.TotalMilliseconds:F0} + {Path.Jitter.TotalMilliseconds:F0} ms"));
        for (var i = 0; i < Routers.Count; i++) text.Append($"; router {i} {Routers[i]}");
        for (var i = 0; i < Hosts.Count; i++) text.Append($"; host {i} {Hosts[i]}");
        foreach (var session in Sessions) text.Append($"; {session}");
        return Restart is null ? text.ToString() : text.Append($"; {Restart}").ToString();
    }
}

/// <summary>A NAT, or a firewall in front of IPv6 hosts, which is a NAT that keeps ports.</summary>
/// <param name="Parent">The router outside of it; null on the internet.</param>
/// <param name="External">Its address there, with port 0.</param>
/// <param name="Options">How it behaves.</param>
public sealed record RouterPlan(int? Parent, TransportAddress External, NatOptions Options)
{
    public override string ToString() =>
        $"{External.AddressText} behind {Parent?.ToString() ?? "nothing"}: {Options.Mapping}/{Options.Filtering}/{Options.PortAssignment}{(Options.Hairpin ? "/hairpin" : "")} {Options.FreshLifetime.TotalSeconds:F0}/{Options.EstablishedLifetime.TotalSeconds:F0} s";
}

/// <summary>An address of a host, and the router that it is behind.</summary>
public readonly record struct HostAddress(TransportAddress Address, int? Router)
{
    public override string ToString() => $"{Address.AddressText} behind {Router?.ToString() ?? "nothing"}";
}

/// <summary>A machine with an address of one family or of both.</summary>
public sealed record HostPlan(HostAddress? IPv4, HostAddress? IPv6)
{
    /// <summary>In the order in which sockets open: IPv6 is preferred (RFC 8421).</summary>
    public IEnumerable<HostAddress> Addresses
    {
        get
        {
            if (IPv6 is { } first) yield return first;
            if (IPv4 is { } second) yield return second;
        }
    }

    public override string ToString() => string.Join(" and ", Addresses);
}

/// <summary>Two hosts that want to talk; the left one sends the offer. The relay lends IPv4 addresses.</summary>
public sealed record SessionPlan(int Left, int Right, int Components, bool LeftHasRelay, bool RightHasRelay)
{
    public override string ToString() => $"{Left}{(LeftHasRelay ? " (relay)" : "")} calls {Right}{(RightHasRelay ? " (relay)" : "")}, {Components} components";
}

/// <summary>A router that forgets its mappings, or gets another address.</summary>
/// <param name="Router">Which one.</param>
/// <param name="Renumbered">Its new external address; none where it keeps the old one.</param>
/// <param name="Outage">How long nothing passes.</param>
public sealed record RestartPlan(int Router, TransportAddress Renumbered, TimeSpan Outage)
{
    public override string ToString() =>
        Renumbered.IsNone ? $"router {Router} restarts in {Outage.TotalSeconds:F1} s" : $"router {Router} becomes {Renumbered.AddressText}";
}

/// <summary>What carries a session, the better first.</summary>
public enum PathClass
{
    /// <summary>Between two addresses of the hosts themselves.</summary>
    Own,

    /// <summary>Through a NAT.</summary>
    Translated,

    /// <summary>By a TURN server.</summary>
    Relayed,

    /// <summary>By nothing.</summary>
    None,
}
