using SipNat.Wire;

namespace SipNat.Endpoint.Dns;

/// <summary>One question under way: which name of the search list, alias and server it has come to.</summary>
internal sealed class DnsQuery(int number, DnsQuestion question, IReadOnlyList<string> candidates)
{
    private int _candidate;

    public int Number => number;

    public DnsQuestion Question => question;

    /// <summary>The name that is asked for at the moment.</summary>
    public string Name { get; set; } = candidates[0];

    public DnsQuestion Current => new(Name, question.Type);

    /// <summary>Aliases that were followed.</summary>
    public int Aliases { get; set; }

    /// <summary>The shortest lifetime of them.</summary>
    public TimeSpan Lifetime { get; set; } = DnsCache.MaxLifetime;

    /// <summary>Which server is asked, counted over all rounds.</summary>
    public int Turn { get; set; }

    public TransportProtocol Transport { get; set; }

    /// <summary>Where it was sent; null while the socket or connection is being opened.</summary>
    public FlowId? Flow { get; set; }

    public TransportAddress Server { get; set; }

    /// <summary>The id of the message that was sent.</summary>
    public ushort MessageId { get; set; }

    public Instant Due { get; set; }

    /// <summary>Whether a server said that it is in trouble.</summary>
    public bool HasFailed { get; set; }

    /// <summary>Whether a name of the search list is there without such records.</summary>
    public bool HasName { get; set; }

    /// <summary>Goes on with the next name of the search list.</summary>
    public bool TryNextCandidate()
    {
        if (_candidate + 1 == candidates.Count) return false;

        Name = candidates[++_candidate];
        (Aliases, Turn, Lifetime) = (0, 0, DnsCache.MaxLifetime);
        return true;
    }
}
