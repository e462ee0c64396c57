using System.Buffers;
using System.Text;
using SipNat.Wire;

namespace SipNat.Traversal.Stun;

/// <summary>
/// Follows ALTERNATE-SERVER (RFC 8489 §10): at most three hops, never to a server that was asked before, by the same
/// transport protocol and address family. A TLS client goes on expecting the name of the server it began with, unless
/// that one gave another name with ALTERNATE-DOMAIN.
/// </summary>
public sealed class StunRedirection
{
    public const int MaxHops = 3;

    private const int MaxDomain = 253;

    private static readonly SearchValues<byte> DomainCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."u8);

    private readonly List<TransportAddress> _asked = [];

    public StunRedirection(TransportAddress first) => _asked.Add(first);

    /// <summary>What ALTERNATE-DOMAIN said of the server to ask now; null for the name that one began with.</summary>
    public string? Domain { get; private set; }

    /// <summary>The server to ask now.</summary>
    public TransportAddress Server => _asked[^1];

    /// <summary>Follows a 300 (Try Alternate); false where the request has failed with it.</summary>
    public bool TryFollow(StunMessage response)
    {
        if (!response.TryGetAddress(StunAttributeType.AlternateServer, out var next)) return false;
        if (next.Family != Server.Family || next is { Port: 0 } or { IsUnspecified: true } or { IsMulticastOrBroadcast: true }) return false;
        // Nobody may aim our requests at this machine, unless the server is on it.
        if (next.IsLoopback && !Server.IsLoopback) return false;
        if (_asked.Count > MaxHops || _asked.Contains(next)) return false;

        _asked.Add(next);
        if (TryReadDomain(response, out var domain)) Domain = domain;
        return true;
    }

    /// <summary>Begins anew with the first server.</summary>
    public void Reset()
    {
        _asked.RemoveRange(1, _asked.Count - 1);
        Domain = null;
    }

    private static bool TryReadDomain(StunMessage response, out string domain)
    {
        domain = "";
        if (!response.TryGet(StunAttributeType.AlternateDomain, out var value)) return false;
        if (value.Length is 0 or > MaxDomain || value.ContainsAnyExcept(DomainCharacters)) return false;

        domain = Encoding.ASCII.GetString(value);
        return true;
    }
}
