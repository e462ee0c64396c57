using SipNat.Sip.Sdp;

namespace SipNat.Endpoint.Calls;

/// <summary>What is wanted of a call, whichever side began it.</summary>
public sealed record CallTerms
{
    /// <summary>Audio that is spoken, in order of preference.</summary>
    public IReadOnlyList<PayloadFormat> Formats { get; init; } = SdpCapabilities.G711.Formats;

    /// <summary>How media are encrypted.</summary>
    public SrtpMode Srtp { get; init; } = SrtpMode.Offered;

    /// <summary>Whether the call is recorded, which the other side is told by <c>a=record</c> (RFC 7866 §5.3).</summary>
    public CallRecording Recording { get; init; }

    /// <summary>
    /// Whether the other side may pause a recording that is <see cref="CallRecording.Kept"/>, by <c>a=recordpref</c> with
    /// <c>off</c> or <c>pause</c> (RFC 7866 §5.3).
    /// </summary>
    public bool ObeysPreference { get; init; }
}
