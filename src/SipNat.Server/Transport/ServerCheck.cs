using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace SipNat.Server.Transport;

/// <summary>
/// Whether the server of one connection is who it has to be. TURN goes by the rules of HTTPS, as a wildcard may stand in a
/// certificate there; SIP by its own, where it may not (RFC 5922 §7.2).
/// </summary>
internal sealed class ServerCheck
{
    private readonly ServerTerms _terms;
    private readonly bool _isSip;

    private ServerCheck(string name, ServerTerms terms, bool isSip)
    {
        (Name, _terms, _isSip) = (name, terms, isSip);
        Options = new()
        {
            TargetHost = name,
            ClientCertificateContext = terms.Identity?.Current,
            RemoteCertificateValidationCallback = (_, certificate, chain, errors) => IsGood(certificate, chain, errors),
        };
        if (terms.Authorities is not { } authorities) return;

        Options.CertificateChainPolicy = new() { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        Options.CertificateChainPolicy.CustomTrustStore.AddRange(authorities);
    }

    /// <summary>The host that is asked for; for SIP the domain of the URI.</summary>
    public string Name { get; }

    public SslClientAuthenticationOptions Options { get; }

    /// <summary>Why it is not who it has to be; null before that was seen, and where it is.</summary>
    public string? Problem { get; private set; }

    public static ServerCheck Of(ConnectionOptions options, string name) =>
        new(name, options.Trust.Of(name, options.Framing), options.Framing is StreamFraming.Sip);

    /// <summary>The same for a WebSocket, which HTTP begins: by its rules.</summary>
    public static ServerCheck OfHttps(ConnectionOptions options, string name) => new(name, options.Trust.Of(name, options.Framing), isSip: false);

    private bool IsGood(X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        Problem = errors.HasFlag(SslPolicyErrors.RemoteCertificateNotAvailable) || certificate is not X509Certificate2 shown ? "it shows no certificate"
            : errors.HasFlag(SslPolicyErrors.RemoteCertificateChainErrors) ? ExplainChain(chain)
            : _isSip ? ExplainSip(SipDomainIdentity.Of(shown))
            : errors is SslPolicyErrors.None ? null : $"its certificate is not for {Name}";
        return Problem is null;
    }

    private string ExplainChain(X509Chain? chain)
    {
        var status = string.Join(", ", (chain?.ChainStatus ?? []).Select(s => s.Status).Distinct().DefaultIfEmpty(X509ChainStatusFlags.PartialChain));
        return $"nobody who is trusted vouches for its certificate ({status}); {_terms.CaKey} names the authority where it is one of its own";
    }

    private string? ExplainSip(SipDomainIdentity identity) => identity.IsFor(_terms.CertificateName ?? Name)
        ? null
        : $"its certificate is for {identity}, and not for {_terms.CertificateName ?? Name}. A certificate with the URI sip:{Name} or the DNS name {Name} would be right (RFC 5922: no wildcards); where the provider has another one, Accounts:N:CertificateName is what it says, to the letter";
}
