using SipNat.NatLab.Processes;

namespace SipNat.Lab.Tests.Relay;

/// <summary>An authority made by the openssl program, and the certificate of one server.</summary>
internal sealed class OpenSslAuthority : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("sipnat-ca").FullName;

    private OpenSslAuthority()
    {
    }

    public string Authority => Path.Combine(_folder, "ca.pem");

    public string Certificate => Path.Combine(_folder, "server.pem");

    public string Key => Path.Combine(_folder, "server.key");

    /// <param name="name">What the server's certificate is made out to.</param>
    public static async Task<OpenSslAuthority> CreateAsync(string name, CancellationToken stop)
    {
        var made = new OpenSslAuthority();
        var authorityKey = Path.Combine(made._folder, "ca.key");
        string[] key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
        await Run(["req", "-x509", .. key, "-days", "2", "-subj", "/CN=Laboratory", "-keyout", authorityKey, "-out", made.Authority]);
        await Run(
            [
                "req", "-x509", .. key, "-days", "2", "-subj", $"/CN={name}", "-CA", made.Authority, "-CAkey", authorityKey,
                "-addext", $"subjectAltName=DNS:{name}", "-addext", "basicConstraints=critical,CA:FALSE", "-keyout", made.Key, "-out", made.Certificate,
            ]);
        return made;

        Task Run(string[] arguments) => ShortCommand.RunAsync("openssl", arguments, null, stop);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
