using SipNat.Sip.Messages;
using SipNat.Wire;

namespace SipNat.Sip.Transactions;

/// <summary>
/// Where the answer to a request goes, and what its top Via gains on the way (RFC 3261 §18.2.1, §18.2.2, RFC 3581 §4).
/// A <c>maddr</c> is not followed: any sender could name a third party with it, and no multicast is spoken here.
/// </summary>
internal readonly record struct ResponseRoute(TransportAddress Destination, ViaStamp Stamp)
{
    /// <param name="via">The top Via of the request.</param>
    /// <param name="from">The source of the request.</param>
    /// <param name="forceRport"><see cref="TransactionOptions.ForceRport"/>.</param>
    public static ResponseRoute For(Via via, TransportProtocol transport, TransportAddress from, bool forceRport)
    {
        if (via.HasRPort) return new(from, new(from, from.Port));

        var isAddress = via.TryGetSentBy(SipUri.DefaultPort, out var sentBy);
        var isSource = isAddress && sentBy.HasSameAddress(from);
        var stamp = new ViaStamp(isSource ? default : from, 0);
        if (transport.IsReliable) return new(from, stamp);

        var isBehindNat = forceRport && !isSource && (!isAddress || sentBy.IsPrivate);
        var port = isBehindNat ? from.Port : via.Port == 0 ? SipUri.DefaultPort : via.Port;
        return new(from.WithPort(port), stamp);
    }
}
