using System.Security.Cryptography.X509Certificates;

namespace SipNat.Server.Transport;

/// <summary>On what terms the servers of one name are connected to.</summary>
internal sealed record ServerTerms
{
    /// <summary>Who may vouch for it; null: the authorities of the system.</summary>
    public X509Certificate2Collection? Authorities { get; init; }

    /// <summary>Who we are to it, where it asks; null for nobody.</summary>
    public TlsIdentity? Identity { get; init; }

    /// <summary>What its certificate names in place of the name that is asked for, to the letter; null for that name.</summary>
    public string? CertificateName { get; init; }

    /// <summary>What is asked of it to open a WebSocket: a path, and a query where it has one.</summary>
    public string WebSocketPath { get; init; } = "/";

    /// <summary>The setting that names <see cref="Authorities"/>.</summary>
    public string CaKey { get; init; } = "Sip:Tls:ServerCa";
}
