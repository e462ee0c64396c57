using System.Buffers.Binary;
using SipNat.Wire;

namespace SipNat.Endpoint.Dns;

/// <summary>
/// A stub resolver (RFC 1034 §5.3.1, RFC 1035 §7): asks recursive servers one after the other, each query by a flow of
/// its own and thus from another port, follows aliases and search domains, keeps answers, and goes to TCP for those that
/// were cut off.
/// </summary>
/// <remarks>
/// What is believed comes from the server that was asked, by the flow of the query, with its id and its question (RFC
/// 5452). Messages of TCP have their two bytes of length in front, both ways.
/// </remarks>
public sealed class DnsResolver : IProtocolCore
{
    /// <summary>Questions at one time; one more is refused.</summary>
    public const int MaxQueries = 256;

    /// <summary>Aliases that are followed for one question.</summary>
    public const int MaxAliases = 8;

    private const int LengthPrefix = 2;

    private readonly Random _random;
    private readonly List<DnsQuery> _queries = [];
    private readonly DnsCache _cache = new();
    private readonly Queue<FlowRequest> _requests = new();
    private readonly Queue<DnsResult> _results = new();
    private DnsResolverOptions _options;
    private int _lastNumber;

    /// <param name="options">Whom to ask.</param>
    /// <param name="random">Message ids come from it: nobody may guess them.</param>
    public DnsResolver(DnsResolverOptions options, Random random) => (_options, _random) = (options, random);

    public Outbox Outbox { get; } = new();

    /// <summary>Messages that were not believed or could not be read.</summary>
    public int Discarded { get; private set; }

    public Instant? Deadline
    {
        get
        {
            Instant? deadline = null;
            foreach (var query in _queries) deadline = Instant.Earlier(deadline, query.Due);
            return deadline;
        }
    }

    /// <summary>Asks other servers from now on; what was learned from the ones before is forgotten.</summary>
    public void Configure(DnsResolverOptions options)
    {
        _options = options;
        _cache.Clear();
    }

    public bool TryTakeRequest(out FlowRequest request) => _requests.TryDequeue(out request);

    public bool TryTakeResult(out DnsResult result) => _results.TryDequeue(out result!);

    /// <summary>Asks for the records of a name; the answer comes by <see cref="TryTakeResult"/>, at once where it is known.</summary>
    /// <param name="now">The time.</param>
    /// <param name="name">A name; one that ends with a full stop is not looked for in the search domains.</param>
    /// <param name="type">What is wanted: A, AAAA, SRV or NAPTR.</param>
    /// <returns>The number of the query.</returns>
    public int Resolve(Instant now, string name, DnsType type)
    {
        var number = ++_lastNumber;
        var question = new DnsQuestion(DnsName.Normalize(name), type);
        if (!DnsName.IsValid(name))
        {
            _results.Enqueue(new(number, question, DnsOutcome.BadName, [], now));
        }
        else if (_queries.Count == MaxQueries || _options.Servers.Count == 0)
        {
            _results.Enqueue(new(number, question, DnsOutcome.Refused, [], now));
        }
        else
        {
            var query = new DnsQuery(number, question, Candidates(name, question.Name));
            _queries.Add(query);
            Ask(now, query);
        }

        return number;
    }

    public void HandleFlow(Instant now, FlowId flow, FlowChange change)
    {
        switch (change.Kind)
        {
            case FlowChangeKind.Opened:
                if (_queries.Find(query => IsWaitingFor(query, change)) is { } opened) Send(opened, flow);
                else Close(flow);
                break;
            case FlowChangeKind.Refused:
                if (_queries.Find(query => IsWaitingFor(query, change)) is { } refused) Fail(now, refused);
                break;
            default:
                if (_queries.Find(query => query.Flow == flow) is { } broken) Fail(now, broken);
                break;
        }
    }

    public void HandleDatagram(Instant now, FlowId flow, TransportAddress from, ReadOnlySpan<byte> datagram)
    {
        var query = _queries.Find(candidate => candidate.Flow == flow && candidate.Server == from);
        var bytes = query is { Transport: TransportProtocol.Tcp } ? datagram[Math.Min(LengthPrefix, datagram.Length)..] : datagram;
        if (query is null || !DnsMessage.TryRead(bytes, out var message, out _) || message.Id != query.MessageId || message.Question != query.Current)
        {
            // Somebody guesses, or the server errs: the right answer may still come.
            Discarded++;
            return;
        }

        Close(flow);
        query.Flow = null;
        if (message.IsTruncated && query.Transport is TransportProtocol.Udp) Connect(now, query, TransportProtocol.Tcp, query.Server);
        else if (message.IsTruncated || message.ResponseCode is not (0 or DnsMessage.NoSuchName)) Fail(now, query);
        else HandleAnswer(now, query, message);
    }

    public void HandleTimeout(Instant now)
    {
        while (_queries.Find(query => query.Due <= now) is { } late) Next(now, late);
    }

    private static bool IsWaitingFor(DnsQuery query, FlowChange change) =>
        query.Flow is null && query.Transport == change.Transport && query.Server == change.Remote;

    private List<string> Candidates(string text, string name)
    {
        if (text.EndsWith('.')) return [name];

        var searched = _options.SearchDomains.Select(domain => $"{name}.{domain}").Where(DnsName.IsValid);
        return name.AsSpan().Count('.') >= _options.Dots ? [name, .. searched] : [.. searched, name];
    }

    private void Ask(Instant now, DnsQuery query)
    {
        if (_cache.TryGet(now, query.Current, out var known)) Take(now, query, known);
        else if (query.Turn >= _options.Servers.Count * _options.Attempts) End(query, query.HasFailed ? DnsOutcome.Failed : DnsOutcome.TimedOut, [], now);
        else Connect(now, query, TransportProtocol.Udp, _options.Servers[query.Turn % _options.Servers.Count]);
    }

    private void Connect(Instant now, DnsQuery query, TransportProtocol transport, TransportAddress server)
    {
        (query.Server, query.Transport, query.Flow, query.Due) = (server, transport, null, now + _options.Timeout);
        _requests.Enqueue(new(FlowRequestKind.Connect, default, transport, server));
    }

    private void Send(DnsQuery query, FlowId flow)
    {
        query.Flow = flow;
        query.MessageId = (ushort)_random.Next(ushort.MaxValue + 1);
        Span<byte> message = stackalloc byte[LengthPrefix + DnsMessage.MaxQueryLength];
        var length = DnsMessage.WriteQuery(message[LengthPrefix..], query.MessageId, query.Current);
        BinaryPrimitives.WriteUInt16BigEndian(message, (ushort)length);
        Outbox.Add(flow, query.Server, query.Transport is TransportProtocol.Tcp ? message[..(LengthPrefix + length)] : message.Slice(LengthPrefix, length));
    }

    private void Fail(Instant now, DnsQuery query)
    {
        query.HasFailed = true;
        Next(now, query);
    }

    private void Next(Instant now, DnsQuery query)
    {
        if (query.Flow is { } flow) Close(flow);
        query.Flow = null;
        query.Turn++;
        Ask(now, query);
    }

    // The answer section holds the aliases on the way to the records, or to a name that is to be asked for next.
    private void HandleAnswer(Instant now, DnsQuery query, DnsMessage message)
    {
        var name = query.Name;
        while (message.Answers.OfType<DnsRecord.Alias>().FirstOrDefault(alias => alias.Owner == name) is { } alias)
        {
            if (++query.Aliases > MaxAliases || !DnsName.IsValid(alias.Canonical))
            {
                End(query, DnsOutcome.Failed, [], now);
                return;
            }

            query.Lifetime = alias.Ttl < query.Lifetime ? alias.Ttl : query.Lifetime;
            name = alias.Canonical;
        }

        var asked = query.Current;
        var records = message.Answers.Where(record => record.Owner == name && TypeOf(record) == asked.Type).ToList();
        if (records.Count == 0 && name != query.Name && message.ResponseCode == 0)
        {
            (query.Name, query.Turn) = (name, 0);
            Ask(now, query);
            return;
        }

        var outcome = records.Count > 0 ? DnsOutcome.Answered : message.ResponseCode == 0 ? DnsOutcome.NoData : DnsOutcome.NoSuchName;
        var lifetime = records.Count > 0 ? records.Min(static record => record.Ttl) : NegativeLifetime(message);
        if (query.Lifetime < lifetime) lifetime = query.Lifetime;
        var result = new DnsResult(query.Number, asked, outcome, records, now + lifetime);
        _cache.Add(now, result);
        Take(now, query, result);
    }

    private void Take(Instant now, DnsQuery query, DnsResult result)
    {
        query.HasName |= result.Outcome is DnsOutcome.NoData;
        if (result.Outcome is not DnsOutcome.Answered && query.TryNextCandidate())
        {
            Ask(now, query);
            return;
        }

        var outcome = result.Outcome is DnsOutcome.NoSuchName && query.HasName ? DnsOutcome.NoData : result.Outcome;
        var expiresAt = now + query.Lifetime;
        End(query, outcome, result.Records, result.ExpiresAt < expiresAt ? result.ExpiresAt : expiresAt);
    }

    // RFC 2308 §5: the smaller of the SOA's own lifetime and its minimum; without an SOA it is not kept.
    private static TimeSpan NegativeLifetime(DnsMessage message)
    {
        if (message.Authorities.OfType<DnsRecord.Authority>().FirstOrDefault() is not { } authority) return TimeSpan.Zero;

        var lifetime = authority.Ttl < authority.Minimum ? authority.Ttl : authority.Minimum;
        return lifetime < DnsCache.MaxNegativeLifetime ? lifetime : DnsCache.MaxNegativeLifetime;
    }

    private void End(DnsQuery query, DnsOutcome outcome, IReadOnlyList<DnsRecord> records, Instant expiresAt)
    {
        _queries.Remove(query);
        _results.Enqueue(new(query.Number, query.Question, outcome, records, expiresAt));
    }

    private void Close(FlowId flow) => _requests.Enqueue(new(FlowRequestKind.Close, flow, default, default));

    private static DnsType TypeOf(DnsRecord record) => record switch
    {
        DnsRecord.Host host => host.Address.IsIPv4 ? DnsType.A : DnsType.Aaaa,
        DnsRecord.Alias => DnsType.Cname,
        DnsRecord.Service => DnsType.Srv,
        DnsRecord.Pointer => DnsType.Naptr,
        _ => DnsType.Soa,
    };
}
