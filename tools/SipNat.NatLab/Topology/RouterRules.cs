using System.Net;
using System.Text;

namespace SipNat.NatLab.Topology;

/// <summary>The nftables rules that make a Linux router behave like one of the classic kinds of NAT.</summary>
internal static class RouterRules
{
    private static readonly TimeSpan KernelDefault = TimeSpan.FromSeconds(30);

    /// <summary>The whole ruleset; <c>wan</c> and <c>lan</c> are the router's interfaces.</summary>
    public static string Build(NatBehaviour behaviour, IPAddress wan, IPAddress host, RouterFeatures features)
    {
        var rules = new StringBuilder("add table ip lab\ndelete table ip lab\ntable ip lab {\n");
        if (behaviour is NatBehaviour.AddressRestricted)
        {
            var timeout = (int)(features.UdpTimeout ?? KernelDefault).TotalSeconds;
            rules.Append($"  set seen {{ typeof udp sport . ip daddr; flags dynamic,timeout; timeout {timeout}s; }}\n");
        }

        AppendPrerouting(rules, behaviour, wan, host, features);
        AppendPostrouting(rules, behaviour, features);
        AppendForward(rules, behaviour);
        AppendInput(rules);
        if (features.Alg) AppendAlg(rules);
        if (features.DropFragments) AppendFragments(rules);
        return rules.Append("}\n").ToString();
    }

    private static void AppendPrerouting(StringBuilder rules, NatBehaviour behaviour, IPAddress wan, IPAddress host, RouterFeatures features)
    {
        rules.Append("  chain prerouting { type nat hook prerouting priority dstnat; policy accept;\n");
        if (features.Forwards.Count > 0)
        {
            var ports = string.Join(", ", features.Forwards);
            rules.Append($"    iifname wan meta l4proto {{ udp, tcp }} th dport {{ {ports} }} dnat to {host};\n");
            if (features.Hairpin) rules.Append($"    iifname lan ip daddr {wan} tcp dport {{ {ports} }} dnat to {host};\n");
        }

        if (features.Hairpin) rules.Append($"    iifname lan ip daddr {wan} meta l4proto udp dnat to {host};\n");

        if (behaviour is NatBehaviour.FullCone) rules.Append($"    iifname wan meta l4proto udp dnat to {host};\n");
        if (behaviour is NatBehaviour.AddressRestricted) rules.Append($"    iifname wan udp dport . ip saddr @seen dnat to {host};\n");
        rules.Append("  }\n");
    }

    // masquerade keeps the source port while it is free, which makes the mapping endpoint-independent in effect.
    private static void AppendPostrouting(StringBuilder rules, NatBehaviour behaviour, RouterFeatures features)
    {
        var random = behaviour is NatBehaviour.Symmetric ? " fully-random" : "";
        rules.Append("  chain postrouting { type nat hook postrouting priority srcnat; policy accept;\n");
        rules.Append($"    oifname wan masquerade{random};\n");
        if (features.Hairpin) rules.Append("    iifname lan oifname lan ct status dnat masquerade;\n");
        rules.Append("  }\n");
    }

    private static void AppendForward(StringBuilder rules, NatBehaviour behaviour)
    {
        rules.Append("  chain forward { type filter hook forward priority filter; policy drop;\n");
        if (behaviour is NatBehaviour.UdpBlocked) rules.Append("    meta l4proto udp drop;\n");
        if (behaviour is NatBehaviour.AddressRestricted) rules.Append("    oifname wan meta l4proto udp update @seen { udp sport . ip daddr };\n");
        rules.Append("    iifname lan accept;\n");
        rules.Append("    iifname wan ct state established,related accept;\n");
        rules.Append("    iifname wan ct status dnat accept;\n");
        rules.Append("  }\n");
    }

    // As every router that is sold: what nobody inside has asked for is dropped. Answered by the router itself, it would
    // leave an entry in conntrack, for which the host's own packets to the same place get another port.
    private static void AppendInput(StringBuilder rules)
    {
        rules.Append("  chain input { type filter hook input priority filter; policy accept;\n");
        rules.Append("    iifname wan meta l4proto udp ct state new drop;\n");
        rules.Append("  }\n");
    }

    // Before the connection tracking puts them together, which is at priority -400.
    private static void AppendFragments(StringBuilder rules)
    {
        rules.Append("  chain fragments { type filter hook prerouting priority -500; policy accept;\n");
        rules.Append("    ip frag-off & 0x3fff != 0 drop;\n");
        rules.Append("  }\n");
    }

    private static void AppendAlg(StringBuilder rules)
    {
        rules.Append("  ct helper sip5060 { type \"sip\" protocol udp; }\n");
        rules.Append("  chain alg { type filter hook prerouting priority 0; policy accept;\n");
        rules.Append("    iifname lan udp dport 5060 ct helper set \"sip5060\";\n");
        rules.Append("  }\n");
    }
}

/// <summary>What a router does beside translating.</summary>
internal sealed record RouterFeatures(IReadOnlyList<PortRange> Forwards, bool Hairpin, bool Alg, bool DropFragments, TimeSpan? UdpTimeout);
