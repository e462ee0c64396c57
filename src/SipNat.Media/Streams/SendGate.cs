using SipNat.Wire;

namespace SipNat.Media.Streams;

/// <summary>
/// Keeps a host that never sent media from being flooded by what an SDP claims: until a packet came from it, it gets at
/// most one small packet a second, over all streams of a session together.
/// </summary>
public sealed class SendGate
{
    /// <summary>Largest payload, in bytes, to a host that has not proven itself.</summary>
    public const int MaxUnprovenLength = 60;

    /// <summary>Hosts that are remembered.</summary>
    public const int MaxHosts = 64;

    /// <summary>From one packet to the next, to a host that has not proven itself.</summary>
    public static readonly TimeSpan UnprovenInterval = TimeSpan.FromSeconds(1);

    private readonly List<Host> _hosts = [];

    /// <summary>Hosts that had to make room: while nobody did, who has proved something need not do so again.</summary>
    public int Forgotten { get; private set; }

    /// <summary>Media came from this host: it is spared no longer.</summary>
    public void Prove(TransportAddress host) => Find(host).IsProven = true;

    public bool IsProven(TransportAddress host)
    {
        foreach (var known in _hosts)
        {
            if (known.Address.HasSameAddress(host)) return known.IsProven;
        }

        return false;
    }

    /// <summary>
    /// Claims a place for one packet and returns the moment at which it may leave: <paramref name="now"/> or later. The
    /// place is kept until then, so that many senders take turns.
    /// </summary>
    public Instant Claim(Instant now, TransportAddress destination)
    {
        var host = Find(destination);
        if (host.IsProven) return now;

        var place = host.NextFree > now ? host.NextFree : now;
        host.NextFree = place + UnprovenInterval;
        return place;
    }

    private Host Find(TransportAddress address)
    {
        foreach (var known in _hosts)
        {
            if (known.Address.HasSameAddress(address)) return known;
        }

        if (_hosts.Count == MaxHosts)
        {
            _hosts.RemoveAt(0);
            Forgotten++;
        }

        var host = new Host(address);
        _hosts.Add(host);
        return host;
    }

    private sealed class Host(TransportAddress address)
    {
        public TransportAddress Address => address;

        public bool IsProven { get; set; }

        public Instant NextFree { get; set; } = new(long.MinValue);
    }
}
