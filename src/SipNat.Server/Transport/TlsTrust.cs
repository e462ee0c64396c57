using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;
using SipNat.Server.Options;

namespace SipNat.Server.Transport;

/// <summary>
/// Who may vouch for the servers that connections with TLS are made to, and who we are to them: the authorities of the
/// system and nobody, or for some names others. A certificate is always checked, and always against a name.
/// </summary>
public sealed class TlsTrust
{
    private readonly Dictionary<string, ServerTerms> _turn = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, ServerTerms> _sip = new(StringComparer.OrdinalIgnoreCase);
    private ServerTerms _otherSip = new();

    private TlsTrust()
    {
    }

    /// <summary>The authorities of the system, for every name.</summary>
    public static TlsTrust System { get; } = new();

    /// <summary>Reads the authorities that are configured for TURN servers.</summary>
    /// <exception cref="CryptographicException">A file that was good at start is none any more.</exception>
    /// <exception cref="IOException">As above.</exception>
    public static TlsTrust From(NatOptions nat)
    {
        var trust = new TlsTrust();
        foreach (var server in nat.TurnServers)
        {
            if (server.Ca is { } file) trust._turn[server.Uri.Host] = new() { Authorities = With(trust._turn.GetValueOrDefault(server.Uri.Host)?.Authorities, file) };
        }

        return trust;
    }

    /// <summary>Reads what is configured for TURN servers, for accounts and for calls without one.</summary>
    /// <exception cref="ConfigurationException">A file that was good when the settings were read is none any more.</exception>
    public static TlsTrust From(SipNatOptions options, TimeProvider time, ILoggerFactory logs)
    {
        try
        {
            var trust = From(options.Nat);
            var log = logs.CreateLogger<TlsTrust>();
            trust._otherSip = new()
            {
                Authorities = options.Sip.ServerCa is { } file ? With(null, file) : null,
                Identity = options.Sip.Tls is { } tls ? new(tls.Certificate, tls.Key, time, log) : null,
            };
            foreach (var account in options.Accounts)
            {
                foreach (var host in account.Servers) trust.Add(account, host, time, log);
            }

            return trust;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new ConfigurationException($"A certificate cannot be used: {error.Message}", error);
        }
    }

    internal ServerTerms Of(string name, StreamFraming framing) => framing is StreamFraming.Sip
        ? _sip.GetValueOrDefault(name, _otherSip)
        : _turn.GetValueOrDefault(name) ?? new() { CaKey = "Nat:TurnServers:N:Ca" };

    // Accounts of one server have the same terms but for the authorities: the settings saw to that.
    private void Add(AccountSettings account, string host, TimeProvider time, ILogger log)
    {
        var known = _sip.GetValueOrDefault(host) ?? new() { CaKey = "Accounts:N:Ca", Identity = _otherSip.Identity };
        _sip[host] = known with
        {
            Authorities = account.Ca is { } file ? With(known.Authorities, file) : known.Authorities,
            Identity = account is { Certificate: { } certificate, Key: { } key } ? new(certificate, key, time, log) : known.Identity,
            CertificateName = account.CertificateName ?? known.CertificateName,
            WebSocketPath = account.WebSocketPath,
        };
    }

    private static X509Certificate2Collection With(X509Certificate2Collection? known, string file)
    {
        X509Certificate2Collection authorities = [.. known ?? []];
        authorities.ImportFromPemFile(file);
        return authorities;
    }
}
