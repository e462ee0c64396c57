using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using SipNat.Server.Commands;
using SipNat.Server.Hosting;
using SipNat.Server.Tests.Archive;
using SipNat.Server.Transport;
using SipNat.Simulation.Accounts;
using SipNat.Wire;

namespace SipNat.Server.Tests.Commands;

public sealed class RegisterCommandTests : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly SimulatedRegistrar _registrar = new("127.0.0.1", "secret");
    private readonly CoreHost _host;

    public RegisterCommandTests()
    {
        File.WriteAllText(_folder["sipnat.json"], "{}");
        _host = new(_registrar, new ServerClock(TimeProvider.System), new FlowIds(), new(), NullLoggerFactory.Instance);
        _host.Start([new(TransportProtocol.Udp, TransportAddress.Parse("127.0.0.1:0"))]);
    }

    private string EndPoint => _host.Bound.Single().Address.ToString();

    public async ValueTask DisposeAsync()
    {
        await _host.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Json_says_what_the_registrar_saw_and_the_binding_is_removed_again()
    {
        var (code, output, error) = await RunAsync(["register", "--json", .. Account()]);

        Assert.Equal((0, ""), (code, error));
        using var report = JsonDocument.Parse(output);
        var root = report.RootElement;
        Assert.Equal(
            ["schema", "account", "registrar", "transport", "registered", "status", "reason", "contact", "received", "bindings", "alg", "expiresSeconds", "keepaliveSeconds", "attempts", "text", "why"],
            root.EnumerateObject().Select(property => property.Name));
        Assert.Equal(("100@127.0.0.1", EndPoint, "udp"), (root.GetProperty("account").GetString(), root.GetProperty("registrar").GetString(), root.GetProperty("transport").GetString()));
        Assert.Equal((true, 200, "OK"), (root.GetProperty("registered").GetBoolean(), root.GetProperty("status").GetInt32(), root.GetProperty("reason").GetString()));
        var contact = root.GetProperty("contact").GetString();
        Assert.Equal(contact, root.GetProperty("received").GetString());
        Assert.Equal([$"sip:100@{contact}"], root.GetProperty("bindings").EnumerateArray().Select(binding => binding.GetString()));
        Assert.Equal((3600, 25, 2), (root.GetProperty("expiresSeconds").GetDouble(), root.GetProperty("keepaliveSeconds").GetDouble(), root.GetProperty("attempts").GetInt32()));
        Assert.Empty(_registrar.Bindings);
    }

    [Fact]
    public async Task People_see_a_table_and_what_it_means()
    {
        var (code, output, error) = await RunAsync(["register", .. Account()]);

        Assert.Equal(0, code);
        Assert.Contains("registers at 127.0.0.1:", error, StringComparison.Ordinal);
        Assert.Matches("registered +yes", output);
        Assert.Matches("lease +3600 s", output);
        Assert.Matches("keepalive +every 20 to 25 s", output);
        Assert.Contains("Calls arrive: registered at 127.0.0.1:", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wrong_password_is_exit_code_1_and_is_never_shown()
    {
        var (code, output, error) = await RunAsync(["register", .. Account("Accounts:0:Password=open-sesame")]);

        Assert.Equal(1, code);
        Assert.Contains("Username or password are wrong", output, StringComparison.Ordinal);
        Assert.DoesNotContain("open-sesame", output + error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_registrar_that_nobody_knows_is_exit_code_3()
    {
        var (code, output, _) = await RunAsync("register", "--set", "Accounts:0:Uri=sip:100@name.invalid", "--set", "Accounts:0:Password=secret");

        Assert.Equal(3, code);
        Assert.Contains("The DNS does not know name.invalid", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("register", "There is no account: set Accounts:0:Uri and Accounts:0:Password.")]
    [InlineData("register --set Accounts:0:Uri=sip:a@b.example", "Accounts:0:Password: must be set, or PasswordFile in its place.")]
    [InlineData("register --set Accounts:0:Uri=b.example --set Accounts:0:Password=x", "must be sip:USER@DOMAIN, such as sip:100@example.com.")]
    [InlineData("register --set Accounts:0:Uri=sip:a@b.example --set Accounts:0:Password=x --set Accounts:0:Transport=sctp", "must be Udp, Tcp, Tls, Ws or Wss")]
    [InlineData("register --set Accounts:0:Uri=sip:a@b.example --set Accounts:0:Password=x --account c", "There is no account 'c'; there are a@b.example.")]
    [InlineData("register --set Accounts:0:Uri=sip:a@b.example --set Accounts:0:Password=x --set Accounts:1:Uri=sip:a@b.example --set Accounts:1:Password=x", "each has a name of its own")]
    [InlineData("register --set Accounts:0:Uri=sip:a@b.example --set Accounts:0:Password=x --set Accounts:1:Uri=sip:c@b.example --set Accounts:1:Password=x", "There are several accounts: say which by --account; there are a@b.example, c@b.example.")]
    [InlineData("register --set Accounts:0:Uri=sip:a@b.example --set Accounts:0:Password=x --duration 90000", "--duration must be 0 to 86400 seconds.")]
    public async Task What_is_wrong_is_said_on_standard_error(string arguments, string problem)
    {
        var (code, output, error) = await RunAsync(arguments.Split(' '));

        Assert.Equal((2, ""), (code, output));
        Assert.Contains(problem, error, StringComparison.Ordinal);
    }

    private string[] Account(params string[] settings) =>
    [
        .. ((string[])["Accounts:0:Uri=sip:100@127.0.0.1", "Accounts:0:Password=secret", $"Accounts:0:Registrar={EndPoint}", .. settings]).SelectMany(setting => (string[])["--set", setting]),
    ];

    private async Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = await SipNatCommandLine.RunAsync([.. arguments, "--config", _folder["sipnat.json"]], output, error);
        return (code, output.ToString(), error.ToString());
    }
}
