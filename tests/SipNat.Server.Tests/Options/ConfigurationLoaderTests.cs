using Serilog.Events;
using SipNat.Server.Options;
using SipNat.Server.Tests.Archive;
using SipNat.Wire;

namespace SipNat.Server.Tests.Options;

public sealed class ConfigurationLoaderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Without_any_source_every_key_has_its_default()
    {
        var options = Load().OptionsOrThrow();

        Assert.Equal(
            ["udp://0.0.0.0:5060", "tcp://0.0.0.0:5060", "udp://[::]:5060", "tcp://[::]:5060"],
            options.Sip.Listen.Select(listener => listener.ToString()));
        Assert.Null(options.Sip.AllowedNetworks);
        Assert.True(options.Sip.ForceRport);
        Assert.Equal(new NatOptions { ExternalAddress = options.Nat.ExternalAddress, StunServers = options.Nat.StunServers, TurnServers = options.Nat.TurnServers }, options.Nat);
        Assert.Empty(options.Nat.ExternalAddress);
        Assert.Empty(options.Nat.StunServers);
        Assert.Empty(options.Nat.TurnServers);
        Assert.Equal(new MediaOptions(), options.Media);
        Assert.Equal(Path.Combine(_folder.Path, "data", "recordings"), options.Recording.Directory);
        Assert.Equal($"Data Source={Path.Combine(_folder.Path, "data", "catalogue.db")}", options.Recording.Database);
        Assert.Equal(
            new RecordingOptions
            {
                Directory = options.Recording.Directory,
                Database = options.Recording.Database,
                SilenceTimeout = TimeSpan.FromMinutes(5),
                SyncInterval = TimeSpan.FromSeconds(5),
                DrainTimeout = TimeSpan.FromMinutes(10),
            },
            options.Recording);
        Assert.Equal(TransportAddress.Parse("127.0.0.1:8080"), options.Http.Listen);
        Assert.Equal(new LogOptions { Level = LogEventLevel.Information }, options.Log);
    }

    [Fact]
    public void Arguments_win_over_the_environment_and_the_environment_over_the_file()
    {
        WriteFile("""{ "Media": { "FirstPort": 20000, "LastPort": 20099, "Dscp": 0 } }""");

        var media = Load(["Media:LastPort=40099"], ("SIPNAT__Media__LastPort", "30099"), ("sipnat__media__dscp", "34"), ("Media__Dscp", "1")).OptionsOrThrow().Media;

        Assert.Equal((20000, 40099, 34), (media.FirstPort, media.LastPort, media.Dscp));
    }

    [Fact]
    public void A_list_is_taken_whole_from_the_highest_source_that_names_an_entry()
    {
        WriteFile("""
            {
              "Sip": { "Listen": ["udp://192.0.2.1", "tcp://192.0.2.1:5080"], "AllowedNetworks": ["10.0.0.0/8", "192.0.2.0/24"] },
              "Nat": { "StunServers": [] }
            }
            """);

        var options = Load(["Sip:AllowedNetworks:7=198.51.100.0/24"], ("SIPNAT__Sip__Listen__0", "udp://127.0.0.1:5070")).OptionsOrThrow();

        Assert.Equal(["udp://127.0.0.1:5070"], options.Sip.Listen.Select(listener => listener.ToString()));
        Assert.Equal([NetworkPrefix.Parse("198.51.100.0/24")], options.Sip.AllowedNetworks);
        Assert.Empty(options.Nat.StunServers);
    }

    [Fact]
    public void Entries_of_a_list_come_in_the_order_of_their_numbers()
    {
        var stun = Load(["Nat:StunServers:10=c.example", "Nat:StunServers:2=b.example:3479", "Nat:StunServers:0=[2001:db8::1]"]).OptionsOrThrow().Nat.StunServers;

        Assert.Equal([new("2001:db8::1", 3478), new("b.example", 3479), new HostName("c.example", 3478) { Service = ServiceKind.Stun }], stun);
    }

    [Fact]
    public void Accounts_and_servers_are_read_from_the_sections_of_a_list_in_the_file()
    {
        WriteFile("""
            {
              "Accounts": [ { "Uri": "sip:100@example.com", "Password": "a" }, { "Uri": "sip:101@example.com", "Password": "b" } ],
              "Nat": { "TurnServers": [ { "Uri": "turn:turn.example", "Username": "u", "Password": "p" } ] }
            }
            """);

        var options = Load().OptionsOrThrow();

        Assert.Equal(["100@example.com", "101@example.com"], options.Accounts.Select(static account => account.Name));
        Assert.Single(options.Nat.TurnServers);
    }

    [Theory]
    [InlineData("", "provider.example, other.example")]
    [InlineData("Nat:StunDiscovery=false", "")]
    [InlineData("Nat:StunServers:0=stun.example:3479", "stun.example:3479")]
    public void Domains_of_accounts_are_asked_for_stun_servers_where_none_is_set(string setting, string servers)
    {
        WriteFile("""
            {
              "Accounts": [
                { "Uri": "sip:1@provider.example", "Password": "a" },
                { "Uri": "sip:2@PROVIDER.example", "Password": "a" },
                { "Uri": "sip:3@192.0.2.1", "Password": "a" },
                { "Uri": "sip:4@other.example", "Password": "a" }
              ]
            }
            """);

        var options = Load(setting.Length == 0 ? [] : [setting]).OptionsOrThrow();

        Assert.Equal(servers, string.Join(", ", options.StunServers.Select(static server => server.IsOptional ? server.Host : server.ToString())));
    }

    [Fact]
    public void An_account_may_have_several_flows_and_a_proxy_for_each()
    {
        string[] account = ["Accounts:0:Uri=sip:1@example.com", "Accounts:0:Password=a", "Accounts:0:OutboundProxy=edge1.example.com, sip:edge2.example.com:5070"];

        var read = Load([.. account, "Accounts:0:Flows=2"]).OptionsOrThrow().Accounts[0];

        Assert.Equal((2, "sip:edge1.example.com", "sip:edge2.example.com:5070"), (read.Flows, read.OutboundProxy?.ToString(), Assert.Single(read.FurtherProxies).ToString()));
        Assert.Contains("names 2 proxies, and Flows is 1", Assert.Single(Load(account).Errors).ToString(), StringComparison.Ordinal);
        Assert.Contains("Accounts:0:Flows", Assert.Single(Load([.. account, "Accounts:0:Flows=5"]).Errors).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Ten_thousand_accounts_are_taken_and_not_one_more()
    {
        static string Accounts(int count) => $$"""{ "Accounts": [ {{string.Join(',', Enumerable.Range(0, count).Select(static i => $$"""{ "Uri": "sip:{{i}}@example.com", "Password": "a" }"""))}} ] }""";

        WriteFile(Accounts(10_000));
        Assert.Equal(10_000, Load().OptionsOrThrow().Accounts.Count);

        WriteFile(Accounts(10_001));
        Assert.Contains("has 10001 entries; at most 10000 are taken", Assert.Single(Load().Errors).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Relative_paths_begin_at_the_folder_of_the_file()
    {
        var inner = Directory.CreateDirectory(Path.Combine(_folder.Path, "etc")).FullName;
        var file = Path.Combine(inner, "sipnat.json");
        File.WriteAllText(file, """{ "Recording": { "Directory": "../calls", "Database": "Data Source=index.db;Cache=Shared" } }""");

        var recording = ConfigurationLoader.Load(Inputs([]) with { File = "etc/sipnat.json" }).OptionsOrThrow().Recording;

        Assert.Equal(Path.Combine(_folder.Path, "calls"), recording.Directory);
        Assert.Equal($"Data Source={Path.Combine(inner, "index.db")};Cache=Shared", recording.Database);
    }

    [Fact]
    public void The_file_of_the_current_folder_is_preferred_to_the_one_beside_the_program()
    {
        var program = Directory.CreateDirectory(Path.Combine(_folder.Path, "program")).FullName;
        File.WriteAllText(Path.Combine(program, "appsettings.json"), """{ "Media": { "Dscp": 1 } }""");
        Assert.Equal(1, ConfigurationLoader.Load(Inputs([]) with { ProgramDirectory = program }).OptionsOrThrow().Media.Dscp);

        WriteFile("""{ "Media": { "Dscp": 2 } }""");
        Assert.Equal(2, ConfigurationLoader.Load(Inputs([]) with { ProgramDirectory = program }).OptionsOrThrow().Media.Dscp);
    }

    [Fact]
    public void All_errors_are_told_at_once_with_key_value_and_source()
    {
        WriteFile("""{ "Media": { "FirstPort": 10001, "LatchProbation": 3 } }""");

        var errors = Load(["Sip:Listen:0=sctp://0.0.0.0", "Meda:FirstPort=1"], ("SIPNAT__Nat__Keepalive", "25")).Errors;

        var file = Path.Combine(_folder.Path, "appsettings.json");
        Assert.Equal(
            [
                "Sip:Listen:0 = sctp://0.0.0.0 (--set): must be udp://ADDRESS[:PORT], tcp://…, tls://…, ws://… or wss://…, with [ADDRESS] for IPv6.",
                "Nat:Keepalive = 25 (environment): must be a duration hh:mm:ss from 00:00:01 to 01:00:00.",
                $"Media:FirstPort = 10001 ({file}): must be even: RTP takes the even port and RTCP the next one (RFC 3550 §11).",
                $"Media:LatchProbation ({file}): is not a known key; the nearest known one is Media:LastPort.",
                "Meda:FirstPort (--set): is not a known key; the nearest known one is Media:FirstPort.",
            ],
            errors.Select(error => error.ToString()));
    }

    [Theory]
    [InlineData("Sip:Listen:0=udp://host.example")]
    [InlineData("Sip:Listen:0=udp://224.0.0.1:5060")]
    [InlineData("Sip:Listen:0=udp://0.0.0.0:0")]
    [InlineData("Sip:Listen:0=5060")]
    [InlineData("Sip:Listen=udp://127.0.0.1")]
    [InlineData("Sip:AllowedNetworks:0=10.0.0.0/33")]
    [InlineData("Sip:ForceRport=yes")]
    [InlineData("Nat:ExternalAddress:0=203.0.113.1:5060")]
    [InlineData("Nat:ExternalAddress:0=0.0.0.0")]
    [InlineData("Nat:ExternalAddress:0=203.0.113")]
    [InlineData("Nat:ForwardedPorts=1")]
    [InlineData("Nat:ForwardedPorts=Same")]
    [InlineData("Nat:ExternalSipPort=5080")]
    [InlineData("Nat:ExternalSipPort=0")]
    [InlineData("Nat:StunServers:0=stun.example:99999")]
    [InlineData("Nat:StunServers:0=")]
    [InlineData("Nat:Keepalive=00:00:00")]
    [InlineData("Nat:Ice=Sometimes")]
    [InlineData("Nat:RelayOnly=true")]
    [InlineData("Nat:ConsentInterval=00:00:00")]
    [InlineData("Nat:ConsentTimeout=00:00:05")]
    [InlineData("Media:Address=0.0.0.0")]
    [InlineData("Media:Address=192.0.2.1:4000")]
    [InlineData("Media:FirstPort=ten")]
    [InlineData("Media:FirstPort=20000")]
    [InlineData("Media:Latch=Sometimes")]
    [InlineData("Media:Dscp=64")]
    [InlineData("Media:Srtp=Sometimes")]
    [InlineData("Recording:Directory=")]
    [InlineData("Recording:Database=Host=db.example")]
    [InlineData("Recording:Database=Data Source=:memory:")]
    [InlineData("Recording:Database=Colour=blue")]
    [InlineData("Recording:DrainTimeout=-00:00:01")]
    [InlineData("Http:Listen=http://192.0.2.1:8080")]
    [InlineData("Http:Listen=https://127.0.0.1:8080")]
    [InlineData("Http:Listen=http://127.0.0.1:8080/api")]
    [InlineData("Http:Token=secret")]
    [InlineData("Log:Level=Loud")]
    [InlineData("Serilog:WriteTo:0:Name=Console")]
    [InlineData("Trunks:0:Peer=a")]
    [InlineData("no-equals-sign")]
    [InlineData("=value")]
    public void A_wrong_setting_is_refused(string setting)
    {
        var result = Load([setting]);

        Assert.Null(result.Options);
        Assert.Single(result.Errors);
        Assert.Throws<ConfigurationException>(result.OptionsOrThrow);
    }

    [Fact]
    public void A_public_address_and_its_forwarded_ports_are_read()
    {
        var nat = Load(
            ["Nat:ExternalAddress:0=203.0.113.1", "Nat:ExternalAddress:1=recorder.example", "Nat:ForwardedPorts=same", "Nat:ExternalSipPort=5080", "Nat:ExternalMediaFirstPort=30000"])
            .OptionsOrThrow().Nat;

        Assert.Equal([new("203.0.113.1", 0), new HostName("recorder.example", 0)], nat.ExternalAddress);
        Assert.Equal((ForwardedPorts.Same, 5080, 30000), (nat.ForwardedPorts, nat.ExternalSipPort, nat.ExternalMediaFirstPort));
    }

    [Theory]
    [InlineData("{ \"Media\": ")]
    [InlineData("[]")]
    [InlineData("{ \"Media\": {}, \"media\": { \"Dscp\": 1, \"dscp\": 2 } }")]
    public void A_file_that_is_not_json_is_one_error(string content)
    {
        WriteFile(content);

        var error = Assert.Single(Load().Errors);

        Assert.Equal("--config", error.Key);
        Assert.StartsWith("is not valid JSON: ", error.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_is_named_and_missing_is_an_error()
    {
        var error = Assert.Single(ConfigurationLoader.Load(Inputs([]) with { File = "none.json" }).Errors);

        Assert.Equal(("--config", Path.Combine(_folder.Path, "none.json")), (error.Key, error.Value));
    }

    [Fact]
    public void The_root_file_of_the_repository_is_valid_and_holds_no_list()
    {
        var file = Path.Combine(Repository.Root, "appsettings.json");

        var result = ConfigurationLoader.Load(Inputs([]) with { File = file });

        Assert.Empty(result.Errors);
        Assert.DoesNotContain('[', File.ReadAllText(file));
    }

    [Fact]
    public void The_documentation_lists_exactly_the_keys_that_there_are()
    {
        var rows = File.ReadLines(Path.Combine(Repository.Root, "docs", "configuration.md")).Where(line => line.StartsWith("| `", StringComparison.Ordinal));
        var documented = rows.Select(row => row.Split('`')[1]).Order(StringComparer.Ordinal);

        Assert.Equal(ConfigurationLoader.KnownKeys(), documented);
    }

    private void WriteFile(string content) => File.WriteAllText(Path.Combine(_folder.Path, "appsettings.json"), content);

    private ConfigurationResult Load(string[]? settings = null, params (string Name, string Value)[] environment) =>
        ConfigurationLoader.Load(Inputs(settings ?? [], environment));

    private ConfigurationInputs Inputs(string[] settings, params (string Name, string Value)[] environment) => new()
    {
        Settings = settings,
        Environment = environment.ToDictionary(entry => entry.Name, entry => entry.Value, StringComparer.Ordinal),
        CurrentDirectory = _folder.Path,
        ProgramDirectory = _folder.Path,
    };
}
