using SipNat.Endpoint.Dns;
using SipNat.Fuzz.Engine;
using SipNat.Sip.Messages;
using SipNat.Wire;

namespace SipNat.Fuzz.Targets;

/// <summary>A SIP domain whose DNS answers anything: pointers that lead round in circles, thousands of records, addresses of nobody.</summary>
internal sealed class ServerLookupTarget : IFuzzTarget
{
    // Two rounds of pointers, the services, and two families of each host.
    private const int MaxQuestions = ServerLookup.MaxPointers + ServerLookup.MaxServices + (2 * ServerLookup.MaxTargets);

    private static readonly string[] Uris =
    [
        "sip:example", "sips:example", "sip:example;transport=tcp", "sip:example:5070", "sip:192.0.2.1", "sip:[2001:db8::1]", "sip:example;transport=wss", "sip:a@example;maddr=b.example",
    ];

    private static readonly string[] Names = ["example", "a.example", "b.example", "_sip._udp.example", "_sips._tcp.example", "", "c..d", "EXAMPLE."];
    private static readonly string[] Flags = ["s", "a", "", "S", "u"];
    private static readonly string[] Services = ["SIP+D2U", "SIP+D2T", "SIPS+D2T", "sip+d2w", "SIPS+D2W", "SIP+D2S", "RELAY:turn.udp", ""];

    public string Name => "server-lookup";

    public string Promise => "questions and servers are bounded; a lookup ends; a server has an address and a port that can be sent to, in a family that was wanted";

    public int MaxLength => 4096;

    public IReadOnlyList<byte[]> Tokens => [];

    public IEnumerable<byte[]> Seeds(Corpus corpus) => Script.Seeds(24, 512);

    public long AllowedBytes(int inputLength) => (512 * 1024) + (1024L * inputLength);

    public int Run(ReadOnlySpan<byte> input)
    {
        var script = new Script(input);
        var uri = SipUri.Parse(Uris[script.Next(Uris.Length)]);
        var options = new SipLookupOptions { HasIPv6 = script.NextBool(), HasIPv4 = script.NextBool(), Transports = [.. Enum.GetValues<TransportProtocol>().Take(1 + script.Next(5))] };
        var lookup = ServerLookup.ForSip(uri, options, new Random(script.NextByte()));
        var asked = 0;
        while (!lookup.IsDone)
        {
            Invariant.Holds(lookup.TryTakeQuestion(out var question), "A lookup that is not done has a question.");
            Invariant.Holds(++asked <= MaxQuestions, "Questions are bounded.");
            lookup.Handle(question, new(0, question, (DnsOutcome)script.Next(4), Answer(ref script), new(script.NextByte())));
        }

        Check(lookup, options);
        return HashCode.Combine(asked, Math.Min(lookup.Servers.Count, 4), lookup.Servers.Count > 0 ? lookup.Servers[0].Transport : default);
    }

    private static void Check(ServerLookup lookup, SipLookupOptions options)
    {
        Invariant.Holds(lookup.Servers.Count <= ServerLookup.MaxServers, "Servers are capped.");
        Invariant.Holds(lookup.Servers.Distinct().Count() == lookup.Servers.Count, "No server is told twice.");
        foreach (var server in lookup.Servers)
        {
            Invariant.Holds(server.Address is { IsNone: false, IsUnspecified: false, IsMulticastOrBroadcast: false, Port: not 0 }, "A server has an address and a port.");
            Invariant.Holds(options.Transports.Contains(server.Transport), "What we do not speak is not told.");
            Invariant.Holds(server.TlsName is null != server.Transport is TransportProtocol.Tls or TransportProtocol.Wss, "TLS, and it alone, has a name.");
        }

        Invariant.Holds(lookup.Servers.Count == 0 || options.HasIPv4 || options.HasIPv6, "A family that is not there is not told.");
    }

    private static List<DnsRecord> Answer(ref Script script)
    {
        var records = new List<DnsRecord>();
        for (var left = script.Next(24); left > 0; left--)
        {
            var name = Names[script.Next(Names.Length)];
            var (first, second) = (script.Next(4), script.Next(4));
            records.Add(script.Next(4) switch
            {
                0 => new DnsRecord.Pointer(name, default, first, second, Flags[script.Next(Flags.Length)], Services[script.Next(Services.Length)], Names[script.Next(Names.Length)]),
                1 => new DnsRecord.Service(name, default, first, second, script.Next(3) * 2530, Names[script.Next(Names.Length)]),
                2 => new DnsRecord.Host(name, default, new([script.NextByte(), 0, 2, (byte)second], 0)),
                _ => new DnsRecord.Host(name, default, new([script.NextByte(), .. new byte[14], (byte)second], 0)),
            });
        }

        return records;
    }
}
