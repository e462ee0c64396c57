using System.Globalization;
using System.Net;
using System.Text;
using SipNat.Wire;

namespace SipNat.Traversal.PortMapping;

/// <summary>Writes the actions of WANIPConnection as SOAP requests (UPnP Device Architecture 1.1 §3.2.1).</summary>
internal sealed record UpnpAction(string Name, params IReadOnlyList<(string Name, string Value)> Arguments)
{
    // What people read in the router's list.
    private const string Description = "SipNat";

    public static UpnpAction GetExternalIPAddress() => new("GetExternalIPAddress");

    public static UpnpAction GetSpecificPortMappingEntry(InternalPort port, ushort external) =>
        new("GetSpecificPortMappingEntry", ("NewRemoteHost", ""), ("NewExternalPort", Text(external)), ("NewProtocol", Protocol(port)));

    public static UpnpAction DeletePortMapping(InternalPort port, ushort external) =>
        new("DeletePortMapping", ("NewRemoteHost", ""), ("NewExternalPort", Text(external)), ("NewProtocol", Protocol(port)));

    /// <param name="anyPort">Let the router take another external port where this one is taken.</param>
    /// <param name="lease">Zero for ever.</param>
    public static UpnpAction AddPortMapping(InternalPort port, ushort external, TimeSpan lease, bool anyPort) => new(
        anyPort ? "AddAnyPortMapping" : "AddPortMapping",
        ("NewRemoteHost", ""),
        ("NewExternalPort", Text(external)),
        ("NewProtocol", Protocol(port)),
        ("NewInternalPort", Text(port.Local.Port)),
        ("NewInternalClient", port.Local.AddressText),
        ("NewEnabled", "1"),
        ("NewPortMappingDescription", Description),
        ("NewLeaseDuration", Text((int)lease.TotalSeconds)));

    /// <summary>The value of the SOAPACTION header.</summary>
    public string Header(UpnpService service) => $"\"{service.Type}#{Name}\"";

    public byte[] Body(UpnpService service)
    {
        var body = new StringBuilder("<?xml version=\"1.0\"?>\r\n");
        body.Append("<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" s:encodingStyle=\"http://schemas.xmlsoap.org/soap/encoding/\">");
        body.Append(CultureInfo.InvariantCulture, $"<s:Body><u:{Name} xmlns:u=\"{service.Type}\">");
        foreach (var (name, value) in Arguments) body.Append(CultureInfo.InvariantCulture, $"<{name}>{WebUtility.HtmlEncode(value)}</{name}>");
        body.Append(CultureInfo.InvariantCulture, $"</u:{Name}></s:Body></s:Envelope>\r\n");
        return Encoding.UTF8.GetBytes(body.ToString());
    }

    private static string Protocol(InternalPort port) => port.Transport is TransportProtocol.Udp ? "UDP" : "TCP";

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
