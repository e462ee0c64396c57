using SipNat.Server.Commands;
using SipNat.Server.Tests.Archive;

namespace SipNat.Server.Tests.Commands;

public sealed class PlanCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public PlanCommandTests() => File.WriteAllText(_folder["sipnat.json"], "{}");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Json_has_both_vocabularies_the_paths_and_who_may_call()
    {
        var (code, output, error) = await RunAsync("plan", "open", "symmetric", "--turn-right", "--json");

        Assert.Equal((0, ""), (code, error));
        Assert.Equal(
            """{"schema":1,"left":{"nat":"open","mapping":"none","filtering":"none","udp":"open","forward":false,"turn":false}"""
            + ""","right":{"nat":"symmetric","mapping":"address-and-port-dependent","filtering":"address-and-port-dependent","udp":"open","forward":false,"turn":true}"""
            + ""","paths":[{"kind":"latching","toLeft":"own","toRight":"learned","first":"right"},{"kind":"relay","toLeft":"relayed","toRight":"relayed","first":"either"}]"""
            + ""","calls":{"leftToRight":false,"rightToLeft":true},"advice":""",
            output[..output.IndexOf("\"The right side must", StringComparison.Ordinal)]);
    }

    [Fact]
    public async Task People_get_a_table_and_one_paragraph()
    {
        var (code, output, _) = await RunAsync("plan", "full-cone", "endpoint-independent/address-and-port-dependent");

        Assert.Equal(0, code);
        Assert.Equal(
            [
                "Left:  full-cone (mapping endpoint-independent, filtering endpoint-independent)",
                "Right: port-restricted (mapping endpoint-independent, filtering address-and-port-dependent)",
                "Path | Left sends to | Right sends to | First packet",
                "reflexive address | the right side's reflexive address | the left side's reflexive address | right",
                "latching | where the right side's packets come from | the left side's reflexive address | right",
                "The right side must call the left: nobody can call the right side uninvited. Where calls are to go both ways, the right side keeps a registration, "
                + "and the flow it went over, alive. Audio goes to the addresses that STUN shows on the media sockets themselves, kept alive from then on. "
                + "The right side must send first, and go on sending, also where it only listens.",
            ],
            Lines(output));
    }

    [Theory]
    [InlineData("symmetric port-restricted", "Audio has no way, because neither side learns an address of the other that lets it in: give one side a TURN server, or forward its ports.")]
    [InlineData("open udp-blocked", "Audio has no way, because UDP is blocked: that side needs a TURN server, over TCP or TLS.")]
    [InlineData("open udp-blocked --turn-left", "Audio has no way: a side that sends no UDP needs a TURN server of its own, over TCP or TLS.")]
    public async Task Where_nothing_works_the_exit_code_is_1_and_the_text_says_what_would(string arguments, string advice)
    {
        var (code, output, error) = await RunAsync(["plan", .. arguments.Split(' ')]);

        Assert.Equal((1, ""), (code, error));
        Assert.EndsWith($" {advice}", Lines(output)[^1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("double open --forward-left", "latching")]
    [InlineData("port-restricted symmetric --forward-left", "latching")]
    [InlineData("port-restricted symmetric --turn", "relay")]
    [InlineData("port-restricted full-cone --forward-left", "forward")]
    [InlineData("port-restricted address-restricted", "hole-punching")]
    public async Task Flags_change_what_works(string arguments, string kind)
    {
        var (code, output, _) = await RunAsync(["plan", .. arguments.Split(' '), "--json"]);

        Assert.Equal(0, code);
        Assert.Contains($"{{\"kind\":\"{kind}\"", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wrong_word_is_refused_with_all_that_are_right()
    {
        var (code, output, error) = await RunAsync("plan", "cone", "open");

        Assert.Equal((2, ""), (code, output));
        Assert.StartsWith(
            "LEFT 'cone' is no kind of NAT; there are open, full-cone, address-restricted, port-restricted, symmetric, double, udp-blocked, "
            + "or MAPPING/FILTERING, each of them none, endpoint-independent, address-dependent, address-and-port-dependent.\n",
            error,
            StringComparison.Ordinal);
    }

    // The text without the table's rules and padding.
    private static string[] Lines(string output) =>
    [
        .. output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Where(line => !line.Contains('─') && line.Trim().Length > 0)
            .Select(line => line.StartsWith(' ')
                ? string.Join(" | ", line.Split("  ", StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
                : line),
    ];

    private async Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = await SipNatCommandLine.RunAsync([.. arguments, "--config", _folder["sipnat.json"]], output, error);
        return (code, output.ToString(), error.ToString());
    }
}
