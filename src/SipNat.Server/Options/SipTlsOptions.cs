using SipNat.Server.Transport;
using SipNat.Wire;

namespace SipNat.Server.Options;

/// <summary>The <c>Sip:Tls</c> section: rooted paths of PEM files.</summary>
public sealed record SipTlsOptions
{
    private const string Section = "Sip:Tls";

    /// <summary>Our certificate, and after it those that lead to its authority.</summary>
    public required string Certificate { get; init; }

    /// <summary>The key of <see cref="Certificate"/>.</summary>
    public required string Key { get; init; }

    /// <summary>The authorities that have to vouch for whoever connects; null: nobody is asked for a certificate.</summary>
    public string? ClientCa { get; init; }

    internal static SipTlsOptions? Read(SettingReader settings, IReadOnlyList<SipListener> listeners)
    {
        var certificate = settings.Value<string?>($"{Section}:Certificate", null, settings.CertificateFile);
        var key = settings.Value<string?>($"{Section}:Key", null, settings.ReadableFile);
        var clientCa = settings.Value<string?>($"{Section}:ClientCa", null, settings.CertificateFile);
        if (listeners.FirstOrDefault(l => l.Transport.IsEncrypted) is { } listener)
        {
            settings.Require(certificate is not null, $"{Section}:Certificate", $"must be set for {listener}: a PEM file with the certificate, and after it those that lead to its authority.");
        }

        settings.Require(certificate is not null || clientCa is null, $"{Section}:ClientCa", $"is set, and {Section}:Certificate is not.");
        return settings.RequirePair(certificate, key, Section) ? new() { Certificate = certificate!, Key = key!, ClientCa = clientCa } : null;
    }
}
