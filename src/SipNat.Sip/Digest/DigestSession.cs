using System.Text;
using SipNat.Sip.Messages;

namespace SipNat.Sip.Digest;

/// <summary>
/// The client's side of digest authentication towards one server (RFC 7616, RFC 8760, RFC 3261 §22): it learns from
/// challenges, gives requests what they have to carry, and knows when asking on is of no use.
/// </summary>
/// <remarks>
/// Who may challenge is the owner's business: the realm is the challenger's own word, so that an owner hands in only what
/// came from the server of the account. Requests that follow carry credentials unasked (RFC 3261 §22.3). CANCEL is never
/// challenged; the ACK of a 2xx repeats the fields of its INVITE (RFC 3261 §22.1).
/// </remarks>
public sealed class DigestSession
{
    /// <summary>Realms that are kept: a proxy or two on the way and the server behind them. The oldest makes room.</summary>
    public const int MaxRealms = 4;

    private readonly DigestCredentials _credentials;
    private readonly bool _allowsMd5;
    private readonly Random _random;
    private readonly List<DigestProtectionSpace> _spaces = [];

    /// <param name="credentials">What is shown.</param>
    /// <param name="allowsMd5">Whether a server that offers nothing better is answered; most providers do not (RFC 8760 §2.1).</param>
    /// <param name="random">Client nonces come from it.</param>
    public DigestSession(DigestCredentials credentials, bool allowsMd5, Random random) =>
        (_credentials, _allowsMd5, _random) = (credentials, allowsMd5, random);

    /// <summary>Whether requests carry credentials.</summary>
    public bool HasChallenge => _spaces.Count > 0;

    /// <summary>The header fields that a request carries: one for each realm that has challenged. Each call counts as a use of the nonces.</summary>
    /// <param name="uri">The Request-URI as it stands in the request.</param>
    public IReadOnlyList<SipHeaderField> Authorize(SipMethod method, string uri) => [.. _spaces.Select(space => space.Authorize(method.Name, uri))];

    /// <summary>
    /// Takes a 401 or 407. <see cref="DigestDefect.None"/> means: send the request again with a new branch, a higher CSeq
    /// and what <see cref="Authorize"/> gives; anything else that it would be in vain. After
    /// <see cref="DigestDefect.Refused"/> the realm is forgotten, so that a later request begins without credentials.
    /// </summary>
    /// <param name="request">The request that was challenged, as it was sent.</param>
    public DigestDefect HandleChallenge(SipRequest request, SipMessage response)
    {
        var challenges = DigestChallenge.ReadAll(response);
        var (isAnswered, defect) = (false, DigestDefect.NoChallenge);
        foreach (var realm in challenges.GroupBy(static challenge => (challenge.IsProxy, challenge.Realm)))
        {
            var outcome = Handle(request, realm.ToList());
            if (outcome is DigestDefect.Refused or DigestDefect.AlwaysStale or DigestDefect.TooManyRealms) return outcome;

            if (outcome is DigestDefect.None) isAnswered = true;
            else if (defect is DigestDefect.NoChallenge) defect = outcome;
        }

        return isAnswered ? DigestDefect.None : defect;
    }

    /// <summary>Takes any other response: whether the credentials were right, and the nonce that is wanted next.</summary>
    /// <param name="request">The request that is answered, as it was sent.</param>
    public void HandleResponse(SipRequest request, SipMessage response)
    {
        // A 403 is how some say that the password is wrong; a 5xx may come from a proxy that never looked.
        if (response.StatusCode is <= 100 or 401 or 403 or 407 or (>= 500 and < 600)) return;

        var used = _spaces.FindAll(space => NonceOf(request, space.IsProxy, space.Realm) == space.Nonce);
        foreach (var space in used) space.Accept();

        // Authentication-Info names no realm: with several servers behind each other nobody knows whose it is.
        if (used.FindAll(static space => !space.IsProxy) is [var server] && NextNonce(response) is { } nonce) server.TakeNextNonce(nonce);
    }

    private DigestDefect Handle(SipRequest request, List<DigestChallenge> offered)
    {
        // RFC 8760 §2.4 has the server's order followed; challenges are not protected, so that the strongest is taken.
        var best = offered.Where(challenge => DefectOf(challenge) is DigestDefect.None).MaxBy(static challenge => challenge.Algorithm?.Strength);
        if (best is null) return DefectOf(offered[0]);

        var space = _spaces.Find(space => space.IsProxy == best.IsProxy && space.Realm == best.Realm);
        if (space is null)
        {
            if (_spaces.FindAll(known => NonceOf(request, known.IsProxy, known.Realm) is not null).Count == MaxRealms) return DigestDefect.TooManyRealms;
            if (_spaces.Count == MaxRealms) _spaces.RemoveAt(0);
            _spaces.Add(new(_credentials, best, SipToken.Next(_random)));
            return DigestDefect.None;
        }

        var defect = space.Handle(best, NonceOf(request, best.IsProxy, best.Realm), SipToken.Next(_random));
        if (defect is not DigestDefect.None) _spaces.Remove(space);
        return defect;
    }

    private DigestDefect DefectOf(DigestChallenge challenge) => challenge switch
    {
        _ when _credentials.Realm is { } realm && realm != challenge.Realm => DigestDefect.OtherRealm,
        { Algorithm: null } => DigestDefect.UnsupportedAlgorithm,
        { Algorithm.IsMd5: true } when !_allowsMd5 => DigestDefect.Md5NotAllowed,
        { Protection: DigestProtection.Other } => DigestDefect.UnsupportedProtection,
        _ => DigestDefect.None,
    };

    // The nonce that a request of ours answered for a realm; null where it did not.
    private static string? NonceOf(SipRequest request, bool isProxy, string realm)
    {
        var name = (isProxy ? SipHeader.ProxyAuthorization : SipHeader.Authorization).Name;
        foreach (var field in request.Headers)
        {
            if (field.Name != name) continue;

            var parameters = AuthParameter.ReadAll(Encoding.UTF8.GetBytes(field.Value));
            if (Find(parameters, "realm") == realm) return Find(parameters, "nonce");
        }

        return null;
    }

    private static string? NextNonce(SipMessage response)
    {
        if (!response.TryGet(SipHeader.AuthenticationInfo, out var value)) return null;

        return Find(AuthParameter.ReadAll(value), "nextnonce") is { Length: > 0 and <= DigestChallenge.MaxTextLength } nonce ? nonce : null;
    }

    private static string? Find(List<AuthParameter> parameters, string name)
    {
        foreach (var parameter in parameters)
        {
            if (parameter.Is(name)) return parameter.Value;
        }

        return null;
    }
}
