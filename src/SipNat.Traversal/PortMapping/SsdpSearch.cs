using System.Text;
using SipNat.Wire;

namespace SipNat.Traversal.PortMapping;

/// <summary>Writes the question for an Internet Gateway Device (UPnP Device Architecture 1.1 §1.3.2).</summary>
internal static class SsdpSearch
{
    public static TransportAddress Group { get; } = TransportAddress.Parse("239.255.255.250:1900");

    /// <summary>Both are asked for: a version 2 should answer to 1 as well, and not every one does.</summary>
    public static IReadOnlyList<byte[]> Requests { get; } = [Search(1), Search(2)];

    // MX is how many seconds the answer may be spread over; there is one router only.
    private static byte[] Search(int version) => Encoding.ASCII.GetBytes(
        "M-SEARCH * HTTP/1.1\r\n"
        + $"HOST: {Group}\r\n"
        + "MAN: \"ssdp:discover\"\r\n"
        + "MX: 1\r\n"
        + $"ST: urn:schemas-upnp-org:device:InternetGatewayDevice:{version}\r\n"
        + "\r\n");
}
