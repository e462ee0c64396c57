namespace SipNat.Endpoint.Calls;

/// <summary>Whether a call is recorded, and where.</summary>
public enum CallRecording
{
    /// <summary>It is not.</summary>
    None,

    /// <summary>Its owner does, by the captured audio; the other side is told.</summary>
    ByOwner,

    /// <summary>Both directions go into the recordings, as those of a recording session do; the other side is told.</summary>
    Kept,
}
