using SipNat.Wire;

namespace SipNat.Endpoint.Calls;

/// <summary>A direction of a call that had no audio, and has again.</summary>
/// <param name="At">When it was heard again.</param>
/// <param name="From">The address that the other side had been told.</param>
/// <param name="To">The one that it is told now; equal where another step helped.</param>
/// <param name="After">How long there was nothing.</param>
public sealed record CallRecovery(Instant At, TransportAddress From, TransportAddress To, TimeSpan After)
{
    /// <summary>It was our own audio that did not arrive.</summary>
    public bool IsOutbound { get; init; }
}
