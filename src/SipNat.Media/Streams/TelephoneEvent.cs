using SipNat.Wire;

namespace SipNat.Media.Streams;

/// <summary>A key or another event of a telephone, after its end (RFC 4733).</summary>
/// <param name="At">Arrival of its first packet.</param>
/// <param name="Code">0–255; 0–15 are the keys.</param>
/// <param name="Duration">How long it was pressed, as its sender says.</param>
/// <param name="Volume">Power of the tone in dBm0 with the sign dropped, 0–63.</param>
public readonly record struct TelephoneEvent(Instant At, byte Code, TimeSpan Duration, int Volume)
{
    /// <summary>The key, or null for other events (RFC 4733 §3.2).</summary>
    public char? Key => Code < 16 ? "0123456789*#ABCD"[Code] : null;
}
