using SipNat.Server.Transport;
using SipNat.Wire;

namespace SipNat.Server.Addressing;

/// <summary>Which addresses of this machine ICE may tell beside the one that a peer came in on.</summary>
internal static class HostAddresses
{
    // Of no network (RFC 3849, RFC 5737): the way to them is the way to the internet. Nothing is sent.
    private static readonly IReadOnlyList<TransportAddress> Outside = [TransportAddress.Parse("[2001:db8::1]:9"), TransportAddress.Parse("192.0.2.1:9")];

    /// <summary>
    /// One of each family for each interface, ports 0: first those that the kernel would take towards the internet, then in
    /// the order of the interfaces. Link-local ones are left out.
    /// </summary>
    /// <param name="interfaces">What the machine has.</param>
    /// <param name="configured">
    /// <c>Media:Address</c>, which is then the only one of its family; of the other family those of its interface are left.
    /// None where media may take any.
    /// </param>
    public static IReadOnlyList<TransportAddress> Of(IReadOnlyList<InterfaceAddress> interfaces, TransportAddress configured) =>
        Of(interfaces, configured, OutboundAddress.Towards);

    internal static IReadOnlyList<TransportAddress> Of(
        IReadOnlyList<InterfaceAddress> interfaces, TransportAddress configured, Func<TransportAddress, TransportAddress> route)
    {
        var outbound = Outside.Select(route).ToList();
        return [.. interfaces
            .Where(i => !i.Address.IsLinkLocal && IsAllowed(interfaces, i, configured))
            .OrderBy(i => outbound.IndexOf(i.Address) is var place && place < 0 ? outbound.Count : place)
            .DistinctBy(i => (i.Interface, i.Address.Family))
            .Select(i => i.Address)];
    }

    private static bool IsAllowed(IReadOnlyList<InterfaceAddress> interfaces, InterfaceAddress candidate, TransportAddress configured) =>
        configured.IsNone
        || candidate.Address.HasSameAddress(configured)
        || (candidate.Address.Family != configured.Family
            && interfaces.Any(i => i.Interface == candidate.Interface && i.Address.HasSameAddress(configured)));
}
