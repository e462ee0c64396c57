using SipNat.Wire;

namespace SipNat.Simulation;

/// <summary>One mapping of a NAT, with the filter entries that belong to it.</summary>
internal sealed class NatBinding(NatOptions options, NatBindingKey key, int externalPort)
{
    // By the part of the remote address that the filter looks at.
    private readonly Dictionary<TransportAddress, Entry> _permitted = [];

    public NatBindingKey Key { get; } = key;

    public int ExternalPort { get; } = externalPort;

    /// <summary>The first moment at which the mapping is gone.</summary>
    public Instant Expires { get; private set; }

    public void HandleOutbound(Instant now, TransportAddress remote)
    {
        var selector = Selector(remote);
        var isEstablished = _permitted.TryGetValue(selector, out var entry) && now < entry.Expires && entry.IsEstablished;
        Refresh(now, selector, isEstablished);
    }

    /// <summary>Whether the filter lets the packet in; the exchange counts as two-way from then on.</summary>
    public bool TryHandleInbound(Instant now, TransportAddress remote)
    {
        var selector = Selector(remote);
        if (!_permitted.TryGetValue(selector, out var entry) || now >= entry.Expires) return false;

        if (options.RefreshOnInbound) Refresh(now, selector, isEstablished: true);
        else _permitted[selector] = entry with { IsEstablished = true };
        return true;
    }

    private void Refresh(Instant now, TransportAddress selector, bool isEstablished)
    {
        var expires = now + Lifetime(isEstablished);
        _permitted[selector] = new(expires, isEstablished);
        if (expires > Expires) Expires = expires;
    }

    private TimeSpan Lifetime(bool isEstablished) =>
        Key.IsStream ? options.TcpLifetime : isEstablished ? options.EstablishedLifetime : options.FreshLifetime;

    private TransportAddress Selector(TransportAddress remote) => options.Filtering switch
    {
        NatFiltering.EndpointIndependent => default,
        NatFiltering.AddressDependent => remote.WithPort(0),
        _ => remote,
    };

    private readonly record struct Entry(Instant Expires, bool IsEstablished);
}

/// <summary>What a mapping is looked up by: the remote part is as narrow as the mapping behaviour asks.</summary>
internal readonly record struct NatBindingKey(bool IsStream, TransportAddress Source, TransportAddress Remote)
{
    public static NatBindingKey For(NatMapping mapping, TransportProtocol transport, TransportAddress source, TransportAddress remote) =>
        new(transport.IsReliable, source, mapping switch
        {
            NatMapping.EndpointIndependent => default,
            NatMapping.AddressDependent => remote.WithPort(0),
            _ => remote,
        });
}
