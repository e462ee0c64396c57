using SipNat.Sip.Sdp;

namespace SipNat.Endpoint.Calls;

/// <summary>What is wanted of a call, whichever side began it.</summary>
public sealed record CallTerms
{
    /// <summary>Audio that is spoken, in order of preference.</summary>
    public IReadOnlyList<PayloadFormat> Formats { get; init; } = SdpCapabilities.G711.Formats;

    /// <summary>How media are encrypted.</summary>
    public SrtpMode Srtp { get; init; } = SrtpMode.Offered;

    /// <summary>Whether the call is recorded, which the other side is told (RFC 7866 §6.1.2).</summary>
    public bool IsRecorded { get; init; }
}
