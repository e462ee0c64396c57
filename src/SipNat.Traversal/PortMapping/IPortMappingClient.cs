using SipNat.Wire;

namespace SipNat.Traversal.PortMapping;

/// <summary>
/// One protocol spoken to one router: requests go one after the other and are repeated until they are answered or given
/// up. The owner hands in what came from the router and nothing else, and looks at <see cref="Deadline"/> after every input.
/// </summary>
internal interface IPortMappingClient
{
    PortMappingMethod Method { get; }

    /// <summary>Whether the router speaks the protocol; null until it has answered or was given up.</summary>
    bool? IsPresent { get; }

    /// <summary>The router's address outside, without a port; none while the protocol has not told it.</summary>
    TransportAddress External { get; }

    /// <summary>Whether nothing waits for the router.</summary>
    bool IsIdle { get; }

    Instant? Deadline { get; }

    /// <summary>Asks whether the router is there and still has its table.</summary>
    void Probe(Instant now);

    /// <summary>Asks for a mapping or for its renewal; answered by <see cref="TryTake"/>, always.</summary>
    /// <param name="suggested">The external address and port that would be liked; without an address the port alone.</param>
    void Map(Instant now, InternalPort port, TransportAddress suggested, TimeSpan lifetime);

    /// <summary>Ends a mapping, or forgets a request for it that has not been sent. Not answered.</summary>
    void Remove(Instant now, InternalPort port);

    void HandleTimeout(Instant now, Outbox outbox);

    bool TryTake(out PortMappingAnswer answer);

    /// <summary>Whether the router was found to have lost its table; asking clears it.</summary>
    bool TakeRestarted();
}
