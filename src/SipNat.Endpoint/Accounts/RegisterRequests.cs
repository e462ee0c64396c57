using SipNat.Endpoint.Sessions;
using SipNat.Sip.Digest;
using SipNat.Sip.Messages;
using SipNat.Wire;

namespace SipNat.Endpoint.Accounts;

/// <summary>The REGISTER requests of one flow of an account: one Call-ID, a rising CSeq, and one binding told apart by its instance and reg-id (RFC 3261 §10.2, RFC 5626 §4.2).</summary>
internal sealed class RegisterRequests(AccountOptions options, int regId, Random random)
{
    private readonly string _callId = SipToken.Next(random) + SipToken.Next(random);
    private readonly string _tag = SipToken.Next(random);
    private readonly DigestSession _digest = new(new(options.Username, options.Password, options.Realm), options.AllowMd5, random);
    private SipRequest? _last;
    private SipRequest? _lastFetch;
    private uint _sequence;

    /// <summary>Where the registrar saw us, and what is registered in place of the address that we would tell; null for none.</summary>
    public TransportAddress? LearnedContact { get; set; }

    /// <summary>A Contact that is to be removed with the next REGISTER, as the registrar would keep it beside the other one; null for none.</summary>
    public string? Stale { get; set; }

    /// <summary>Where the registrar sent us (301, 302); null where it did not.</summary>
    public SipUri? RedirectedTo { get; set; }

    /// <summary>The least that the registrar takes (423); null where it has not said so.</summary>
    public TimeSpan? MinExpires { get; set; }

    /// <summary>The URI of the binding that the last request asked for.</summary>
    public string ContactUri { get; private set; } = "";

    /// <summary>That binding, as an answer may list it.</summary>
    public Contact Contact => new() { Uri = SipUri.Parse(ContactUri), Instance = options.Instance, RegId = regId };

    /// <summary>The way to the registrar: by the outbound proxy, where there is one. No Service-Route is for these (RFC 3608 §5).</summary>
    public IReadOnlyList<string> Routes { get; } = options.OutboundProxy is { } proxy ? [proxy.IsLooseRouter ? $"<{proxy}>" : $"<{proxy};lr>"] : [];

    /// <summary>The Request-URI, which a digest covers: the domain of the registrar, without a user (RFC 3261 §10.2).</summary>
    public string RequestUri => options.Registrar.Scheme is SipUriScheme.Sips ? $"sips:{DomainOf(options.Registrar)}" : $"sip:{DomainOf(options.Registrar)}";

    public SipRequest Create(TransportAddress contact, TransportProtocol transport, TimeSpan expires)
    {
        var wanted = expires > TimeSpan.Zero && MinExpires > expires ? MinExpires.Value : expires;
        ContactUri = UriOf(contact, transport);
        // What goes comes first (RFC 3261 §10.3 goes by their order): a gateway may make both the same URI on the way.
        List<SipHeaderField> headers = Stale is { } stale && stale != ContactUri ? [new(SipHeader.Contact, $"<{stale}>;expires=0")] : [];
        headers.Add(new(SipHeader.Contact, $"<{ContactUri}>;+sip.instance=\"<{options.Instance}>\";reg-id={regId};expires={(int)wanted.TotalSeconds}"));
        headers.Add(new(SipHeader.Expires, $"{(int)wanted.TotalSeconds}"));
        headers.Add(new(SipHeader.Supported, options.Gruu is GruuUse.Off ? "path, outbound" : "path, outbound, gruu"));
        headers.Add(new(SipHeader.Allow, "INVITE, ACK, CANCEL, BYE, OPTIONS, NOTIFY, UPDATE"));
        headers.AddRange(_digest.Authorize(SipMethod.Register, RequestUri));
        _last = Request(SipMethod.Register, headers);
        return _last;
    }

    /// <summary>Takes a 401 or 407 to the last REGISTER; anything but <see cref="DigestDefect.None"/> means that another one would be in vain.</summary>
    public DigestDefect HandleChallenge(StoredSipMessage answer) => _last is null ? DigestDefect.NoChallenge : _digest.HandleChallenge(_last, answer.View);

    /// <summary>Takes any other final answer to it.</summary>
    public void HandleAnswer(StoredSipMessage answer)
    {
        if (_last is not null) _digest.HandleResponse(_last, answer.View);
    }

    /// <summary>Asks which bindings there are: a REGISTER without Contact changes none (RFC 3261 §10.2.3).</summary>
    public SipRequest CreateFetch()
    {
        _lastFetch = Request(SipMethod.Register, [.. _digest.Authorize(SipMethod.Register, RequestUri)]);
        return _lastFetch;
    }

    /// <summary>Takes a 401 or 407 to <see cref="CreateFetch"/>.</summary>
    public DigestDefect HandleFetchChallenge(StoredSipMessage answer) => _lastFetch is null ? DigestDefect.NoChallenge : _digest.HandleChallenge(_lastFetch, answer.View);

    /// <summary>Takes any other final answer to it.</summary>
    public void HandleFetchAnswer(StoredSipMessage answer)
    {
        if (_lastFetch is not null) _digest.HandleResponse(_lastFetch, answer.View);
    }

    /// <summary>What a keepalive asks of a registrar that does not list bindings, or that is not known to be there: nothing but an answer.</summary>
    public SipRequest CreateOptions() => Request(SipMethod.Options, []) with
    {
        CallId = SipToken.Next(random),
        From = $"<{options.Uri}>;tag={SipToken.Next(random)}",
        CSeq = 1,
    };

    private SipRequest Request(SipMethod method, IReadOnlyList<SipHeaderField> headers)
    {
        if (method is SipMethod.Register) _sequence++;
        return new()
        {
            Method = method,
            Uri = RequestUri,
            From = $"<{options.Uri}>;tag={_tag}",
            To = $"<{options.Uri}>",
            CallId = _callId,
            CSeq = _sequence,
            Routes = Routes,
            OffersKeep = method is SipMethod.Register,
            Headers = headers,
        };
    }

    // RFC 3261 §8.1.1.8: what is asked of a sips URI has a Contact of that kind.
    private string UriOf(TransportAddress contact, TransportProtocol transport) =>
        ContactText.UriOf(options.Uri.User, contact, transport, transport.IsEncrypted && ContactText.IsSecured(options.Registrar));

    private static string DomainOf(SipUri uri)
    {
        var host = uri.Host.Contains(':', StringComparison.Ordinal) ? $"[{uri.Host}]" : uri.Host;
        return uri.Port == 0 ? host : $"{host}:{uri.Port}";
    }
}
