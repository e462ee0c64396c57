using SipNat.NatLab.Processes;
using SipNat.NatLab.Servers;

namespace SipNat.NatLab.Calls;

/// <summary>
/// A provider of SIP accounts on the first address of <c>srv</c>: Kamailio, and rtpengine where it relays media. Every
/// user's password is <see cref="Password"/>.
/// </summary>
public sealed class Provider : IAsyncDisposable
{
    public const string Address = "203.0.113.1";
    public const string Password = "secret";

    /// <summary>Where the telephones at the provider are: <c>hostB</c> with a public address.</summary>
    public const string TelephoneAddress = "203.0.113.20";

    /// <summary>The number of the echo test, as large providers have one; it is a user of the options.</summary>
    public const string TestNumber = "4443";

    /// <summary>What it needs beside a laboratory.</summary>
    public static readonly IReadOnlyList<string> Programs = [KamailioServer.Program, RelayProgram];

    internal const int RelayControlPort = 2223;
    private const string RelayProgram = "rtpengine";
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(20);

    private readonly NatLaboratory _lab;
    private readonly ProviderOptions _options;
    private readonly DirectoryInfo _folder;
    private LabProcess? _relay;
    private LabProcess? _proxy;

    private Provider(NatLaboratory lab, ProviderOptions options)
    {
        (_lab, _options) = (lab, options);
        _folder = Directory.CreateTempSubdirectory($"{lab.Name}-provider");
        Certificate = "";
    }

    public ProviderKind Kind => _options.Kind;

    /// <summary>The certificate that its clients have to trust, as PEM.</summary>
    public string Certificate { get; private set; }

    /// <summary>What Kamailio said.</summary>
    public string Log => _proxy?.Error ?? "";

    /// <exception cref="LabException">A program did not start.</exception>
    public static async Task<Provider> StartAsync(NatLaboratory lab, ProviderOptions options, CancellationToken stop)
    {
        var provider = new Provider(lab, options);
        try
        {
            var (certificate, key) = ServerCertificate.Write(provider._folder, Address);
            provider.Certificate = certificate;
            await File.WriteAllTextAsync(provider.PathOf("tls.cfg"), ProviderConfiguration.Tls(certificate, key), stop);
            await File.WriteAllTextAsync(provider.PathOf("kamailio.cfg"), ProviderConfiguration.Routing(options, provider._folder.FullName), stop);
            if (options.Kind is ProviderKind.Latching) await provider.StartRelayAsync(stop);
            await provider.StartProxyAsync(stop);
            return provider;
        }
        catch
        {
            await provider.DisposeAsync();
            throw;
        }
    }

    /// <summary>Ends Kamailio and starts it again; it has forgotten every binding.</summary>
    public async Task RestartAsync(CancellationToken stop)
    {
        await _proxy!.DisposeAsync();
        await StartProxyAsync(stop);
    }

    public async ValueTask DisposeAsync()
    {
        if (_proxy is not null) await _proxy.DisposeAsync();
        if (_relay is not null) await _relay.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    private async Task StartRelayAsync(CancellationToken stop)
    {
        _relay = _lab.Host("srv").Start(
            RelayProgram, "--table=-1", $"--interface={Address}", $"--listen-ng=127.0.0.1:{RelayControlPort}", "--foreground", "--log-stderr",
            "--port-min=40000", "--port-max=40999", $"--pidfile={PathOf("rtpengine.pid")}", "--no-redis-required");
        await _relay.WaitForTextAsync("Startup complete", StartLimit, stop);
    }

    private async Task StartProxyAsync(CancellationToken stop)
    {
        _proxy = _lab.Host("srv").Start(
            KamailioServer.Program, "-f", PathOf("kamailio.cfg"), "-DD", "-E", "-w", _folder.FullName, "-Y", _folder.FullName, "-m", "32", "-M", "8");
        await _proxy.WaitForTextAsync("ready to answer", StartLimit, stop);
    }

    private string PathOf(string file) => Path.Combine(_folder.FullName, file);
}

/// <summary>A provider to start.</summary>
public sealed record ProviderOptions(ProviderKind Kind)
{
    /// <summary>How long a nonce is good.</summary>
    public int NonceSeconds { get; init; } = 300;

    /// <summary>The longest lease.</summary>
    public int LeaseSeconds { get; init; } = 3600;

    /// <summary>The user that the number of the echo test leads to.</summary>
    public string TestUser { get; init; } = "200";

    /// <summary>Whether a latching provider sends to the described address and lets media in from there only, as firewalls of providers do.</summary>
    public bool PolicesMedia { get; init; }

    /// <summary>Whose session descriptions it falsifies; only a strict one does.</summary>
    public RewrittenMedia Rewrites { get; init; }
}

/// <summary>Whose media address a proxy replaces by a private one that nobody has.</summary>
public enum RewrittenMedia
{
    None,

    /// <summary>The client's: the telephone does not send to it.</summary>
    OfClient,

    /// <summary>The telephone's: the client does not find it where it is said to be.</summary>
    OfTelephone,
}
