using SipNat.Sip.Messages;

namespace SipNat.Endpoint.Calls;

/// <summary>A call to be placed.</summary>
public sealed record CallRequest
{
    /// <summary>Long enough for any phone to be found; providers give up sooner.</summary>
    public static readonly TimeSpan DefaultRingTimeout = TimeSpan.FromMinutes(3);

    /// <summary>Who is called.</summary>
    public required SipUri Target { get; init; }

    /// <summary>The account that calls, by its provider; null calls the target itself.</summary>
    public string? Account { get; init; }

    public CallTerms Terms { get; init; } = new();

    /// <summary>After so long without an answer the call is given up.</summary>
    public TimeSpan RingTimeout { get; init; } = DefaultRingTimeout;

    /// <summary>The first offer is the other side's (RFC 3261 §13.2.1): some gateways want it so.</summary>
    public bool OffersLater { get; init; }

    /// <summary>A Replaces value, where the call takes the place of another one (RFC 3891); null where it does not.</summary>
    public string? Replaces { get; init; }

    /// <summary>Who asked for this call by REFER (RFC 3892); null where nobody did.</summary>
    public string? ReferredBy { get; init; }

    /// <summary>The call whose peer asked for this one by REFER; null where none did.</summary>
    public SessionId? TransferOf { get; init; }
}
