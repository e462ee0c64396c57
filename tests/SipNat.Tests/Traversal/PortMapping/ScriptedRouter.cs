using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using SipNat.Wire;

namespace SipNat.Tests.Traversal.PortMapping;

/// <summary>
/// A router that maps ports, written by hand from the layouts of RFC 6887, RFC 6886 and the UPnP documents; it shares no
/// code with the clients. Its table is <see cref="Table"/>: "udp 5060" to the external port.
/// </summary>
internal sealed partial class ScriptedRouter
{
    public const string Description = """
        <?xml version="1.0"?>
        <root xmlns="urn:schemas-upnp-org:device-1-0"><specVersion><major>1</major><minor>0</minor></specVersion>
        <device><deviceType>urn:schemas-upnp-org:device:InternetGatewayDevice:1</deviceType><deviceList><device>
        <serviceList><service><serviceType>urn:schemas-upnp-org:service:WANCommonInterfaceConfig:1</serviceType><controlURL>/ctl/CmnIfCfg</controlURL></service></serviceList>
        <deviceList><device><serviceList><service><serviceType>urn:schemas-upnp-org:service:WANIPConnection:VERSION</serviceType>
        <serviceId>urn:upnp-org:serviceId:WANIPConn1</serviceId><controlURL>/ctl/IPConn</controlURL></service></serviceList></device></deviceList>
        </device></deviceList></device></root>
        """;

    public bool SpeaksPcp { get; set; }

    public bool SpeaksNatPmp { get; set; }

    public bool SpeaksUpnp { get; set; }

    public int UpnpVersion { get; set; } = 1;

    public string Location { get; set; } = "http://192.168.1.1:5000/rootDesc.xml";

    public TransportAddress External { get; set; } = TransportAddress.Parse("198.51.100.7:0");

    /// <summary>Seconds that are granted at most.</summary>
    public uint MaxLifetime { get; set; } = 7200;

    /// <summary>The result of the next mappings by PCP and NAT-PMP; 0 is success.</summary>
    public byte Result { get; set; }

    /// <summary>The lifetime that goes with an error.</summary>
    public uint ErrorLifetime { get; set; } = 60;

    /// <summary>The UPnP error of a mapping with a lease; 0 is success.</summary>
    public Func<string, int> UpnpError { get; set; } = static _ => 0;

    /// <summary>Seconds since the table began, at the time zero of the scene.</summary>
    public double EpochAtStart { get; set; } = 1000;

    public SortedDictionary<string, int> Table { get; } = new(StringComparer.Ordinal);

    /// <summary>Loses the table at a time of the scene, in seconds.</summary>
    public void Restart(double at)
    {
        Table.Clear();
        EpochAtStart = -at;
    }

    /// <summary>The answer to a datagram for port 5351; null is silence.</summary>
    public byte[]? Answer(double at, byte[] request) => request[0] switch
    {
        2 when SpeaksPcp => AnswerPcp(at, request),
        // RFC 6886 §3.5: version 0, the opcode with its high bit, result 1, the epoch.
        2 when SpeaksNatPmp => [0, 128, 0, 1, .. Four((uint)(EpochAtStart + at))],
        0 when SpeaksNatPmp => AnswerNatPmp(at, request),
        _ => null,
    };

    public byte[] Announcement(double at) =>
        SpeaksPcp ? [2, 0x80, 0, 0, .. Four(0), .. Four((uint)(EpochAtStart + at)), .. new byte[12]]
        : [0, 128, 0, 0, .. Four((uint)(EpochAtStart + at)), .. Octets()];

    public byte[] SsdpAnswer(string target) => Encoding.ASCII.GetBytes(
        $"HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=120\r\nst: {target}\r\nUSN: uuid:00000000-0000-0000-0000-000000000000::{target}\r\nEXT:\r\nSERVER: Any/1.0 UPnP/1.1\r\nLocation:  {Location} \r\n\r\n");

    public (int Status, string Body) AnswerHttp(string path, string? action, string body)
    {
        if (action is null) return path == "/rootDesc.xml" ? (200, Description.Replace("VERSION", UpnpVersion.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal)) : (404, "");

        var name = action.Trim('"').Split('#')[1];
        var error = UpnpError(name + " " + Value(body, "NewLeaseDuration") + " " + Value(body, "NewExternalPort"));
        var key = Value(body, "NewProtocol").ToLowerInvariant() + " " + Value(body, "NewInternalPort");
        var external = int.TryParse(Value(body, "NewExternalPort"), CultureInfo.InvariantCulture, out var port) ? port : 0;
        switch (name)
        {
            case "GetExternalIPAddress":
                return Success(name, $"<NewExternalIPAddress>{External.AddressText}</NewExternalIPAddress>");
            case "GetSpecificPortMappingEntry":
                return Table.FirstOrDefault(entry => entry.Value == external).Key is { } known
                    ? Success(name, $"<NewInternalPort>{known[4..]}</NewInternalPort><NewInternalClient>192.168.1.10</NewInternalClient>")
                    : Fault(714);
            case "DeletePortMapping":
                if (Table.FirstOrDefault(entry => entry.Value == external).Key is { } mapped) Table.Remove(mapped);
                return Success(name, "");
            case "AddPortMapping" or "AddAnyPortMapping" when error != 0:
                return Fault(error);
            case "AddPortMapping":
                Table[key] = external;
                return Success(name, "");
            case "AddAnyPortMapping":
                Table[key] = external + 1;
                return Success(name, $"<NewReservedPort>{external + 1}</NewReservedPort>");
            default:
                return Fault(401);
        }
    }

    private byte[] AnswerPcp(double at, byte[] request)
    {
        var epoch = Four((uint)(EpochAtStart + at));
        if (request[1] == 0) return [2, 0x80, 0, 0, .. Four(0), .. epoch, .. new byte[12]];

        var lifetime = BinaryPrimitives.ReadUInt32BigEndian(request.AsSpan(4));
        if (Result != 0) return [2, 0x81, 0, Result, .. Four(ErrorLifetime), .. epoch, .. new byte[12], .. request[24..60]];

        var external = Enter(request[36] == 17, request[40..42], request[42..44], lifetime);
        return [2, 0x81, 0, 0, .. Four(Math.Min(lifetime, MaxLifetime)), .. epoch, .. new byte[12], .. request[24..42], .. external, .. new byte[10], 0xFF, 0xFF, .. Octets()];
    }

    private byte[] AnswerNatPmp(double at, byte[] request)
    {
        var epoch = Four((uint)(EpochAtStart + at));
        if (request[1] == 0) return [0, 128, 0, 0, .. epoch, .. Octets()];

        var lifetime = BinaryPrimitives.ReadUInt32BigEndian(request.AsSpan(8));
        if (Result != 0) return [0, (byte)(128 + request[1]), 0, Result, .. epoch, .. request[4..6], 0, 0, 0, 0, 0, 0];

        var external = Enter(request[1] == 1, request[4..6], request[6..8], lifetime);
        return [0, (byte)(128 + request[1]), 0, 0, .. epoch, .. request[4..6], .. external, .. Four(Math.Min(lifetime, MaxLifetime))];
    }

    // A port that another one has is given as the next free one.
    private byte[] Enter(bool udp, byte[] inside, byte[] suggested, uint lifetime)
    {
        var key = (udp ? "udp " : "tcp ") + ((inside[0] << 8) | inside[1]).ToString(CultureInfo.InvariantCulture);
        if (lifetime == 0)
        {
            Table.Remove(key);
            return [0, 0];
        }

        if (!Table.TryGetValue(key, out var port))
        {
            port = (suggested[0] << 8) | suggested[1];
            while (Table.Any(entry => entry.Value == port && entry.Key[0] == key[0])) port++;
            Table[key] = port;
        }

        return [(byte)(port >> 8), (byte)port];
    }

    private byte[] Octets() => External.ToIPAddress().GetAddressBytes();

    private static byte[] Four(uint value) => [(byte)(value >> 24), (byte)(value >> 16), (byte)(value >> 8), (byte)value];

    private static string Value(string body, string name) => Regex.Match(body, $"<{name}>([^<]*)</{name}>").Groups[1].Value;

    private static (int Status, string Body) Success(string action, string arguments) => (200, Envelope(
        $"<u:{action}Response xmlns:u=\"urn:schemas-upnp-org:service:WANIPConnection:1\">{arguments}</u:{action}Response>"));

    private static (int Status, string Body) Fault(int code) => (500, Envelope(
        $"<s:Fault><faultcode>s:Client</faultcode><faultstring>UPnPError</faultstring><detail><UPnPError xmlns=\"urn:schemas-upnp-org:control-1-0\"><errorCode>{code}</errorCode><errorDescription>No</errorDescription></UPnPError></detail></s:Fault>"));

    private static string Envelope(string body) =>
        $"<?xml version=\"1.0\"?><s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" s:encodingStyle=\"http://schemas.xmlsoap.org/soap/encoding/\"><s:Body>{body}</s:Body></s:Envelope>";
}
