using SipNat.Sip.Messages;
using SipNat.Wire;

namespace SipNat.Endpoint.Dns;

/// <summary>The servers of a SIP or SIPS URI (RFC 3263 §4, RFC 7984).</summary>
public sealed partial class ServerLookup
{
    private const int WebSocketPort = 80;
    private const int SecureWebSocketPort = 443;

    /// <summary>
    /// Where requests to a URI go. A numeric host needs no question, a port only addresses, a transport no NAPTR; where
    /// nothing of the kind is given the domain chooses. A URI that none of our transports reaches, and one of another
    /// scheme, has no servers.
    /// </summary>
    public static ServerLookup ForSip(SipUri uri, SipLookupOptions options, Random random)
    {
        var host = uri.TryGetParameter("maddr", out var maddr) && maddr.Length > 0 ? maddr : uri.Host;
        var isNumeric = TransportAddress.TryParse(host.Contains(':') ? $"[{host.Trim('[', ']')}]" : host, out var address);
        var isSecure = uri.Scheme is SipUriScheme.Sips;
        var chosen = options.Transport ?? TransportOf(uri.Transport);
        // RFC 3263 §4.1: without a word about it UDP for sip, TLS over TCP for sips.
        var usual = isSecure ? TransportProtocol.Tls : TransportProtocol.Udp;
        List<TransportProtocol> transports = [.. options.Transports.Distinct().Where(transport => !isSecure || transport is TransportProtocol.Tls or TransportProtocol.Wss)];
        if (uri.Transport is not null && chosen is null) transports.Clear();
        if (chosen is { } named) transports.RemoveAll(transport => transport != (isSecure ? Secured(named) : named));

        var rules = new Rules
        {
            Domain = DnsName.Normalize(host),
            Transports = transports,
            TransportsOf = services => SipTransports(services, isSecure),
            ServiceOf = ServiceOf,
            PortOf = transport => uri.Port != 0 ? uri.Port : DefaultPortOf(transport),
            Hosts = [.. transports.OrderBy(transport => transport == usual ? 0 : 1).Take(1)],
            Families = [.. ((DnsType[])[DnsType.Aaaa, DnsType.A]).Where(type => type is DnsType.A ? options.HasIPv4 : options.HasIPv6)],
            TlsName = DnsName.Normalize(uri.Host),
        };
        var lookup = new ServerLookup(rules, random);
        lookup.Begin(uri, chosen, isNumeric, address);
        return lookup;
    }

    /// <summary>The port of SIP over a transport where a URI has none (RFC 3261 §19.1.2, RFC 7118 §8).</summary>
    public static int DefaultPortOf(TransportProtocol transport) => transport switch
    {
        TransportProtocol.Udp or TransportProtocol.Tcp => SipUri.DefaultPort,
        TransportProtocol.Tls => SipUri.DefaultTlsPort,
        TransportProtocol.Ws => WebSocketPort,
        _ => SecureWebSocketPort,
    };

    private void Begin(SipUri uri, TransportProtocol? chosen, bool isNumeric, TransportAddress address)
    {
        var isReachable = uri.Scheme is SipUriScheme.Sip or SipUriScheme.Sips && _rules.Transports.Count > 0;
        if (!isReachable || (!isNumeric && !DnsName.IsValid(_rules.Domain)))
        {
            Finish();
        }
        else if (isNumeric)
        {
            var family = address.IsIPv4 ? DnsType.A : DnsType.Aaaa;
            _targets.AddRange(_rules.Hosts.Select(transport => new ServerTarget(transport, _rules.Domain, _rules.PortOf(transport)) { Addresses = { [family] = [address] } }));
            Finish();
        }
        else if (uri.Port != 0)
        {
            _targets.AddRange(_rules.Hosts.Select(transport => new ServerTarget(transport, _rules.Domain, uri.Port)));
            AskForAddresses();
        }
        else if (chosen is null)
        {
            Ask(new(_rules.Domain, DnsType.Naptr));
        }
        else
        {
            AskForServices(DefaultServices());
        }
    }

    private static TransportProtocol? TransportOf(string? parameter) => parameter?.ToLowerInvariant() switch
    {
        "udp" => TransportProtocol.Udp,
        "tcp" => TransportProtocol.Tcp,
        "tls" => TransportProtocol.Tls,
        "ws" => TransportProtocol.Ws,
        "wss" => TransportProtocol.Wss,
        _ => null,
    };

    // A sips URI names what lies below TLS (RFC 3261 §26.2.2); UDP has no place there, and stays what it is to match nothing.
    private static TransportProtocol Secured(TransportProtocol transport) => transport switch
    {
        TransportProtocol.Tcp => TransportProtocol.Tls,
        TransportProtocol.Ws => TransportProtocol.Wss,
        _ => transport,
    };

    // RFC 3263 §4.1, RFC 7118 §8; whoever asked for security takes nothing else.
    private static TransportProtocol[] SipTransports(string services, bool isSecure) => services.ToUpperInvariant() switch
    {
        "SIPS+D2T" => [TransportProtocol.Tls],
        "SIPS+D2W" => [TransportProtocol.Wss],
        _ when isSecure => [],
        "SIP+D2U" => [TransportProtocol.Udp],
        "SIP+D2T" => [TransportProtocol.Tcp],
        "SIP+D2W" => [TransportProtocol.Ws],
        _ => [],
    };

    // RFC 7118 names no service for WebSocket: what a NAPTR record names, or the host itself.
    private static string? ServiceOf(TransportProtocol transport) => transport switch
    {
        TransportProtocol.Udp => "_sip._udp",
        TransportProtocol.Tcp => "_sip._tcp",
        TransportProtocol.Tls => "_sips._tcp",
        _ => null,
    };
}

/// <summary>What a request can be sent by.</summary>
public sealed record SipLookupOptions
{
    /// <summary>What we speak, in the order in which it is tried where a domain names several and no order.</summary>
    public IReadOnlyList<TransportProtocol> Transports { get; init; } = [TransportProtocol.Udp, TransportProtocol.Tcp, TransportProtocol.Tls, TransportProtocol.Ws, TransportProtocol.Wss];

    /// <summary>The only one that will do, whatever the URI says; null to leave it to URI and DNS.</summary>
    public TransportProtocol? Transport { get; init; }

    public bool HasIPv4 { get; init; } = true;

    /// <summary>Where both are there IPv6 is tried first (RFC 6724): no NAT is on its way.</summary>
    public bool HasIPv6 { get; init; } = true;
}
