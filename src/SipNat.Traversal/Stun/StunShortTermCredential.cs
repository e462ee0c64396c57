namespace SipNat.Traversal.Stun;

/// <summary>
/// The client's side of the short-term credential mechanism (RFC 8489 §9.1). The first request carries both integrity
/// attributes unless the application knows better; later ones the kind that the first response had (§9.1.5).
/// </summary>
/// <param name="credentials">The username and the password of the peer.</param>
/// <param name="agreed">The kind that both are known to speak; ICE means HMAC-SHA1. Null where nothing is known.</param>
public sealed class StunShortTermCredential(StunCredentials credentials, StunIntegrityKind? agreed = null)
{
    private readonly byte[] _key = StunIntegrity.ShortTermKey(credentials.Password);

    /// <summary>The kind in use; null until a response has shown one.</summary>
    public StunIntegrityKind? Kind { get; private set; } = agreed;

    /// <summary>Adds USERNAME and the integrity.</summary>
    public void Write(ref StunWriter writer)
    {
        writer.AddText(StunAttributeType.Username, credentials.Username);
        if (Kind is not StunIntegrityKind.Sha256) writer.AddIntegrity(_key);
        if (Kind is not StunIntegrityKind.Sha1) writer.AddIntegritySha256(_key);
    }

    /// <summary>Judges a response whose transaction id and source are right (RFC 8489 §9.1.4); never Retry or Refuse.</summary>
    public StunVerdict Judge(StunMessage response)
    {
        var hasSha256 = response.TryGet(StunAttributeType.MessageIntegritySha256, out _);
        var hasSha1 = response.TryGet(StunAttributeType.MessageIntegrity, out _);
        // A response has one of the two; with both, the stronger would be what an attacker can leave to fail unnoticed.
        if (hasSha1 == hasSha256) return StunVerdict.Discard;

        var kind = hasSha256 ? StunIntegrityKind.Sha256 : StunIntegrityKind.Sha1;
        if (Kind is { } wanted && wanted != kind) return StunVerdict.Discard;

        var isValid = hasSha256 ? StunIntegrity.IsValidSha256(response, _key) : StunIntegrity.IsValid(response, _key);
        if (!isValid) return StunVerdict.Discard;

        Kind = kind;
        return StunVerdict.Accept;
    }
}

/// <summary>Which attribute protects a message.</summary>
public enum StunIntegrityKind
{
    /// <summary>MESSAGE-INTEGRITY: HMAC-SHA1.</summary>
    Sha1,

    /// <summary>MESSAGE-INTEGRITY-SHA256.</summary>
    Sha256,
}
