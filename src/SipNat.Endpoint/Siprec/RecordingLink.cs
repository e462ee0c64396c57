namespace SipNat.Endpoint.Siprec;

/// <summary>
/// A name that a call has outside of the recording, and that the recording sessions of one call share: the same call may
/// be recorded in several dialogs, at once or one after the other.
/// </summary>
/// <param name="Kind">What kind of name, see <see cref="LinkKinds"/>.</param>
/// <param name="Value">The name as the client wrote it.</param>
public sealed record RecordingLink(string Kind, string Value);

/// <summary>The kinds of names that link recordings.</summary>
public static class LinkKinds
{
    /// <summary>A communication session group (RFC 7865 §6.2).</summary>
    public const string Group = "group";

    /// <summary>A communication session (RFC 7865 §6.3).</summary>
    public const string Session = "session";

    /// <summary>Half of a session identifier (RFC 7989): 32 hexadecimal digits.</summary>
    public const string SipSessionId = "sip-session-id";

    /// <summary>Avaya's universal call id, from User-to-User or extension data.</summary>
    public const string Ucid = "ucid";

    /// <summary>Ribbon's global call id.</summary>
    public const string Gcid = "gcid";

    /// <summary>BroadWorks' id of a call that is recorded.</summary>
    public const string ExtTrackingId = "ext-tracking-id";

    /// <summary>The call leg at Cisco's built-in bridge.</summary>
    public const string CallReference = "x-refci";

    /// <summary>The conversation that a connector of a contact centre names in Call-Info.</summary>
    public const string Conversation = "conversation";
}
