using SipNat.NatLab.Processes;

namespace SipNat.NatLab.Servers;

/// <summary>Kamailio on the first address of <c>srv</c>: it answers every request with 200 and says where it came from (RFC 3581).</summary>
public static class KamailioServer
{
    public const string Program = "kamailio";
    public const string Address = "203.0.113.1:5060";

    private const string Configuration =
        """
        #!KAMAILIO
        debug=1
        log_stderror=yes
        children=1
        auto_aliases=no
        dns=no
        rev_dns=no
        disable_tcp=yes
        listen=udp:203.0.113.1:5060
        loadmodule "xlog.so"
        loadmodule "sl.so"
        event_route[core:worker-one-init] {
            xlog("L_ALERT", "ready to answer\n");
        }
        request_route {
            force_rport();
            sl_send_reply("200", "OK");
        }

        """;

    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(20);

    public static async Task<LabProcess> StartAsync(NatLaboratory lab, CancellationToken stop)
    {
        var folder = Directory.CreateTempSubdirectory($"{lab.Name}-kamailio");
        var file = Path.Combine(folder.FullName, "kamailio.cfg");
        await File.WriteAllTextAsync(file, Configuration, stop);
        try
        {
            var process = lab.Host("srv").Start(Program, "-f", file, "-DD", "-E", "-w", folder.FullName, "-Y", folder.FullName, "-m", "16", "-M", "4");
            await process.WaitForTextAsync("ready to answer", StartLimit, stop);
            return process;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
