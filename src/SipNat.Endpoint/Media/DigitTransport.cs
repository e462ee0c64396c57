namespace SipNat.Endpoint.Media;

/// <summary>How digits are sent, or were heard.</summary>
public enum DigitTransport
{
    /// <summary>As events in the media (RFC 4733). In band where these were not agreed on.</summary>
    Events,

    /// <summary>As the tones of their keys in the audio; they need a codec that passes these.</summary>
    InBand,
}
