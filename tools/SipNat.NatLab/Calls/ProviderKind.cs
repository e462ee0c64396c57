namespace SipNat.NatLab.Calls;

/// <summary>What a provider of SIP accounts does about the NATs of its clients.</summary>
public enum ProviderKind
{
    /// <summary>It keeps the source of a REGISTER beside the Contact, sends in-dialog requests where the dialog's came from, and relays the media to where they come from.</summary>
    Latching,

    /// <summary>It believes Contact, Via and session descriptions as told; media go from end to end. Over connections it sends requests back by the connection (RFC 5626).</summary>
    Strict,
}

/// <summary>What carries SIP between a client and its provider.</summary>
public enum CallTransport
{
    Udp,
    Tcp,
    Tls,
}

public static class CallTransports
{
    extension(CallTransport transport)
    {
        /// <summary>As the <c>transport</c> parameter of a URI has it.</summary>
        public string Name => transport.ToString().ToLowerInvariant();
    }
}
