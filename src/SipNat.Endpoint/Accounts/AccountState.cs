namespace SipNat.Endpoint.Accounts;

/// <summary>How an account stands with its registrar.</summary>
public enum AccountState
{
    /// <summary>The DNS is asked where the registrar is.</summary>
    Locating,

    /// <summary>A connection is being made, or a socket awaited.</summary>
    Connecting,

    /// <summary>A REGISTER is under way, and no registration is known to stand.</summary>
    Registering,

    Registered,

    /// <summary>The last try failed; the next one has its time.</summary>
    Waiting,

    /// <summary>The registrar does not take the credentials: nothing is tried any more.</summary>
    Refused,

    /// <summary>The binding is being removed.</summary>
    Unregistering,

    Unregistered,
}
