using SipNat.NatLab.Processes;

namespace SipNat.NatLab;

/// <summary>What this machine must have before a laboratory can be built on it.</summary>
public static class LabRequirements
{
    /// <summary>A file that python3-aioice installs.</summary>
    public const string Aioice = "/usr/lib/python3/dist-packages/aioice/__init__.py";

    /// <summary>A file that libnice-dev installs.</summary>
    public const string LibniceHeader = "/usr/include/nice/agent.h";

    /// <summary>A file that libsrtp2-dev installs.</summary>
    public const string LibsrtpHeader = "/usr/include/srtp2/srtp.h";

    /// <summary>A file that kamailio-outbound-modules installs.</summary>
    public const string KamailioOutbound = "/usr/lib/x86_64-linux-gnu/kamailio/modules/outbound.so";

    private static readonly string[] CoreTools = ["ip", "nft", "sysctl", "conntrack", "setsid", "env"];
    private static readonly string[] SystemFolders = ["/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/local/sbin", "/usr/local/bin"];

    // Tried once: laboratories are built side by side, and the namespace of the trial has one name.
    private static readonly Lazy<Task<bool>> CanMakeNamespaces = new(TryNamespaceAsync);

    // Debian package of each tool.
    private static readonly Dictionary<string, string> Packages = new(StringComparer.Ordinal)
    {
        ["ip"] = "iproute2",
        ["nft"] = "nftables",
        ["sysctl"] = "procps",
        ["conntrack"] = "conntrack",
        ["sipp"] = "sip-tester",
        ["turnserver"] = "coturn",
        ["turnutils_natdiscovery"] = "coturn",
        ["turnutils_peer"] = "coturn",
        ["miniupnpd"] = "miniupnpd-nftables",
        ["upnpc"] = "miniupnpc",
        ["dnsmasq"] = "dnsmasq-base",
        ["tshark"] = "tshark",
        ["sox"] = "sox",
        ["rtpengine"] = "rtpengine-daemon",
        ["/usr/bin/python3"] = "python3",
        [Aioice] = "python3-aioice",
        [LibniceHeader] = "libnice-dev",
        [LibsrtpHeader] = "libsrtp2-dev",
        [KamailioOutbound] = "kamailio-outbound-modules",
        ["setsid"] = "util-linux",
        ["env"] = "coreutils",
        ["kamailio"] = "kamailio",
        ["baresip"] = "baresip-core",
    };

    /// <summary>One line per missing thing; empty when a laboratory can be built.</summary>
    /// <param name="tools">Programs wanted beside those that every laboratory needs.</param>
    public static async Task<IReadOnlyList<string>> CheckAsync(params IEnumerable<string> tools)
    {
        if (!OperatingSystem.IsLinux()) return ["Linux"];
        if (Native.EffectiveUser() != 0) return ["root"];

        var missing = CoreTools.Concat(tools).Distinct(StringComparer.Ordinal)
            .Where(tool => Find(tool) is null)
            .Select(tool => $"{tool} (Debian package {Packages.GetValueOrDefault(tool, tool)})")
            .ToList();
        if (missing.Count > 0) return missing;

        return await CanMakeNamespaces.Value ? [] : ["the right to make network namespaces (CAP_SYS_ADMIN)"];
    }

    /// <summary>The full path of a program, or null; a full path is looked for as it is.</summary>
    public static string? Find(string tool)
    {
        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Concat(SystemFolders);
        return folders.Select(folder => Path.Combine(folder, tool)).FirstOrDefault(File.Exists);
    }

    private static async Task<bool> TryNamespaceAsync()
    {
        var name = $"sn{Environment.ProcessId:x}-probe";
        if ((await ShortCommand.TryRunAsync("ip", ["netns", "add", name])).ExitCode != 0) return false;

        var usable = await ShortCommand.TryRunAsync("ip", ["netns", "exec", name, "nft", "list", "ruleset"]);
        await ShortCommand.TryRunAsync("ip", ["netns", "del", name]);
        return usable.ExitCode == 0;
    }
}
