using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using SipNat.Server.Options;
using SipNat.Server.Tests.Archive;
using SipNat.Server.Transport;
using SipNat.Traversal.Turn;

namespace SipNat.Server.Tests.Transport;

/// <summary>A certificate authority of a test's own, and the certificates that it makes out.</summary>
internal sealed class TestAuthority : IDisposable
{
    private static readonly DateTimeOffset Begin = new(2020, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset End = new(2090, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly TemporaryFolder _folder = new();
    private readonly X509Certificate2 _certificate;

    public TestAuthority()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Test authority", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        _certificate = request.CreateSelfSigned(Begin, End);
        File = _folder["ca.pem"];
        System.IO.File.WriteAllText(File, _certificate.ExportCertificatePem());
    }

    /// <summary>The authority's certificate.</summary>
    public string File { get; }

    /// <summary>A certificate for names and addresses, with its key.</summary>
    public X509Certificate2 Issue(params string[] names)
    {
        var subject = new SubjectAlternativeNameBuilder();
        foreach (var name in names)
        {
            if (IPAddress.TryParse(name, out var address)) subject.AddIpAddress(address);
            else subject.AddDnsName(name);
        }

        return IssueFor("CN=Server", subject.Build());
    }

    /// <summary>A certificate for a subject with whatever extensions it is to have, with its key.</summary>
    public X509Certificate2 IssueFor(string subject, params X509Extension[] extensions)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        foreach (var extension in extensions) request.CertificateExtensions.Add(extension);
        using var certificate = request.Create(_certificate, Begin, End.AddYears(-1), [1, 2, 3, 4]);
        using var withKey = certificate.CopyWithPrivateKey(key);
        // A key that lives in memory only is not taken by every TLS library.
        return X509CertificateLoader.LoadPkcs12(withKey.Export(X509ContentType.Pkcs12), null);
    }

    /// <summary>Writes a certificate and its key where a server is to find them; what was there before is replaced.</summary>
    public SipTlsOptions Write(X509Certificate2 certificate)
    {
        var options = new SipTlsOptions { Certificate = _folder["server.pem"], Key = _folder["server.key"] };
        System.IO.File.WriteAllText(options.Certificate, certificate.ExportCertificatePem());
        System.IO.File.WriteAllText(options.Key, certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
        return options;
    }

    /// <summary>Trusts this authority for some names and the system for others.</summary>
    public TlsTrust TrustFor(params string[] names) => TlsTrust.From(new()
    {
        TurnServers = [.. names.Select(name => new TurnServerSettings { Uri = new TurnUri(true, name, 0, null), Ca = File })],
    });

    public void Dispose()
    {
        _certificate.Dispose();
        _folder.Dispose();
    }
}
