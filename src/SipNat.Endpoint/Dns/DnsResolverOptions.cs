using System.Globalization;
using SipNat.Wire;

namespace SipNat.Endpoint.Dns;

/// <summary>Whom to ask, and how patiently.</summary>
public sealed record DnsResolverOptions
{
    public const int DefaultPort = 53;

    /// <summary>Servers that are taken from a resolv.conf, as everywhere.</summary>
    public const int MaxServers = 3;

    /// <summary>Search domains that are taken from a resolv.conf.</summary>
    public const int MaxSearchDomains = 6;

    private const int MaxSeconds = 30;
    private const int MaxAttempts = 5;
    private const int MaxDots = 15;

    /// <summary>Recursive servers, in the order in which they are asked.</summary>
    public IReadOnlyList<TransportAddress> Servers { get; init; } = [];

    /// <summary>Domains that are put behind a name with few dots.</summary>
    public IReadOnlyList<string> SearchDomains { get; init; } = [];

    /// <summary>A name with fewer dots is looked for in the search domains first; 0–15.</summary>
    public int Dots { get; init; } = 1;

    /// <summary>How long one server has for one answer; 1–30 s. Callers wait, so it is less than the usual 5 s.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How often each server is asked; 1–5.</summary>
    public int Attempts { get; init; } = 2;

    /// <summary>
    /// Reads a resolv.conf (resolv.conf(5)): nameserver, search, domain, and of the options ndots, timeout and attempts.
    /// What is not understood is passed over, link-local servers with a scope too.
    /// </summary>
    public static DnsResolverOptions Read(string text)
    {
        var options = new DnsResolverOptions();
        var servers = new List<TransportAddress>();
        foreach (var line in text.Split('\n'))
        {
            var words = line.Split((char[])[' ', '\t', '\r'], StringSplitOptions.RemoveEmptyEntries);
            switch (words)
            {
                case ["nameserver", var address, ..] when servers.Count < MaxServers:
                    var host = address.Contains(':') ? $"[{address}]" : address;
                    if (TransportAddress.TryParse(host, out var server, DefaultPort)) servers.Add(server);
                    break;
                case ["search" or "domain", .. var domains]:
                    options = options with { SearchDomains = [.. domains.Where(DnsName.IsValid).Select(DnsName.Normalize).Take(MaxSearchDomains)] };
                    break;
                case ["options", .. var given]:
                    options = given.Aggregate(options, Apply);
                    break;
            }
        }

        return options with { Servers = servers };
    }

    private static DnsResolverOptions Apply(DnsResolverOptions options, string option)
    {
        var colon = option.IndexOf(':');
        if (colon < 0 || !int.TryParse(option.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var value)) return options;

        return option[..colon] switch
        {
            "ndots" => options with { Dots = Math.Min(value, MaxDots) },
            "timeout" => options with { Timeout = TimeSpan.FromSeconds(Math.Clamp(value, 1, MaxSeconds)) },
            "attempts" => options with { Attempts = Math.Clamp(value, 1, MaxAttempts) },
            _ => options,
        };
    }
}
