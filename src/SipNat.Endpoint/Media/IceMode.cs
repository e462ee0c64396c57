namespace SipNat.Endpoint.Media;

/// <summary>How ICE is used. The <c>Nat:Ice</c> setting.</summary>
public enum IceMode
{
    /// <summary>It is not: attributes of the peer are passed over, as RFC 8445 allows.</summary>
    Off,

    /// <summary>A full agent answers where the peer offers ICE, and is part of our own offers.</summary>
    Offered,

    /// <summary>The same by a lite agent (RFC 8445 §2.5), which has to be reachable at its host candidates.</summary>
    Lite,
}
