using System.Diagnostics;
using SipNat.Wire;

namespace SipNat.Traversal.PortMapping;

/// <summary>What a <see cref="PortMapper"/> has to tell. The set is closed: switch over it.</summary>
public abstract record PortMappingEvent
{
    private PortMappingEvent()
    {
    }

    /// <summary>A port is reached from outside; also when it is reached elsewhere than before.</summary>
    /// <param name="Lifetime">How long the router keeps it without renewal; zero for ever.</param>
    public sealed record Mapped(InternalPort Port, TransportAddress External, TimeSpan Lifetime, PortMappingMethod Method) : PortMappingEvent;

    /// <summary>A port is not reached from outside any more; it is asked for again.</summary>
    public sealed record Lost(InternalPort Port, TransportAddress External) : PortMappingEvent;

    /// <summary>The router did not open a port, by any protocol that it speaks; it is asked again later.</summary>
    public sealed record Refused(InternalPort Port, PortMappingMethod Method, PortMappingOutcome Outcome) : PortMappingEvent;

    /// <summary>The router has lost its table: everything is asked for again.</summary>
    public sealed record RouterRestarted(PortMappingMethod Method) : PortMappingEvent;

    /// <summary>
    /// The router's own address outside (port 0). A private one, or another than a server on the internet sees, means a
    /// further NAT behind it.
    /// </summary>
    public sealed record RouterAddress(TransportAddress External, PortMappingMethod Method) : PortMappingEvent;

    /// <summary>The router speaks none of the protocols, or is told not to; it is asked again later.</summary>
    public sealed record NoRouter(TransportAddress Router) : PortMappingEvent;
}

public static class PortMappingEventText
{
    public static string Explain(this PortMappingEvent happened) => happened switch
    {
        PortMappingEvent.Mapped(var port, var external, var lifetime, var method) when lifetime == TimeSpan.Zero =>
            $"The router leads {external} to {port} (by {method.Explain()}, without an end).",
        PortMappingEvent.Mapped(var port, var external, var lifetime, var method) =>
            $"The router leads {external} to {port} (by {method.Explain()}, for {lifetime.TotalSeconds:F0} s).",
        PortMappingEvent.Lost(var port, var external) => $"The router does not lead {external} to {port} any more.",
        PortMappingEvent.Refused(var port, var method, var outcome) =>
            $"The router does not open {port} (asked by {method.Explain()}): {outcome.Explain()}.",
        PortMappingEvent.RouterRestarted(var method) => $"The router has lost its table of ports (told by {method.Explain()}): all are asked for again.",
        PortMappingEvent.RouterAddress({ IsPrivate: true } external, var method) =>
            $"The router's own address is {external.AddressText} (told by {method.Explain()}): it is behind a further NAT, and no port of it is reached from the internet.",
        PortMappingEvent.RouterAddress(var external, var method) => $"The router's own address is {external.AddressText} (told by {method.Explain()}).",
        PortMappingEvent.NoRouter(var router) =>
            $"The router {router.AddressText} answers neither PCP nor NAT-PMP nor UPnP: turn one of them on in its settings, or forward the ports by hand (Nat:ForwardedPorts).",
        _ => throw new UnreachableException(),
    };
}
