using SipNat.Traversal.Ice;
using SipNat.Wire;

namespace SipNat.Endpoint.Media;

/// <summary>What a <see cref="PathFinder"/> has found. The set is closed: switch over it.</summary>
internal abstract record PathEvent
{
    private PathEvent()
    {
    }

    /// <summary>Packets of a component take another path from here on.</summary>
    public sealed record Changed(int Component, IcePath Path) : PathEvent;

    /// <summary>Every component has its nominated path.</summary>
    public sealed record Connected(TimeSpan Took) : PathEvent;

    /// <summary>ICE found nothing: packets go as they would without it.</summary>
    public sealed record Failed(int PairsTried) : PathEvent;

    /// <summary>The peer answers no more on a path; ICE begins anew.</summary>
    public sealed record Lost(int Component, IcePath Path) : PathEvent;

    /// <summary>The public address of a socket is another one; ICE begins anew.</summary>
    public sealed record MappingChanged(TransportAddress Mapped) : PathEvent;

    /// <summary>A TURN server relays for a component.</summary>
    public sealed record Relayed(int Component, TransportAddress Address, TransportAddress Server) : PathEvent;

    /// <summary>No TURN server relays for a component.</summary>
    public sealed record NoRelay(int Component, string Why) : PathEvent;
}
