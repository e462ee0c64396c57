using System.Text;

namespace SipNat.Traversal.Stun;

/// <summary>
/// The client's side of the long-term credential mechanism (RFC 8489 §9.2): it learns realm, nonce and algorithm from a
/// challenge, adds what requests need, and judges what responses are worth.
/// </summary>
public sealed class StunLongTermCredential(StunCredentials credentials)
{
    /// <summary>The longest REALM and NONCE, in bytes (RFC 8489 §14.9, §14.10).</summary>
    public const int MaxTextLength = 763;

    private byte[] _realm = [];
    private byte[] _nonce = [];
    private byte[] _algorithms = [];
    private byte[] _key = [];
    private StunPasswordAlgorithm _algorithm;
    private bool _isAnonymous;

    /// <summary>Whether a challenge has come: from then on requests are authenticated.</summary>
    public bool HasChallenge => _key.Length > 0;

    private bool UsesSha256 => _algorithms.Length > 0;

    /// <summary>Adds everything that authenticates a request, the integrity last; nothing before the first challenge.</summary>
    public void Write(ref StunWriter writer)
    {
        if (!HasChallenge) return;

        if (_isAnonymous) writer.Add(StunAttributeType.UserHash, StunIntegrity.UserHash(credentials.Username, Realm));
        else writer.AddText(StunAttributeType.Username, credentials.Username);

        writer.Add(StunAttributeType.Realm, _realm);
        writer.Add(StunAttributeType.Nonce, _nonce);
        if (!UsesSha256)
        {
            writer.AddIntegrity(_key);
            return;
        }

        writer.Add(StunAttributeType.PasswordAlgorithms, _algorithms);
        StunPasswordAlgorithms.Write(ref writer, _algorithm);
        writer.AddIntegritySha256(_key);
    }

    /// <summary>Judges a response whose transaction id and source are right (RFC 8489 §9.2.5).</summary>
    /// <param name="response">The response.</param>
    /// <param name="wasAuthenticated">Whether the request carried credentials.</param>
    public StunVerdict Judge(StunMessage response, bool wasAuthenticated)
    {
        if (IsStripped(response)) return StunVerdict.Discard;

        if (response.Class is StunClass.Error && response.TryGetErrorCode(out var code, out _))
        {
            if (code == StunErrorCode.Unauthenticated) return LearnChallenge(response, wasAuthenticated);
            if (code == StunErrorCode.StaleNonce) return LearnNonce(response, wasAuthenticated);
        }

        // A server that was shown no credentials has no key to protect its answer with.
        return !wasAuthenticated || IsAuthentic(response) ? StunVerdict.Accept : StunVerdict.Discard;
    }

    // A cookie that promises algorithms without the algorithms: somebody on the way took them out (RFC 8489 §9.2.5).
    private static bool IsStripped(StunMessage response) =>
        response.TryGet(StunAttributeType.Nonce, out var nonce)
        && StunNonceCookie.TryRead(nonce, out var features)
        && features.HasFlag(StunSecurityFeatures.PasswordAlgorithms)
        && !response.TryGet(StunAttributeType.PasswordAlgorithms, out _);

    private bool IsAuthentic(StunMessage response) =>
        UsesSha256 ? StunIntegrity.IsValidSha256(response, _key) : StunIntegrity.IsValid(response, _key);

    private StunVerdict LearnChallenge(StunMessage response, bool wasAuthenticated)
    {
        if (!TryGetText(response, StunAttributeType.Realm, out var realm)) return StunVerdict.Discard;
        // The same realm again means that it does not want this user: asking on would be hammering (RFC 8489 §9.2.5).
        if (wasAuthenticated && realm.SequenceEqual(_realm)) return StunVerdict.Refuse;

        return Learn(response, realm);
    }

    private StunVerdict LearnNonce(StunMessage response, bool wasAuthenticated) =>
        wasAuthenticated ? Learn(response, _realm) : StunVerdict.Discard;

    private StunVerdict Learn(StunMessage response, ReadOnlySpan<byte> realm)
    {
        if (!TryGetText(response, StunAttributeType.Nonce, out var nonce)) return StunVerdict.Discard;

        var algorithm = StunPasswordAlgorithm.None;
        var hasList = response.TryGet(StunAttributeType.PasswordAlgorithms, out var list);
        if (hasList && !StunPasswordAlgorithms.TryChoose(list, out algorithm)) return StunVerdict.Refuse;
        // Challenges are not protected: one that would lead back to HMAC-SHA1 is not believed (RFC 8489 §9.2.5, last line).
        if (UsesSha256 && !hasList) return StunVerdict.Discard;

        _isAnonymous = StunNonceCookie.TryRead(nonce, out var features) && features.HasFlag(StunSecurityFeatures.UsernameAnonymity);
        (_realm, _nonce, _algorithms, _algorithm) = (realm.ToArray(), nonce.ToArray(), list.ToArray(), algorithm);
        _key = algorithm is StunPasswordAlgorithm.Sha256
            ? StunIntegrity.LongTermKeySha256(credentials.Username, Realm, credentials.Password)
            : StunIntegrity.LongTermKey(credentials.Username, Realm, credentials.Password);
        return StunVerdict.Retry;
    }

    private string Realm => Encoding.UTF8.GetString(_realm);

    private static bool TryGetText(StunMessage response, StunAttributeType type, out ReadOnlySpan<byte> text) =>
        response.TryGet(type, out text) && text.Length is > 0 and <= MaxTextLength;
}

/// <summary>What a client does with a response.</summary>
public enum StunVerdict
{
    /// <summary>It counts, be it success or error.</summary>
    Accept,

    /// <summary>The request is sent again in a new transaction, with what was learned.</summary>
    Retry,

    /// <summary>The server does not accept these credentials; asking again would change nothing.</summary>
    Refuse,

    /// <summary>As if it had never come: the transaction goes on waiting.</summary>
    Discard,
}
