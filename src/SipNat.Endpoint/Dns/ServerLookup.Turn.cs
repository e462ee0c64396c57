using SipNat.Traversal.Turn;
using SipNat.Wire;

namespace SipNat.Endpoint.Dns;

/// <summary>The servers of STUN (RFC 8489 §8) and TURN (RFC 5928). A domain without records is a host, to be resolved like any other.</summary>
public sealed partial class ServerLookup
{
    private const string Relay = "RELAY:";

    /// <summary>STUN over UDP: <c>_stun._udp</c>.</summary>
    public static ServerLookup ForStun(string domain, Random random)
    {
        var rules = new Rules
        {
            Domain = domain.TrimEnd('.'),
            Transports = [TransportProtocol.Udp],
            ServiceOf = static _ => "_stun._udp",
            PortOf = static _ => TurnUri.DefaultPort,
        };
        var lookup = new ServerLookup(rules, random);
        lookup.AskForServices(lookup.DefaultServices());
        return lookup;
    }

    /// <summary>TURN, for a URI that names a domain and no port; without a transport NAPTR records are asked for first.</summary>
    public static ServerLookup ForTurn(TurnUri uri, Random random)
    {
        var rules = new Rules
        {
            Domain = uri.Host.TrimEnd('.'),
            // turn: alone asks for no security (RFC 5928 §3): TLS is for turns:.
            Transports = uri.IsSecure ? [TransportProtocol.Tls]
                : uri.Transport is { } transport ? [transport]
                : [TransportProtocol.Udp, TransportProtocol.Tcp],
            TransportsOf = RelayTransports,
            ServiceOf = static transport => transport switch
            {
                TransportProtocol.Udp => "_turn._udp",
                TransportProtocol.Tcp => "_turn._tcp",
                _ => "_turns._tcp",
            },
            PortOf = static transport => transport is TransportProtocol.Tls ? TurnUri.DefaultSecurePort : TurnUri.DefaultPort,
        };
        var lookup = new ServerLookup(rules, random);
        if (uri.Transport is null) lookup.Ask(new(DnsName.Normalize(uri.Host), DnsType.Naptr));
        else lookup.AskForServices(lookup.DefaultServices());
        return lookup;
    }

    private static IEnumerable<TransportProtocol> RelayTransports(string services) => !services.StartsWith(Relay, StringComparison.OrdinalIgnoreCase) ? []
        : services[Relay.Length..].ToLowerInvariant().Split(':')
            .Select(static TransportProtocol? (word) => word switch
            {
                "turn.udp" => TransportProtocol.Udp,
                "turn.tcp" => TransportProtocol.Tcp,
                "turn.tls" => TransportProtocol.Tls,
                _ => null,
            })
            .OfType<TransportProtocol>();
}
