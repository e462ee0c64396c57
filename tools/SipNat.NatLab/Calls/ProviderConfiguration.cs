namespace SipNat.NatLab.Calls;

/// <summary>The configuration of Kamailio as a provider: registrar and record-routing proxy with digest, over UDP, TCP and TLS.</summary>
internal static class ProviderConfiguration
{
    /// <param name="options">What the provider does.</param>
    /// <param name="folder">Where <see cref="Tls"/> stands as tls.cfg.</param>
    public static string Routing(ProviderOptions options, string folder)
    {
        var isLatching = options.Kind is ProviderKind.Latching;
        return
            $$"""
            #!KAMAILIO
            {{(isLatching ? "#!define LATCHING" : "")}}
            debug=1
            log_stderror=yes
            children=2
            tcp_children=2
            tcp_connection_lifetime=3605
            auto_aliases=no
            alias="{{Provider.Address}}"
            dns=no
            rev_dns=no
            enable_tls=yes
            listen=udp:{{Provider.Address}}:5060
            listen=tcp:{{Provider.Address}}:5060
            listen=tls:{{Provider.Address}}:5061
            {{string.Concat(Modules.Split(' ').Select(module => $"loadmodule \"{module}.so\"\n"))}}
            modparam("tls", "config", "{{folder}}/tls.cfg")
            modparam("usrloc", "db_mode", 0)
            modparam("registrar", "max_expires", {{options.LeaseSeconds}})
            modparam("registrar", "received_avp", "$avp(received)")
            modparam("nathelper", "received_avp", "$avp(received)")
            modparam("auth", "nonce_expire", {{options.NonceSeconds}})
            modparam("rr", "append_fromtag", 1)
            modparam("rtpengine", "rtpengine_sock", "udp:127.0.0.1:{{Provider.RelayControlPort}}")
            modparam("rtpengine", "rtpengine_disable_tout", 5)
            event_route[core:worker-one-init] {
                xlog("L_ALERT", "ready to answer\n");
            }

            """ + Routes(options);
    }

    public static string Tls(string certificate, string key) =>
        $"""
        [server:default]
        method = TLSv1.2+
        verify_certificate = no
        require_certificate = no
        private_key = {key}
        certificate = {certificate}

        """;

    private const string Modules = "tls xlog kex pv tm tmx sl rr maxfwd textops siputils usrloc registrar auth nathelper rtpengine";

    private static string Routes(ProviderOptions options) =>
        $$"""
        request_route {
            force_rport();
            if (!mf_process_maxfwd_header("10")) { sl_send_reply("483", "Too Many Hops"); exit; }
            if (is_method("CANCEL")) {
                if (t_check_trans()) { route(MEDIA); t_relay(); }
                exit;
            }
            if (has_totag()) { route(DIALOG); exit; }
            t_check_trans();
            if (is_method("REGISTER")) {
                if (!pv_www_authenticate("{{Provider.Address}}", "{{Provider.Password}}", "0")) { www_challenge("{{Provider.Address}}", "1"); exit; }
        #!ifdef LATCHING
                fix_nated_register();
        #!else
                if ($pr != "udp") fix_nated_register();
        #!endif
                save("location");
                exit;
            }
            if (is_method("OPTIONS") && ($rU == $null || $rU == "")) { sl_send_reply("200", "OK"); exit; }
            if (is_method("INVITE")) {
                if (!pv_proxy_authenticate("{{Provider.Address}}", "{{Provider.Password}}", "0")) { proxy_challenge("{{Provider.Address}}", "1"); exit; }
                consume_credentials();
            }
            record_route();
            if ($rU == "{{Provider.TestNumber}}") $rU = "{{options.TestUser}}";
            route(CONTACT);
            if (!lookup("location")) { sl_send_reply("404", "Not Found"); exit; }
            route(MEDIA);
            t_on_reply("BACK");
            t_relay();
        }
        route[DIALOG] {
            if (!loose_route()) {
                if (is_method("ACK") && t_check_trans()) { t_relay(); exit; }
                if (!is_method("ACK")) sl_send_reply("404", "Not here");
                exit;
            }
            handle_ruri_alias();
            route(CONTACT);
            if (is_method("INVITE")) record_route();
            route(MEDIA);
            t_on_reply("BACK");
            t_relay();
        }
        route[CONTACT] {
            if (!is_method("INVITE|UPDATE")) return;
        #!ifdef LATCHING
            add_contact_alias();
        #!else
            if ($pr != "udp") add_contact_alias();
        #!endif
        }
        route[MEDIA] {
        #!ifdef LATCHING
            rtpengine_manage("replace-origin replace-session-connection ICE=remove{{(options.PolicesMedia ? " asymmetric strict-source" : "")}}");
        #!endif
            {{Falsifying(options.Rewrites)}}
            return;
        }
        onreply_route[BACK] {
            if ($rs > 100 && $rs < 300) route(CONTACT);
            route(MEDIA);
        }

        """;

    // The telephone has a public address, which all its messages come from.
    private static string Falsifying(RewrittenMedia rewritten) => rewritten switch
    {
        RewrittenMedia.OfClient => $"if ($si != \"{Provider.TelephoneAddress}\" && has_body(\"application/sdp\")) {Replacing}",
        RewrittenMedia.OfTelephone => $"if ($si == \"{Provider.TelephoneAddress}\" && has_body(\"application/sdp\")) {Replacing}",
        _ => "",
    };

    private const string Replacing = "subst_body('/^c=IN IP4 [0-9.]+/c=IN IP4 10.9.9.9/g');";
}
