using SipNat.Wire;

namespace SipNat.Endpoint.Media;

/// <summary>One of the datagrams that a socket had when it was visited.</summary>
/// <param name="Arrival">When the kernel received it; for jitter and the timeline only.</param>
/// <param name="From">Who sent it.</param>
/// <param name="Offset">Where its bytes begin in the buffer of the visit.</param>
/// <param name="Length">How many there are.</param>
public readonly record struct ReceivedDatagram(Instant Arrival, TransportAddress From, int Offset, int Length);
