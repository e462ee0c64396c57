namespace SipNat.Traversal.Ice;

/// <summary>Who nominates (RFC 8445 §6.1.1): the side that sent the first offer, or the full one where the other is lite.</summary>
public enum IceRole
{
    Controlling,
    Controlled,
}

/// <summary>Where an agent stands.</summary>
public enum IceState
{
    /// <summary>The peer's description is awaited; its checks are answered.</summary>
    New,

    /// <summary>Checks run. A path may carry media before they have ended (RFC 8445 §12.1).</summary>
    Checking,

    /// <summary>Every component has its nominated pair.</summary>
    Connected,

    /// <summary>No path was found in time. A restart begins anew.</summary>
    Failed,

    /// <summary>A nominated path is dead: nothing may be sent on it (RFC 7675 §5.1). A restart begins anew.</summary>
    Disconnected,
}
