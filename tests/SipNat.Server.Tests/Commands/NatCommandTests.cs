using System.Text.RegularExpressions;
using SipNat.Server.Commands;
using SipNat.Server.Tests.Archive;

namespace SipNat.Server.Tests.Commands;

public sealed partial class NatCommandTests : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly LoopbackStunServer _server = new("127.0.0.1");

    public NatCommandTests() => File.WriteAllText(_folder["sipnat.json"], "{}");

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Json_has_every_field_also_those_that_are_not_measured()
    {
        var (code, output, error) = await RunAsync("nat", "--stun", _server.EndPoint, "--json");

        Assert.Equal((0, ""), (code, error));
        Assert.Equal(
            """{"schema":1,"local":"127.0.0.1","udp":"open","ipv4":{"udp":"open","mapping":"none","mappingVaries":false,"filtering":"inconclusive","""
            + "\"external\":\"127.0.0.1:PORT\","
            + """
              "hairpin":null,"portPreservation":true,"lifetimeSeconds":null,"establishedLifetimeSeconds":null,"natLayers":0,"fragments":{"in":null,"out":true},"confidence":{"udp":0.95,"mapping":0.95,"filtering":0,"hairpin":0,"portPreservation":0.95,"lifetimeSeconds":0,"establishedLifetimeSeconds":0,"fragmentsIn":0,"fragmentsOut":0.95,"natLayers":0.95},"samples":{"udp":3,"mapping":3,"filtering":0,"hairpin":0,"portPreservation":3,"lifetimeSeconds":0,"establishedLifetimeSeconds":0,"fragmentsIn":0,"fragmentsOut":3,"natLayers":3}},"ipv6":null,"turn":{"udp":null,"tcp":null,"tls":null},"alg":"inconclusive","algEvidence":[],"advice":["There is no NAT: the address of this machine is the one that peers see.","Who is let in is not known: that takes a STUN server with two addresses (RFC 5780)."]}
              """
            + Environment.NewLine,
            Port().Replace(output, "127.0.0.1:PORT"));
    }

    [Fact]
    public async Task People_get_a_table_and_advice()
    {
        var (code, output, error) = await RunAsync("nat", "--stun", _server.EndPoint, "--fast");

        Assert.Equal(0, code);
        Assert.Matches("^IPv4: measuring\r?\nIPv4: done in [0-9.]+ s\r?\n$", error);
        Assert.Matches("Mapping +none \\(95% sure\\)", output);
        Assert.Matches("Filtering +inconclusive", output);
        Assert.EndsWith($"RFC 5780).{Environment.NewLine}", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Servers_come_from_the_configuration_where_none_is_given()
    {
        var (code, output, _) = await RunAsync("nat", "--fast", "--json", "--set", $"Nat:StunServers:0={_server.EndPoint}");

        Assert.Equal(0, code);
        Assert.Contains("\"mapping\":\"none\"", output, StringComparison.Ordinal);
    }

    // Only one that answers over TCP shows that it is the way that keeps UDP back.
    [Theory]
    [InlineData(false, 3, "UDP +inconclusive", "No server answered, neither over UDP nor over TCP: check the names, whether this machine is connected, and name other servers.")]
    [InlineData(true, 1, "UDP +blocked", "The server answers over TCP and not over UDP: a firewall blocks UDP, unless that one server does not speak it. Name a second one to be sure.")]
    public async Task Silence_says_what_it_may_mean(bool answersOverTcp, int exitCode, string row, string advice)
    {
        await using var silent = new LoopbackStunServer("127.0.0.1", isSilent: true, answersOverTcp);

        var (code, output, _) = await RunAsync("nat", "--stun", silent.EndPoint, "--fast");

        Assert.Equal(exitCode, code);
        Assert.Matches(row, output);
        Assert.EndsWith(advice + Environment.NewLine, output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nat", 2, "nat needs STUN servers: --stun HOST[:PORT], twice at best, or Nat:StunServers:0.")]
    [InlineData("nat --stun x:y", 2, "--stun x:y: must be HOST[:PORT], with [ADDRESS] for IPv6.")]
    [InlineData("nat --stun 127.0.0.1 --sip x:y", 2, "--sip x:y: must be HOST[:PORT], with [ADDRESS] for IPv6.")]
    [InlineData("nat --stun 127.0.0.1 --sip name.invalid --fast", 3, "The SIP server name.invalid:5060 has no address with a route; check the name, or give an address.")]
    [InlineData("nat --stun 127.0.0.1 --turn turn://x", 2, "--turn turn://x: must be turn:HOST[:PORT], turn:HOST[:PORT]?transport=tcp or turns:HOST[:PORT], with [ADDRESS] for IPv6; no // comes before the host (RFC 7065).")]
    [InlineData("nat --stun 127.0.0.1 --turn turn:x.invalid --turn-username a", 2, "--turn-username and --turn-password go together.")]
    [InlineData("nat --stun 127.0.0.1 --turn-username a --turn-password b", 2, "--turn-username and --turn-ca go with --turn URI.")]
    [InlineData("nat --stun 127.0.0.1 --turn turn:x.invalid --fast", 3, "No TURN server has an address with a route (turn:x.invalid?transport=udp, turn:x.invalid?transport=tcp); check the names, or give addresses.")]
    [InlineData("nat --stun 127.0.0.1 --fast --lifetime", 2, "--fast and --lifetime exclude each other.")]
    [InlineData("nat --stun name.invalid", 3, "No STUN server's name has an address (name.invalid:3478); check the names, or give addresses.")]
    public async Task What_cannot_be_measured_is_said_on_standard_error(string arguments, int exitCode, string problem)
    {
        var (code, output, error) = await RunAsync(arguments.Split(' '));

        Assert.Equal((exitCode, ""), (code, output));
        Assert.Contains(problem, error, StringComparison.Ordinal);
    }

    [GeneratedRegex("127\\.0\\.0\\.1:[0-9]+")]
    private static partial Regex Port();

    private async Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = await SipNatCommandLine.RunAsync([.. arguments, "--config", _folder["sipnat.json"]], output, error);
        return (code, output.ToString(), error.ToString());
    }
}
