using System.Net.Sockets;
using SipNat.Wire;

namespace SipNat.Sip.Sdp;

/// <summary>
/// The <c>c=</c> line (RFC 8866 §5.7), and the last three fields of <c>o=</c>. <paramref name="Address"/> is an address
/// or a host name; the multicast TTL and count are dropped when it is read.
/// </summary>
public sealed record SdpConnection(string NetworkType, string AddressType, string Address)
{
    /// <summary>The address of a socket of ours as peers are to see it; "none" is written as 0.0.0.0.</summary>
    public static SdpConnection From(TransportAddress address) =>
        address.IsNone ? new("IN", "IP4", "0.0.0.0")
        : new("IN", address.Family is AddressFamily.InterNetworkV6 ? "IP6" : "IP4", address.AddressText);

    /// <summary>The address with a port (0–65535); null where it is a host name or not an address.</summary>
    public TransportAddress? WithPort(int port)
    {
        // One colon would be read as the separator of a port, which this field does not have.
        if (Address.AsSpan().Count(':') == 1) return null;

        return TransportAddress.TryParse(Address, out var address) ? address.WithPort(port) : null;
    }

    /// <summary>0.0.0.0 or ::, by which older peers say "on hold" (RFC 3264 §8.4).</summary>
    public bool IsUnspecified => WithPort(0) is { IsUnspecified: true };
}
