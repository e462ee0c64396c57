namespace SipNat.Endpoint.Calls;

/// <summary>How far a call is.</summary>
public enum CallState
{
    /// <summary>Where the target is, a connection to it, or ports for media are awaited.</summary>
    Preparing,

    /// <summary>Our INVITE has no answer that says that anybody is there.</summary>
    Calling,

    /// <summary>Somebody is alerted: the callee of our call, or, of an incoming one, our own user.</summary>
    Ringing,

    /// <summary>Accepted, and not acknowledged yet.</summary>
    Answered,

    /// <summary>Both sides know that the call is up.</summary>
    Established,

    /// <summary>Over for its users; a last answer, or its media, is still awaited.</summary>
    Ending,

    Over,
}

/// <summary>Who began a call.</summary>
public enum CallDirection
{
    Outgoing,
    Incoming,
}
