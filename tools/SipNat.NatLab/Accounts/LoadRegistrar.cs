using System.Globalization;
using SipNat.NatLab.Processes;
using SipNat.NatLab.Servers;

namespace SipNat.NatLab.Accounts;

/// <summary>
/// Kamailio as a registrar with digest on the first address of <c>srv</c>, for every user with the password
/// <see cref="Password"/>; it writes down each REGISTER that it gets and each binding that it saves.
/// </summary>
internal sealed class LoadRegistrar : IAsyncDisposable
{
    public const string Address = "203.0.113.1";
    public const string Password = "secret";

    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(20);

    private readonly LabProcess _process;
    private readonly DirectoryInfo _folder;

    private LoadRegistrar(LabProcess process, DirectoryInfo folder) => (_process, _folder) = (process, folder);

    public int Id => _process.Id;

    /// <param name="lease">The longest lease that it grants.</param>
    public static async Task<LoadRegistrar> StartAsync(NatLaboratory lab, TimeSpan lease, CancellationToken stop)
    {
        var folder = Directory.CreateTempSubdirectory($"{lab.Name}-registrar");
        var file = Path.Combine(folder.FullName, "kamailio.cfg");
        await File.WriteAllTextAsync(file, Configuration((int)lease.TotalSeconds), stop);
        var process = lab.Host("srv").Start(KamailioServer.Program, "-f", file, "-DD", "-E", "-w", folder.FullName, "-Y", folder.FullName, "-m", "128", "-M", "8");
        var registrar = new LoadRegistrar(process, folder);
        try
        {
            await process.WaitForTextAsync("ready to answer", StartLimit, stop);
            return registrar;
        }
        catch
        {
            await registrar.DisposeAsync();
            throw;
        }
    }

    /// <summary>What it wrote down so far.</summary>
    public IReadOnlyList<RegistrarEntry> Read()
    {
        var entries = new List<RegistrarEntry>();
        foreach (var line in _process.Error.Split('\n'))
        {
            var begin = line.IndexOf("@@ ", StringComparison.Ordinal);
            if (begin < 0) continue;

            var words = line[(begin + 3)..].Trim().Split(' ');
            if (words.Length == 3 && double.TryParse(words[1], NumberStyles.Float, CultureInfo.InvariantCulture, out var at)) entries.Add(new(words[0][0], at, words[2]));
        }

        return entries;
    }

    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    private static string Configuration(int lease) =>
        $$"""
        #!KAMAILIO
        debug=1
        log_stderror=yes
        children=1
        auto_aliases=no
        alias="{{Address}}"
        dns=no
        rev_dns=no
        disable_tcp=yes
        listen=udp:{{Address}}:5060
        loadmodule "xlog.so"
        loadmodule "pv.so"
        loadmodule "sl.so"
        loadmodule "textops.so"
        loadmodule "usrloc.so"
        loadmodule "registrar.so"
        loadmodule "auth.so"
        modparam("usrloc", "db_mode", 0)
        modparam("usrloc", "hash_size", 12)
        modparam("registrar", "max_expires", {{lease}})
        modparam("auth", "nonce_expire", 300)
        event_route[core:worker-one-init] {
            xlog("L_ALERT", "ready to answer\n");
        }
        request_route {
            force_rport();
            if (!is_method("REGISTER")) { sl_send_reply("200", "OK"); exit; }
            if (is_present_hf("Contact")) xlog("L_ALERT", "@@ R $TV(Sn) $fU\n");
            else xlog("L_ALERT", "@@ F $TV(Sn) $fU\n");
            if (!pv_www_authenticate("{{Address}}", "{{Password}}", "0")) {
                www_challenge("{{Address}}", "1");
                exit;
            }
            if (is_present_hf("Contact")) xlog("L_ALERT", "@@ S $TV(Sn) $fU\n");
            save("location");
        }

        """;
}

/// <summary>A line of the registrar's.</summary>
/// <param name="Kind">R: a REGISTER with a Contact. F: one without. S: one whose credentials were right, so that its binding is saved.</param>
/// <param name="At">Seconds of its clock.</param>
/// <param name="User">Whose.</param>
internal sealed record RegistrarEntry(char Kind, double At, string User);
