using System.Text;
using SipNat.Sip.Messages;

namespace SipNat.Sip.Digest;

/// <summary>What is known of one realm: its last challenge, how often its nonce was used, and what became of the answers.</summary>
internal sealed class DigestProtectionSpace
{
    /// <summary>
    /// Answers to different nonces in a row that are refused: a nonce may have come from another server of a cluster, and
    /// not every server says that it is stale.
    /// </summary>
    public const int MaxRefusals = 2;

    /// <summary>Nonces in a row that are stale when they come back.</summary>
    public const int MaxStale = 4;

    private readonly DigestCredentials _credentials;
    private DigestChallenge _challenge;
    private string _nonce;
    private string _clientNonce;
    private string _key;
    private uint _nonceCount;
    private int _refusals;
    private int _stale;

    /// <param name="clientNonce">For as long as the nonce is used: RFC 7616 §3.4 asks for no more, and a session has the first one in its key.</param>
    public DigestProtectionSpace(DigestCredentials credentials, DigestChallenge challenge, string clientNonce)
    {
        _credentials = credentials;
        (_challenge, _nonce, _clientNonce) = (challenge, challenge.Nonce, clientNonce);
        _key = KeyOf(challenge, clientNonce);
    }

    public bool IsProxy => _challenge.IsProxy;

    public string Realm => _challenge.Realm;

    public string Nonce => _nonce;

    /// <summary>An answer with this challenge was right.</summary>
    public bool IsAccepted { get; private set; }

    private DigestAlgorithm Algorithm => _challenge.Algorithm ?? DigestAlgorithm.Md5;

    /// <summary>Takes a further challenge of this realm.</summary>
    /// <param name="answered">The nonce of the answer that the challenged request carried; null where it carried none.</param>
    public DigestDefect Handle(DigestChallenge challenge, string? answered, string clientNonce)
    {
        if (answered == _nonce)
        {
            if (challenge.IsStale && ++_stale > MaxStale) return DigestDefect.AlwaysStale;
            // What was right once is only too old, whatever the server says.
            if (!challenge.IsStale && !IsAccepted && (challenge.Nonce == _nonce || ++_refusals == MaxRefusals)) return DigestDefect.Refused;
            IsAccepted = false;
        }

        // The nonce count goes on where the nonce does (RFC 7616 §3.4), and with it the client's.
        if (challenge.Nonce != _nonce) (_nonce, _nonceCount, _clientNonce) = (challenge.Nonce, 0, clientNonce);
        _challenge = challenge;
        _key = KeyOf(challenge, _clientNonce);
        return DigestDefect.None;
    }

    /// <summary>The server was content with an answer of ours.</summary>
    public void Accept() => (IsAccepted, _refusals, _stale) = (true, 0, 0);

    /// <summary>Takes the nonce that the server wants next (RFC 7616 §3.5). The key of a session stays.</summary>
    public void TakeNextNonce(string nonce)
    {
        if (nonce != _nonce) (_nonce, _nonceCount) = (nonce, 0);
    }

    /// <summary>The header field for the next request (RFC 7616 §3.4, RFC 3261 §22.4).</summary>
    public SipHeaderField Authorize(string method, string uri)
    {
        var algorithm = Algorithm;
        var isCounted = _challenge.Protection is DigestProtection.Auth;
        var count = $"{++_nonceCount:x8}";
        var subject = algorithm.Hash($"{method}:{uri}");
        var response = algorithm.Hash(isCounted ? $"{_key}:{_nonce}:{count}:{_clientNonce}:auth:{subject}" : $"{_key}:{_nonce}:{subject}");
        var username = _challenge.WantsUserHash ? algorithm.Hash($"{_credentials.Username}:{Realm}") : _credentials.Username;

        var value = new StringBuilder($"Digest username={SipText.Quote(username)}, realm={SipText.Quote(Realm)}");
        value.Append($", nonce={SipText.Quote(_nonce)}, uri={SipText.Quote(uri)}, response=\"{response}\"");
        if (_challenge.HasAlgorithm) value.Append($", algorithm={algorithm.Name}");
        if (isCounted || algorithm.IsSession) value.Append($", cnonce=\"{_clientNonce}\"");
        if (_challenge.Opaque is { } opaque) value.Append($", opaque={SipText.Quote(opaque)}");
        if (isCounted) value.Append($", qop=auth, nc={count}");
        if (_challenge.WantsUserHash) value.Append(", userhash=true");
        return new(IsProxy ? SipHeader.ProxyAuthorization : SipHeader.Authorization, value.ToString());
    }

    // H(A1) of RFC 7616 §3.4.2.
    private string KeyOf(DigestChallenge challenge, string clientNonce)
    {
        var algorithm = challenge.Algorithm ?? DigestAlgorithm.Md5;
        var key = algorithm.Hash($"{_credentials.Username}:{challenge.Realm}:{_credentials.Password}");
        return algorithm.IsSession ? algorithm.Hash($"{key}:{challenge.Nonce}:{clientNonce}") : key;
    }
}
