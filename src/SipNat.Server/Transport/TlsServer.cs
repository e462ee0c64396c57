using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;
using SipNat.Server.Options;

namespace SipNat.Server.Transport;

/// <summary>Who we are to those that connect to us with TLS, and who may.</summary>
public sealed class TlsServer
{
    private readonly TlsIdentity _identity;
    private readonly X509Certificate2Collection? _clientAuthorities;

    private TlsServer(TlsIdentity identity, X509Certificate2Collection? clientAuthorities) =>
        (_identity, _clientAuthorities) = (identity, clientAuthorities);

    /// <summary>Null where nothing of the kind is configured.</summary>
    /// <exception cref="ConfigurationException">A file that was good when the settings were read is none any more.</exception>
    public static TlsServer? From(SipTlsOptions? options, TimeProvider time, ILoggerFactory logs)
    {
        if (options is null) return null;

        try
        {
            X509Certificate2Collection? authorities = null;
            if (options.ClientCa is { } file) (authorities = []).ImportFromPemFile(file);
            return new(new(options.Certificate, options.Key, time, logs.CreateLogger<TlsServer>()), authorities);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or System.Security.Cryptography.CryptographicException)
        {
            throw new ConfigurationException($"Sip:Tls cannot be used: {error.Message}", error);
        }
    }

    /// <summary>How the next connection begins TLS.</summary>
    internal SslServerAuthenticationOptions Options
    {
        get
        {
            var options = new SslServerAuthenticationOptions
            {
                ServerCertificateContext = _identity.Current,
                ClientCertificateRequired = _clientAuthorities is not null,
                // A client that begins anew within a connection would have us do the costly part again and again.
                AllowRenegotiation = false,
            };
            if (_clientAuthorities is null) return options;

            options.CertificateChainPolicy = new() { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            options.CertificateChainPolicy.CustomTrustStore.AddRange(_clientAuthorities);
            return options;
        }
    }
}
