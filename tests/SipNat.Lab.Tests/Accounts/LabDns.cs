using SipNat.NatLab;
using SipNat.NatLab.Processes;

namespace SipNat.Lab.Tests.Accounts;

/// <summary>dnsmasq on <c>srv</c>, and <c>hostA</c> asks it: SRV records of <see cref="Domain"/> lead to both addresses of <c>srv</c>, the first one first.</summary>
internal sealed class LabDns : IAsyncDisposable
{
    public const string Program = "dnsmasq";
    public const string Domain = "provider.lab";

    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(10);

    private readonly LabProcess _process;
    private readonly string _folder;

    private LabDns(LabProcess process, string folder) => (_process, _folder) = (process, folder);

    /// <param name="more">Records beside those, as dnsmasq takes them.</param>
    public static async Task<LabDns> StartAsync(NatLaboratory lab, params string[] more)
    {
        // What `ip netns exec` puts in the place of /etc/resolv.conf (ip-netns(8)).
        var folder = Path.Combine("/etc/netns", lab.Host("hostA").NetworkNamespace);
        Directory.CreateDirectory(folder);
        await File.WriteAllTextAsync(Path.Combine(folder, "resolv.conf"), $"nameserver {KamailioRegistrar.Address}\n", TestContext.Current.CancellationToken);
        string[] arguments =
        [
            "--no-daemon", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--bind-interfaces", $"--listen-address={KamailioRegistrar.Address}", "--pid-file",
            $"--local=/{Domain}/", $"--srv-host=_sip._udp.{Domain},one.{Domain},5060,10,1", $"--srv-host=_sip._udp.{Domain},two.{Domain},5060,20,1",
            $"--host-record=one.{Domain},{KamailioRegistrar.Address}", $"--host-record=two.{Domain},{KamailioRegistrar.OtherAddress}", "--local-ttl=60", .. more,
        ];
        var process = lab.Host("srv").Start(Program, arguments);
        var dns = new LabDns(process, folder);
        try
        {
            await process.WaitForTextAsync("started", StartLimit, TestContext.Current.CancellationToken);
            return dns;
        }
        catch
        {
            await dns.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
