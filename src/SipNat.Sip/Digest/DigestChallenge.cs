using System.Text.Unicode;
using SipNat.Sip.Messages;

namespace SipNat.Sip.Digest;

/// <summary>What a server wants to be shown (RFC 7616 §3.3): one Digest challenge of a 401 or 407.</summary>
public sealed record DigestChallenge
{
    /// <summary>Challenges of one response that are read.</summary>
    public const int MaxChallenges = 16;

    /// <summary>Characters of a realm, a nonce or an opaque value; a challenge with a longer one is passed over.</summary>
    public const int MaxTextLength = 1024;

    private const string Scheme = "Digest";

    private DigestChallenge(bool isProxy, string realm, string nonce) => (IsProxy, Realm, Nonce) = (isProxy, realm, nonce);

    /// <summary>From Proxy-Authenticate, so that the answer is a Proxy-Authorization.</summary>
    public bool IsProxy { get; }

    /// <summary>Whose names and passwords are meant.</summary>
    public string Realm { get; }

    public string Nonce { get; }

    /// <summary>To be sent back as it is; null where there is none.</summary>
    public string? Opaque { get; private init; }

    /// <summary>Null for one that is not known here.</summary>
    public DigestAlgorithm? Algorithm { get; private init; }

    /// <summary>The server names its algorithm; one of RFC 2069 does not, and means MD5.</summary>
    public bool HasAlgorithm { get; private init; }

    public DigestProtection Protection { get; private init; }

    /// <summary>The password was right and the nonce too old: an answer with this nonce will do (RFC 7616 §3.3).</summary>
    public bool IsStale { get; private init; }

    /// <summary>The server would like not to read the username on the wire (RFC 7616 §3.4.4).</summary>
    public bool WantsUserHash { get; private init; }

    /// <summary>
    /// Every Digest challenge of a response in order, those of WWW-Authenticate first: a 401 or 407 that a forking proxy
    /// put together may have both (RFC 3261 §22.3). Other schemes, and challenges without realm or nonce, are passed over.
    /// </summary>
    public static IReadOnlyList<DigestChallenge> ReadAll(SipMessage response)
    {
        var challenges = new List<DigestChallenge>();
        foreach (var value in response.Values(SipHeader.WwwAuthenticate)) Read(value, isProxy: false, challenges);
        foreach (var value in response.Values(SipHeader.ProxyAuthenticate)) Read(value, isProxy: true, challenges);

        return challenges;
    }

    /// <summary>Every Digest challenge of one header line.</summary>
    public static IReadOnlyList<DigestChallenge> Read(ReadOnlySpan<byte> value, bool isProxy)
    {
        var challenges = new List<DigestChallenge>();
        Read(value, isProxy, challenges);
        return challenges;
    }

    private static void Read(ReadOnlySpan<byte> value, bool isProxy, List<DigestChallenge> challenges)
    {
        // Realm and nonce are sent back: text that would come back otherwise is of no use.
        if (!Utf8.IsValid(value)) return;

        var elements = AuthParameter.ReadAll(value);
        for (var start = 0; start < elements.Count && challenges.Count < MaxChallenges;)
        {
            var next = elements.FindIndex(start + 1, static element => element.Scheme.Length > 0);
            if (next < 0) next = elements.Count;
            if (elements[start].Scheme.Equals(Scheme, StringComparison.OrdinalIgnoreCase)
                && From(elements[start..next], isProxy) is { } challenge) challenges.Add(challenge);
            start = next;
        }
    }

    private static DigestChallenge? From(List<AuthParameter> parameters, bool isProxy)
    {
        var (realm, nonce, opaque) = (Find("realm"), Find("nonce"), Find("opaque"));
        if (realm is null || string.IsNullOrEmpty(nonce) || realm.Length > MaxTextLength || nonce.Length > MaxTextLength || opaque?.Length > MaxTextLength) return null;

        var algorithm = Find("algorithm");
        return new(isProxy, realm, nonce)
        {
            Opaque = opaque,
            HasAlgorithm = algorithm is not null,
            Algorithm = algorithm is null ? DigestAlgorithm.Md5 : DigestAlgorithms.Find(algorithm),
            Protection = ProtectionOf(Find("qop")),
            IsStale = IsTrue(Find("stale")),
            WantsUserHash = IsTrue(Find("userhash")),
        };

        string? Find(string name)
        {
            foreach (var parameter in parameters)
            {
                if (parameter.Is(name)) return parameter.Value;
            }

            return null;
        }

        static bool IsTrue(string? value) => "true".Equals(value, StringComparison.OrdinalIgnoreCase);
    }

    // An empty list says as little as none.
    private static DigestProtection ProtectionOf(string? list)
    {
        var words = (list ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return words.Length == 0 ? DigestProtection.Legacy
            : words.Contains("auth", StringComparer.OrdinalIgnoreCase) ? DigestProtection.Auth
            : DigestProtection.Other;
    }
}

/// <summary>What the <c>qop</c> parameter offers (RFC 7616 §3.3).</summary>
public enum DigestProtection
{
    /// <summary>No <c>qop</c>: the form of RFC 2069, without nonce count.</summary>
    Legacy,

    /// <summary><c>auth</c>, perhaps among others.</summary>
    Auth,

    /// <summary>Only <c>auth-int</c>, or what is not known: not answered here.</summary>
    Other,
}
