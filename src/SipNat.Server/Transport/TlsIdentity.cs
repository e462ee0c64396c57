using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.Extensions.Logging;

namespace SipNat.Server.Transport;

/// <summary>
/// A certificate with its key and the certificates that lead to it, from PEM files that may be replaced while the program
/// runs: whoever asks after that gets the other one, and connections that stand keep theirs. Thread safe.
/// </summary>
public sealed partial class TlsIdentity
{
    // Files are looked at when a connection comes, and no more often than that.
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);

    private readonly string _certificateFile;
    private readonly string _keyFile;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly Lock _gate = new();
    private byte[] _digest;
    private long _lookedAt;

    /// <param name="certificateFile">The certificate, and after it those that lead to its authority.</param>
    /// <param name="keyFile">Its private key, not encrypted.</param>
    /// <exception cref="CryptographicException">The files do not hold a certificate and its key.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public TlsIdentity(string certificateFile, string keyFile, TimeProvider time, ILogger log)
    {
        (_certificateFile, _keyFile, _time, _log, _lookedAt) = (certificateFile, keyFile, time, log, time.GetTimestamp());
        (var certificate, var key, _digest) = ReadFiles();
        Context = ContextOf(certificate, key);
    }

    private SslStreamCertificateContext Context { get; set; }

    /// <summary>What the files hold; where they are not good at the moment, what they held before.</summary>
    public SslStreamCertificateContext Current
    {
        get
        {
            lock (_gate)
            {
                if (_time.GetElapsedTime(_lookedAt) < LookInterval) return Context;

                _lookedAt = _time.GetTimestamp();
                Look();
                return Context;
            }
        }
    }

    /// <summary>What is wrong with a pair of files; null where nothing is.</summary>
    public static string? ProblemOf(string certificateFile, string keyFile)
    {
        try
        {
            using var leaf = Load(File.ReadAllText(certificateFile), File.ReadAllText(keyFile));
            return null;
        }
        catch (Exception error) when (IsAboutFiles(error))
        {
            return error.Message;
        }
    }

    private void Look()
    {
        try
        {
            var (certificate, key, digest) = ReadFiles();
            if (digest.AsSpan().SequenceEqual(_digest)) return;

            // Between the two files of one replacement they do not fit: that is told once.
            _digest = digest;
            Context = ContextOf(certificate, key);
            LogReplaced(_log, _certificateFile, Context.TargetCertificate.NotAfter.ToUniversalTime());
        }
        catch (Exception error) when (IsAboutFiles(error))
        {
            LogKept(_log, _certificateFile, error.Message);
        }
    }

    private (string Certificate, string Key, byte[] Digest) ReadFiles()
    {
        var (certificate, key) = (File.ReadAllText(_certificateFile), File.ReadAllText(_keyFile));
        return (certificate, key, SHA256.HashData(Encoding.UTF8.GetBytes($"{certificate}\0{key}")));
    }

    private static SslStreamCertificateContext ContextOf(string certificate, string key)
    {
        var chain = new X509Certificate2Collection();
        chain.ImportFromPem(certificate);
        return SslStreamCertificateContext.Create(Load(certificate, key), chain, offline: true);
    }

    // A key that lives in memory only is not taken by every system's TLS.
    private static X509Certificate2 Load(string certificate, string key)
    {
        using var pair = X509Certificate2.CreateFromPem(certificate, key);
        return X509CertificateLoader.LoadPkcs12(pair.Export(X509ContentType.Pkcs12), null);
    }

    private static bool IsAboutFiles(Exception error) => error is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException;

    [LoggerMessage(LogLevel.Information, "The certificate of {File} was replaced; the one for connections from here on ends at {End:u}")]
    private static partial void LogReplaced(ILogger logger, string file, DateTime end);

    [LoggerMessage(LogLevel.Warning, "The certificate of {File} was replaced by one that cannot be used, so that the former is kept: {Reason}")]
    private static partial void LogKept(ILogger logger, string file, string reason);
}
