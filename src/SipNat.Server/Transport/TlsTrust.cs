using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using SipNat.Server.Options;

namespace SipNat.Server.Transport;

/// <summary>
/// Who may vouch for the servers that connections with TLS are made to: the authorities of the system, or for some names
/// others. A certificate is always checked, and always against the name that was configured.
/// </summary>
public sealed class TlsTrust
{
    private readonly Dictionary<string, X509Certificate2Collection> _authorities = new(StringComparer.OrdinalIgnoreCase);

    private TlsTrust()
    {
    }

    /// <summary>The authorities of the system, for every name.</summary>
    public static TlsTrust System { get; } = new();

    /// <summary>Reads the authorities that are configured for TURN servers and for accounts.</summary>
    /// <exception cref="System.Security.Cryptography.CryptographicException">A file that was good at start is none any more.</exception>
    /// <exception cref="IOException">As above.</exception>
    public static TlsTrust From(NatOptions nat, IReadOnlyList<AccountSettings>? accounts = null)
    {
        var trust = new TlsTrust();
        foreach (var server in nat.TurnServers)
        {
            if (server.Ca is { } file) trust.Add(server.Uri.Host, file);
        }

        foreach (var account in accounts ?? [])
        {
            if (account.Ca is not { } file) continue;

            trust.Add(account.Registrar.Host, file);
            if (account.OutboundProxy is { } proxy) trust.Add(proxy.Host, file);
            foreach (var further in account.FurtherProxies) trust.Add(further.Host, file);
        }

        return trust;
    }

    /// <summary>How a client begins TLS with the server of a name, or of an address that stands in its certificate.</summary>
    internal SslClientAuthenticationOptions For(string name)
    {
        var options = new SslClientAuthenticationOptions { TargetHost = name };
        if (!_authorities.TryGetValue(name, out var authorities)) return options;

        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.AddRange(authorities);
        options.CertificateChainPolicy = policy;
        return options;
    }

    private void Add(string name, string file)
    {
        if (!_authorities.TryGetValue(name, out var authorities)) _authorities.Add(name, authorities = []);
        authorities.ImportFromPemFile(file);
    }
}
