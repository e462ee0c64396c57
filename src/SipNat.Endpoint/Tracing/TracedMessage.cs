using SipNat.Wire;

namespace SipNat.Endpoint.Tracing;

/// <summary>One message on the wire, as it is shown in a trace.</summary>
/// <param name="At">The time of day.</param>
/// <param name="Transport">What carried it; over TLS the message is the one inside.</param>
/// <param name="From">Who sent it.</param>
/// <param name="To">Where it went.</param>
/// <param name="Length">Its bytes, of which the beginning alone may be shown.</param>
public readonly record struct TracedMessage(DateTimeOffset At, TransportProtocol Transport, TransportAddress From, TransportAddress To, int Length)
{
    /// <summary>Whether it can be shown as a packet.</summary>
    public bool IsShown => !From.IsNone && From.Family == To.Family;
}
