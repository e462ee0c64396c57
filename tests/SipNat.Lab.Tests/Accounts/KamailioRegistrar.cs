using SipNat.NatLab;
using SipNat.NatLab.Processes;
using SipNat.NatLab.Servers;

namespace SipNat.Lab.Tests.Accounts;

/// <summary>
/// Kamailio as registrar and proxy of its own address on <c>srv</c>, with digest: every user's password is "secret". It
/// forwards what comes for a user to the user's Contact.
/// </summary>
internal sealed class KamailioRegistrar : IAsyncDisposable
{
    public const string Address = "203.0.113.1";

    /// <summary>The other address of <c>srv</c>, for a second one.</summary>
    public const string OtherAddress = "203.0.113.2";

    /// <summary>A file that kamailio-outbound-modules installs.</summary>
    public const string OutboundModule = LabRequirements.KamailioOutbound;

    private const string Outbound = "loadmodule \"stun.so\"\nloadmodule \"outbound.so\"\nmodparam(\"registrar\", \"outbound_mode\", 1)\nmodparam(\"registrar\", \"flow_timer\", 20)\n";

    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(20);

    private readonly NatLaboratory _lab;
    private readonly DirectoryInfo _folder;
    private readonly string _address;
    private LabProcess? _process;

    private KamailioRegistrar(NatLaboratory lab, DirectoryInfo folder, string address) => (_lab, _folder, _address) = (lab, folder, address);

    /// <param name="fixesNat">Whether it keeps the source of a REGISTER beside the Contact and forwards there, as large providers do; else it believes what it is told.</param>
    /// <param name="nonceSeconds">How long a nonce is good.</param>
    /// <param name="leaseSeconds">The longest lease.</param>
    /// <param name="tls">Certificate and key in PEM; TLS is not spoken without.</param>
    /// <param name="clientCa">Whoever connects with TLS has to show a certificate that this PEM file vouches for.</param>
    /// <param name="webSocketPath">Where a WebSocket is opened, on port 80, and with TLS on 443; null for none.</param>
    /// <param name="address">Where it listens.</param>
    /// <param name="isOutbound">Whether it tells flows apart (RFC 5626), and wants each used within 20 s.</param>
    /// <param name="script">What it does with a REGISTER before all else, in Kamailio's own language.</param>
    public static async Task<KamailioRegistrar> StartAsync(
        NatLaboratory lab,
        bool fixesNat = false,
        int nonceSeconds = 300,
        int leaseSeconds = 3600,
        (string Certificate, string Key)? tls = null,
        string? clientCa = null,
        string? webSocketPath = null,
        string address = Address,
        bool isOutbound = false,
        string script = "")
    {
        var folder = Directory.CreateTempSubdirectory($"{lab.Name}-kamailio");
        var file = Path.Combine(folder.FullName, "kamailio.cfg");
        var text = Configuration(folder, fixesNat, nonceSeconds, leaseSeconds, tls, clientCa, webSocketPath).Replace("#script#", script, StringComparison.Ordinal).Replace("#outbound#", isOutbound ? Outbound : "", StringComparison.Ordinal).Replace(Address, address, StringComparison.Ordinal);
        await File.WriteAllTextAsync(file, text, TestContext.Current.CancellationToken);
        var registrar = new KamailioRegistrar(lab, folder, address);
        try
        {
            await registrar.StartAsync();
            return registrar;
        }
        catch
        {
            await registrar.DisposeAsync();
            throw;
        }
    }

    /// <summary>As where its machine loses its power: it hears nothing any more, and nobody is told.</summary>
    public Task CutOffAsync() => _lab.Host("srv").RunAsync(
        "nft", ["-f", "-"], $"table ip dead {{\n chain input {{\n type filter hook input priority filter;\n ip daddr {_address} udp dport 5060 drop;\n }}\n}}\n", TestContext.Current.CancellationToken);

    /// <summary>Starts again, with nothing known of before.</summary>
    public async Task RestartAsync()
    {
        await _process!.DisposeAsync();
        await StartAsync();
    }

    /// <summary>Sends an OPTIONS for a user to the proxy, from the second address of <c>srv</c>, and gives the first line of the final answer; "nothing" where none comes in three seconds.</summary>
    public async Task<string> CallAsync(string user)
    {
        var script =
            $$"""
            import socket, time
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            s.bind(("203.0.113.2", 0))
            port = s.getsockname()[1]
            s.settimeout(0.5)
            text = ("OPTIONS sip:{{user}}@{{_address}} SIP/2.0\r\nVia: SIP/2.0/UDP 203.0.113.2:%d;rport;branch=z9hG4bK%d\r\n"
                    "Max-Forwards: 70\r\nFrom: <sip:caller@203.0.113.2>;tag=a%d\r\nTo: <sip:{{user}}@{{_address}}>\r\nCall-ID: c%d@lab\r\n"
                    "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n") % (port, port, port, port)
            end = time.monotonic() + 3
            answer = "nothing"
            while time.monotonic() < end and answer == "nothing":
                s.sendto(text.encode(), ("{{_address}}", 5060))
                try:
                    line = s.recv(4096).decode().split("\r\n")[0]
                    if not line.startswith("SIP/2.0 1"):
                        answer = line
                except socket.timeout:
                    pass
            print(answer)

            """;
        return (await _lab.Host("srv").RunAsync("python3", ["-c", script], stop: TestContext.Current.CancellationToken)).Trim();
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null) await _process.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    private async Task StartAsync()
    {
        var file = Path.Combine(_folder.FullName, "kamailio.cfg");
        _process = _lab.Host("srv").Start(KamailioServer.Program, "-f", file, "-DD", "-E", "-w", _folder.FullName, "-Y", _folder.FullName, "-m", "32", "-M", "8");
        await _process.WaitForTextAsync("ready to answer", StartLimit, TestContext.Current.CancellationToken);
    }

    private static string Configuration(DirectoryInfo folder, bool fixesNat, int nonceSeconds, int leaseSeconds, (string Certificate, string Key)? tls, string? clientCa, string? webSocketPath)
    {
        if (tls is { } pair)
        {
            File.WriteAllText(
                Path.Combine(folder.FullName, "tls.cfg"),
                $"[server:default]\nmethod = TLSv1.2+\nprivate_key = {pair.Key}\ncertificate = {pair.Certificate}\n"
                + (clientCa is null ? "verify_certificate = no\nrequire_certificate = no\n" : $"verify_certificate = yes\nrequire_certificate = yes\nca_list = {clientCa}\n"));
        }

        var webSocket = webSocketPath is null ? "" :
            $$"""
            tcp_accept_no_cl=yes
            listen=tcp:{{Address}}:80
            {{(tls is null ? "" : $"listen=tls:{Address}:443")}}
            loadmodule "xhttp.so"
            loadmodule "websocket.so"
            event_route[xhttp:request] {
                if ($hdr(Upgrade) =~ "websocket" && $hdr(Connection) =~ "Upgrade" && $hu == "{{webSocketPath}}") {
                    if (ws_handle_handshake()) { exit; }
                }
                xhttp_reply("404", "Not Found", "", "");
            }
            """;

        return
            $$"""
            #!KAMAILIO
            debug=1
            log_stderror=yes
            children=1
            tcp_children=1
            auto_aliases=no
            alias="{{Address}}"
            dns=no
            rev_dns=no
            {{(tls is null ? "" : $"enable_tls=yes\nlisten=tls:{Address}:5061\nloadmodule \"tls.so\"\nmodparam(\"tls\", \"config\", \"{folder.FullName}/tls.cfg\")")}}
            listen=udp:{{Address}}:5060
            listen=tcp:{{Address}}:5060
            loadmodule "xlog.so"
            loadmodule "kex.so"
            loadmodule "pv.so"
            loadmodule "tm.so"
            loadmodule "sl.so"
            loadmodule "rr.so"
            loadmodule "maxfwd.so"
            loadmodule "textops.so"
            loadmodule "siputils.so"
            loadmodule "usrloc.so"
            loadmodule "registrar.so"
            loadmodule "auth.so"
            loadmodule "nathelper.so"
            #outbound#
            modparam("usrloc", "db_mode", 0)
            modparam("registrar", "max_expires", {{leaseSeconds}})
            modparam("registrar", "received_avp", "$avp(received)")
            modparam("nathelper", "received_avp", "$avp(received)")
            modparam("auth", "nonce_expire", {{nonceSeconds}})
            {{webSocket}}
            event_route[core:worker-one-init] {
                xlog("L_ALERT", "ready to answer\n");
            }
            request_route {
                force_rport();
                if (!mf_process_maxfwd_header("10")) { sl_send_reply("483", "Too Many Hops"); exit; }
                if (is_method("REGISTER")) {
                    #script#
                    if (!pv_www_authenticate("{{Address}}", "secret", "0")) {
                        www_challenge("{{Address}}", "1");
                        exit;
                    }
                    {{(fixesNat ? "fix_nated_register();" : "")}}
                    save("location");
                    exit;
                }
                if (is_method("OPTIONS") && $rU == $null) { sl_send_reply("200", "OK"); exit; }
                if (!lookup("location")) { sl_send_reply("404", "Not Found"); exit; }
                t_relay();
            }

            """;
    }
}
