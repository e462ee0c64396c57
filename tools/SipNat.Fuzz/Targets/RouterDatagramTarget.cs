using System.Text;
using SipNat.Fuzz.Engine;
using SipNat.Traversal.PortMapping;

namespace SipNat.Fuzz.Targets;

/// <summary>What a router may send in one datagram: responses of PCP and NAT-PMP, and answers to an SSDP search.</summary>
internal sealed class RouterDatagramTarget : IFuzzTarget
{
    public string Name => "router-datagram";

    public string Promise => "what is read lies within the datagram and its values are total; what cannot be read has a defect";

    public int MaxLength => 8 * 1024;

    public IReadOnlyList<byte[]> Tokens { get; } =
    [
        [2, 0x80], [2, 0x81], [0, 128], [0, 129], [0, 130], [0xFF, 0xFF],
        "HTTP/1.1 200 OK\r\n"u8.ToArray(), "ST: "u8.ToArray(), "LOCATION: "u8.ToArray(), "\r\n\r\n"u8.ToArray(),
        "urn:schemas-upnp-org:device:InternetGatewayDevice:1"u8.ToArray(), "http://192.168.1.1:5000/"u8.ToArray(),
    ];

    public IEnumerable<byte[]> Seeds(Corpus corpus)
    {
        yield return [2, 0x80, 0, 0, .. new byte[4], 0, 0, 1, 0, .. new byte[12]];
        yield return [2, 0x81, 0, 0, 0, 0, 0x1C, 0x20, 0, 0, 1, 0, .. new byte[12], .. new byte[12], 17, 0, 0, 0, 0x13, 0xC4, 0x13, 0xC4, .. new byte[10], 0xFF, 0xFF, 198, 51, 100, 7];
        yield return [0, 128, 0, 0, 0, 0, 1, 0, 198, 51, 100, 7];
        yield return [0, 129, 0, 0, 0, 0, 1, 0, 0x13, 0xC4, 0x13, 0xC4, 0, 0, 0x1C, 0x20];
        yield return [0, 128, 0, 1, 0, 0, 1, 0];
        yield return Encoding.ASCII.GetBytes("HTTP/1.1 200 OK\r\nST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\nLOCATION: http://192.168.1.1:5000/rootDesc.xml\r\n\r\n");
    }

    public long AllowedBytes(int inputLength) => 64 * 1024;

    public int Run(ReadOnlySpan<byte> input) => HashCode.Combine(RunPcp(input), RunNatPmp(input), RunSsdp(input));

    private static int RunPcp(ReadOnlySpan<byte> input)
    {
        var isRead = PcpResponse.TryRead(input, out var response, out var defect);
        Invariant.Holds(isRead == defect is PcpDefect.None, "What cannot be read has a defect.");
        if (!isRead) return (int)defect;

        Invariant.Holds(input.Length is >= PcpResponse.HeaderLength and <= PcpResponse.MaxLength, "A response has a length that it may have.");
        if (response.Opcode is not PcpOpcode.Map) return HashCode.Combine(response.Opcode, response.Result);

        Invariant.Holds(!response.External.IsNone, "A mapping has an address.");
        return HashCode.Combine(response.Result, response.Protocol, response.External.IsIPv4);
    }

    private static int RunNatPmp(ReadOnlySpan<byte> input)
    {
        var isRead = NatPmpResponse.TryRead(input, out var response, out var defect);
        Invariant.Holds(isRead == defect is NatPmpDefect.None, "What cannot be read has a defect.");
        if (!isRead) return (int)defect;

        Invariant.Holds(response.External.IsNone || response.External is { IsIPv4: true, Port: 0 }, "The address is one of IPv4 without a port.");
        return HashCode.Combine(response.Opcode, Math.Min((int)response.Result, 6), response.InternalPort == 0, response.Lifetime == 0);
    }

    private static int RunSsdp(ReadOnlySpan<byte> input)
    {
        var isRead = SsdpResponse.TryRead(input, out var response, out var defect);
        Invariant.Holds(isRead == defect is SsdpDefect.None, "What cannot be read has a defect.");
        if (!isRead) return (int)defect;

        Invariant.Inside(input, response.Location, "location");
        Invariant.Inside(input, response.SearchTarget, "search target");
        Invariant.Holds(!response.Location.IsEmpty && Ascii.IsValid(response.Location), "A location is ASCII and not empty.");
        return HashCode.Combine(response.IsGateway, response.Location.Length);
    }
}
