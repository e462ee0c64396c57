using System.Diagnostics.CodeAnalysis;
using SipNat.Wire;

namespace SipNat.Traversal.PortMapping;

/// <summary>Finds the service that maps ports in the description of a router (UPnP Device Architecture 1.1 §2.3).</summary>
public static class UpnpDescription
{
    private const int MaxUrl = 1_024;

    // The names that may stand in a request of ours, best first: what a router writes is never repeated to it.
    private static readonly (string Type, bool MapsAnyPort)[] Known =
    [
        ("urn:schemas-upnp-org:service:WANIPConnection:2", true),
        ("urn:schemas-upnp-org:service:WANIPConnection:1", false),
        ("urn:schemas-upnp-org:service:WANPPPConnection:1", false),
    ];

    /// <summary>The best service whose control address is on the router itself.</summary>
    /// <param name="document">The description; at most 64 KiB are looked at.</param>
    /// <param name="location">Where it came from.</param>
    /// <param name="router">The router's address.</param>
    public static bool TryFindService(
        ReadOnlySpan<byte> document, Uri location, TransportAddress router, [NotNullWhen(true)] out UpnpService? service)
    {
        service = null;
        if (!UpnpXml.TryRead(document, out var elements)) return false;

        var (best, start) = (Known.Length, location);
        string? type = null, control = null;
        foreach (var (name, text) in elements)
        {
            switch (name)
            {
                case "URLBase":
                    if (TryLocate(text, location, router, out var named)) start = named;
                    break;
                case "serviceType":
                    type = text;
                    break;
                case "controlURL":
                    control = text;
                    break;
                case "service":
                    var rank = Array.FindIndex(Known, known => known.Type == type);
                    if (rank >= 0 && rank < best && control is not null && TryLocate(control, start, router, out var address))
                    {
                        (best, service) = (rank, new(Known[rank].Type, address, Known[rank].MapsAnyPort));
                    }

                    (type, control) = (null, null);
                    break;
                default:
                    break;
            }
        }

        return service is not null;
    }

    /// <summary>
    /// An address that a router named, if it is on that router: its answers would else make us ask anybody for anything.
    /// </summary>
    public static bool TryLocate(string text, Uri? start, TransportAddress router, [NotNullWhen(true)] out Uri? address)
    {
        address = null;
        if (text.Length is 0 or > MaxUrl) return false;

        var isUrl = start is null ? Uri.TryCreate(text, UriKind.Absolute, out var url) : Uri.TryCreate(start, text, out url);
        if (!isUrl || url is not { IsAbsoluteUri: true, Scheme: "http", UserInfo.Length: 0, Port: > 0 and <= ushort.MaxValue }) return false;
        if (url.HostNameType is not UriHostNameType.IPv4) return false;
        if (!TransportAddress.TryParse(url.Host, out var host) || !host.HasSameAddress(router)) return false;

        address = url;
        return true;
    }
}

/// <summary>The service of a router that maps ports.</summary>
/// <param name="Type">Its name in requests.</param>
/// <param name="Control">Where requests go.</param>
/// <param name="MapsAnyPort">Whether it knows AddAnyPortMapping (WANIPConnection:2 §2.5.18).</param>
public sealed record UpnpService(string Type, Uri Control, bool MapsAnyPort);
