namespace SipNat.Media.Srtp;

/// <summary>Why a packet was not let through. A metric tag, hence no text.</summary>
public enum SrtpDefect
{
    None,

    /// <summary>Too short for its header and its tag.</summary>
    TooShort,

    /// <summary>It names a key that was not agreed on.</summary>
    UnknownMki,

    /// <summary>It has been there, or is too old to know.</summary>
    Replayed,

    /// <summary>Another key, another suite, another roll-over counter, or not from the peer.</summary>
    AuthenticationFailed,

    /// <summary>RTCP that is authenticated and not encrypted, which is not agreed on.</summary>
    NotEncrypted,

    /// <summary>Genuine, from one SSRC more than are kept.</summary>
    TooManySources,
}
