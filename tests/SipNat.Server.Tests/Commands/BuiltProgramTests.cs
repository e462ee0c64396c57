using System.Diagnostics;
using System.Net.Sockets;
using SipNat.Server.Tests.Archive;

namespace SipNat.Server.Tests.Commands;

/// <summary>The built program as a user meets it: exit codes, and what goes to which stream.</summary>
public sealed class BuiltProgramTests : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Version_is_one_line_on_standard_output() => Assert.Equal((0, "0.1.0\n", ""), await RunAsync("--version"));

    [Fact]
    public async Task Help_names_the_commands_on_standard_output()
    {
        var (code, output, error) = await RunAsync("--help");

        Assert.Equal((0, ""), (code, error));
        Assert.Contains("serve", output, StringComparison.Ordinal);
        Assert.Contains("recordings", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("serv")]
    [InlineData("serve --bogus")]
    [InlineData("recordings")]
    [InlineData("recordings show")]
    [InlineData("recordings list --limit many")]
    [InlineData("recordings list --since yesterday")]
    [InlineData("recordings export 20261120-a1b2c3 --format mp3")]
    [InlineData("nat")]
    [InlineData("nat --stun :x")]
    [InlineData("plan open")]
    [InlineData("plan open cone")]
    public async Task Wrong_usage_ends_with_2_and_speaks_on_standard_error_alone(string arguments)
    {
        var (code, output, error) = await RunAsync(arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries));

        Assert.Equal((2, ""), (code, output));
        Assert.NotEmpty(error);
    }

    [Theory]
    [InlineData("serv", "'serv' is not a command; there are serve, recordings, call, answer, register, nat, plan.")]
    [InlineData("recordings exprot", "'exprot' is not a command; there are list, show, export, verify, reindex, delete.")]
    [InlineData("recordings export 20261120-a1b2c3 --format mp3", "--format 'mp3' is none; there are stereo, channels and streams.")]
    public async Task A_wrong_word_is_told_once_with_what_would_be_right(string arguments, string problem) =>
        Assert.Equal((2, "", $"{problem}\n'sipnat --help' shows what there is.\n"), await RunAsync(arguments.Split(' ')));

    [Fact]
    public async Task A_wrong_key_ends_with_2_and_names_the_nearest()
    {
        var (code, output, error) = await RunAsync("serve", "--set", "Media:FirstPrt=20000", "--set", "Media:Dscp=64", "--json");

        Assert.Equal((2, ""), (code, output));
        Assert.Equal(
            "Media:Dscp = 64 (--set): must be a whole number from 0 to 63.\n" +
            "Media:FirstPrt (--set): is not a known key; the nearest known one is Media:FirstPort.\n",
            error);
    }

    [Fact]
    public async Task A_port_that_is_taken_ends_with_3()
    {
        using var taken = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        taken.Bind(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 0));

        var (code, output, error) = await RunAsync("serve", "--set", $"Sip:Listen:0=udp://{taken.LocalEndPoint}", "--set", "Http:Listen=http://127.0.0.1:0");

        Assert.Equal((3, ""), (code, output));
        Assert.Contains($"Cannot listen on udp://{taken.LocalEndPoint}", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false, "^ready udp://127\\.0\\.0\\.1:[1-9][0-9]* tcp://127\\.0\\.0\\.1:[1-9][0-9]* http://127\\.0\\.0\\.1:[1-9][0-9]*$")]
    [InlineData(true, "^\\{\"event\":\"ready\",\"schema\":1,\"listeners\":\\[\"udp://127\\.0\\.0\\.1:[0-9]+\",\"tcp://127\\.0\\.0\\.1:[0-9]+\"\\],\"http\":\"http://127\\.0\\.0\\.1:[0-9]+\"\\}$")]
    public async Task Serve_tells_that_it_is_ready_and_ends_with_0_after_sigterm(bool json, string ready)
    {
        using var process = Start(
            ["serve", "--set", "Sip:Listen:0=udp://127.0.0.1:0", "--set", "Sip:Listen:1=tcp://127.0.0.1:0", "--set", "Http:Listen=http://127.0.0.1:0", .. json ? ["--json"] : Array.Empty<string>()]);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        deadline.CancelAfter(Deadline);

        // Ended before anything is asserted: a test that fails leaves no server behind.
        var line = await process.StandardOutput.ReadLineAsync(deadline.Token);
        using (var kill = Process.Start("kill", ["-TERM", $"{process.Id}"])) await kill.WaitForExitAsync(deadline.Token);
        await process.WaitForExitAsync(deadline.Token);

        Assert.Matches(ready, line);
        Assert.Equal(0, process.ExitCode);
        Assert.Equal("", await process.StandardOutput.ReadToEndAsync(deadline.Token));
    }

    private async Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments)
    {
        using var process = Start(arguments);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        deadline.CancelAfter(Deadline);
        var output = process.StandardOutput.ReadToEndAsync(deadline.Token);
        var error = process.StandardError.ReadToEndAsync(deadline.Token);
        await process.WaitForExitAsync(deadline.Token);
        return (process.ExitCode, await output, await error);
    }

    private Process Start(string[] arguments) => Process.Start(new ProcessStartInfo("dotnet", [Repository.ServerProgram, .. arguments])
    {
        WorkingDirectory = _folder.Path,
        UseShellExecute = false,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    })!;
}
