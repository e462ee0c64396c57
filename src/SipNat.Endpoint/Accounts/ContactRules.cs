using SipNat.Endpoint.Addressing;
using SipNat.Wire;

namespace SipNat.Endpoint.Accounts;

/// <summary>What is to be done about the address of a Contact after the registrar has said where it saw us.</summary>
internal enum ContactVerdict
{
    /// <summary>It is where we were seen, or the registrar does not say.</summary>
    Fits,

    /// <summary>We were seen elsewhere: registered once more, with that address.</summary>
    Replace,

    /// <summary>We were seen elsewhere, and the Contact stays: what was seen is of no more use to those who call.</summary>
    Keep,

    /// <summary>It was replaced already, and we were seen elsewhere again: the NAT maps each flow anew, or another host answers each time.</summary>
    Asymmetric,
}

/// <summary>Whether a Contact is replaced by the address that a registrar saw (RFC 3581, RFC 5626 §4.2).</summary>
internal static class ContactRules
{
    /// <param name="used">The address of the Contact that was registered.</param>
    /// <param name="seen">What <c>received</c> and <c>rport</c> of the answer say; none where it has neither.</param>
    /// <param name="registrar">Who answered.</param>
    /// <param name="wasReplaced">Whether a Contact was replaced by what was seen since the path last changed.</param>
    public static ContactVerdict Judge(TransportAddress used, TransportAddress seen, TransportAddress registrar, LocalNetworks local, bool wasReplaced)
    {
        if (seen.IsNone || seen == used) return ContactVerdict.Fits;

        // A registrar on the internet that sees a private address was told it by a gateway that rewrites SIP.
        if (!local.IsInside(registrar) && seen.IsPrivate) return ContactVerdict.Keep;

        // Behind a private address that is right, another port is that of a proxy's own NAT.
        if (used.IsPrivate && seen.HasSameAddress(used)) return ContactVerdict.Keep;

        return wasReplaced ? ContactVerdict.Asymmetric : ContactVerdict.Replace;
    }
}
