using System.Globalization;
using SipNat.Wire;

namespace SipNat.Traversal.PortMapping;

/// <summary>What a router answered to an action: values of the response, or the number of its error.</summary>
/// <param name="Error">The UPnP error (402–899); 0 for success, -1 where the answer says neither.</param>
/// <param name="External">NewExternalIPAddress, port 0; none without one.</param>
/// <param name="ReservedPort">NewReservedPort; 0 without one.</param>
/// <param name="InternalClient">NewInternalClient with NewInternalPort; none without them.</param>
public readonly record struct UpnpAnswer(int Error, TransportAddress External, ushort ReservedPort, TransportAddress InternalClient)
{
    private const int StatusOk = 200;
    private const int Unreadable = -1;

    /// <summary>Never fails: what cannot be read is an error without a number.</summary>
    /// <param name="status">The status of HTTP; 0 where there was no answer.</param>
    /// <param name="body">The body of the answer.</param>
    public static UpnpAnswer Read(int status, ReadOnlySpan<byte> body)
    {
        if (!UpnpXml.TryRead(body, out var elements)) return new(Unreadable, default, 0, default);
        if (status != StatusOk) return new(Number(elements, "errorCode") is > 0 and var code ? code : Unreadable, default, 0, default);

        return new(
            0,
            Address(elements, "NewExternalIPAddress"),
            (ushort)Number(elements, "NewReservedPort"),
            Address(elements, "NewInternalClient") is { IsNone: false } client ? client.WithPort(Number(elements, "NewInternalPort")) : default);
    }

    private static TransportAddress Address(IReadOnlyList<UpnpElement> elements, string name) =>
        TransportAddress.TryParse(Value(elements, name), out var address) && address is { Port: 0, IsUnspecified: false, IsMulticastOrBroadcast: false }
            ? address
            : default;

    private static int Number(IReadOnlyList<UpnpElement> elements, string name) =>
        int.TryParse(Value(elements, name), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= ushort.MaxValue ? number : 0;

    private static string Value(IReadOnlyList<UpnpElement> elements, string name)
    {
        foreach (var element in elements)
        {
            if (element.Name == name) return element.Text;
        }

        return "";
    }
}
