using System.Diagnostics;

namespace SipNat.Sip.Digest;

/// <summary>Why a challenge is not answered.</summary>
public enum DigestDefect
{
    /// <summary>It is: the request is sent again.</summary>
    None,

    /// <summary>The response has no Digest challenge that can be read.</summary>
    NoChallenge,

    /// <summary>Only algorithms that are not known here.</summary>
    UnsupportedAlgorithm,

    /// <summary>Only MD5, and the settings do not allow it.</summary>
    Md5NotAllowed,

    /// <summary>Only <c>auth-int</c>, which covers the body as well.</summary>
    UnsupportedProtection,

    /// <summary>The credentials are for another realm.</summary>
    OtherRealm,

    /// <summary>The server was shown the credentials and does not want them: the username or the password is wrong.</summary>
    Refused,

    /// <summary>Each new nonce was too old when it came back.</summary>
    AlwaysStale,

    /// <summary>A request that carried answers for <see cref="DigestSession.MaxRealms"/> realms is challenged for one more.</summary>
    TooManyRealms,
}

public static class DigestDefects
{
    /// <summary>The reason in a few words.</summary>
    public static string Explain(this DigestDefect defect) => defect switch
    {
        DigestDefect.None => "No defect",
        DigestDefect.NoChallenge => "The server wants authentication and gives no Digest challenge",
        DigestDefect.UnsupportedAlgorithm => "The server wants a digest algorithm other than SHA-512-256, SHA-256 and MD5",
        DigestDefect.Md5NotAllowed => "The server offers MD5 only, which the settings do not allow",
        DigestDefect.UnsupportedProtection => "The server wants the body to be protected (qop=auth-int), which is not supported",
        DigestDefect.OtherRealm => "The credentials are for another realm",
        DigestDefect.Refused => "Username or password are wrong",
        DigestDefect.AlwaysStale => "The server takes each of its nonces for stale",
        DigestDefect.TooManyRealms => "The server names another realm each time",
        _ => throw new UnreachableException(),
    };
}
