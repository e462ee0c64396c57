using System.Text;
using SipNat.Fuzz.Engine;
using SipNat.Traversal.PortMapping;
using SipNat.Wire;

namespace SipNat.Fuzz.Targets;

/// <summary>What a router may send by HTTP: its description, and answers to SOAP actions.</summary>
internal sealed class RouterXmlTarget : IFuzzTarget
{
    private static readonly Uri Location = new("http://192.168.1.1:5000/rootDesc.xml");
    private static readonly TransportAddress Router = TransportAddress.Parse("192.168.1.1");

    public string Name => "router-xml";

    public string Promise => "a service is asked for on the router alone and by a name that we know; an answer is a success or an error, and never more than that";

    public int MaxLength => 16 * 1024;

    public IReadOnlyList<byte[]> Tokens { get; } =
    [
        .. ((string[])
        [
            "<service>", "</service>", "<serviceType>", "</serviceType>", "<controlURL>", "</controlURL>", "<URLBase>", "</URLBase>",
            "urn:schemas-upnp-org:service:WANIPConnection:1", "urn:schemas-upnp-org:service:WANPPPConnection:1",
            "http://192.168.1.1/", "http://192.168.1.1@198.51.100.1/", "//198.51.100.1/", "file:///", "<!DOCTYPE r [", "<!ENTITY a \"b\">", "&a;",
            "<errorCode>", "</errorCode>", "<NewExternalIPAddress>", "<NewReservedPort>", "<![CDATA[", "]]>", "&#x41;", "99999999999",
        ]).Select(Encoding.UTF8.GetBytes),
    ];

    public IEnumerable<byte[]> Seeds(Corpus corpus)
    {
        yield return "<root><URLBase>http://192.168.1.1:80/</URLBase><service><serviceType>urn:schemas-upnp-org:service:WANIPConnection:1</serviceType><controlURL>/ctl</controlURL></service></root>"u8.ToArray();
        yield return "<s:Envelope xmlns:s='a'><s:Body><u:X xmlns:u='b'><NewExternalIPAddress>198.51.100.7</NewExternalIPAddress><NewReservedPort>5061</NewReservedPort></u:X></s:Body></s:Envelope>"u8.ToArray();
        yield return "<s:Envelope xmlns:s='a'><s:Body><s:Fault><detail><UPnPError xmlns='b'><errorCode>718</errorCode></UPnPError></detail></s:Fault></s:Body></s:Envelope>"u8.ToArray();
    }

    // The parser has buffers of its own, and each element is a text.
    public long AllowedBytes(int inputLength) => (512 * 1024) + (64L * inputLength);

    public int Run(ReadOnlySpan<byte> input)
    {
        var isFound = UpnpDescription.TryFindService(input, Location, Router, out var service);
        if (isFound)
        {
            Invariant.Holds(service!.Control is { Scheme: "http", Host: "192.168.1.1", UserInfo.Length: 0 }, "Only the router is asked.");
            Invariant.Holds(service.Type.StartsWith("urn:schemas-upnp-org:service:WAN", StringComparison.Ordinal), "A service has a name that we know.");
        }

        var success = UpnpAnswer.Read(200, input);
        var failure = UpnpAnswer.Read(500, input);
        Invariant.Holds(success.Error is 0 or -1 && failure.Error != 0, "The status says whether it is a success.");
        Invariant.Holds(success.External.IsNone || success.External is { Port: 0, IsUnspecified: false }, "An address is one that can be used.");
        return HashCode.Combine(isFound, success.Error, Math.Min(failure.Error, 1000), success.External.IsNone, success.ReservedPort == 0);
    }
}
