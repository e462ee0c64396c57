using System.Net;
using System.Net.Http.Headers;
using Microsoft.Extensions.Logging.Abstractions;
using SipNat.Archive;
using SipNat.Server.Api;
using SipNat.Server.Hosting;
using SipNat.Server.Options;
using SipNat.Server.Tests.Archive;
using SipNat.Wire;

namespace SipNat.Server.Tests.Webhooks;

/// <summary>The settings that hold secrets: webhooks and the token of the API.</summary>
public sealed class SecretSettingsTests : IDisposable
{
    private const string Token = "correct-horse-battery";

    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Webhooks_are_read_with_secrets_of_their_own_or_of_files()
    {
        File.WriteAllText(_folder["secret"], "sixteen-or-more-of-them\n");

        var webhooks = Load(
            "Webhooks:0:Url=https://crm.example/sipnat", "Webhooks:0:SecretFile=secret", "Webhooks:2:Url=http://127.0.0.1:9000/").Options!.Webhooks;

        Assert.Equal(
            [
                new WebhookOptions { Url = new("https://crm.example/sipnat"), Secret = "sixteen-or-more-of-them" },
                new WebhookOptions { Url = new("http://127.0.0.1:9000/") },
            ],
            webhooks);
        Assert.Equal("https://crm.example/sipnat", webhooks[0].ToString());
    }

    [Theory]
    [InlineData("Webhooks:0:Url=http://crm.example/", "Webhooks:0:Url = http://crm.example/ (--set): must be https://")]
    [InlineData("Webhooks:0:Url=https://user:word@crm.example/", "must be https://")]
    [InlineData("Webhooks:0:Secret=sixteen-or-more-of-them", "Webhooks:0:Url: must be set")]
    [InlineData("Webhooks:0:Colour=blue", "Webhooks:0:Colour (--set): is not a known key")]
    [InlineData("Webhooks:Url=https://crm.example/", "Webhooks:Url (--set): is not a known key; the nearest known one is Webhooks:N:Url.")]
    [InlineData("Http:Listen=http://192.0.2.1:8080", "Http:Listen = http://192.0.2.1:8080 (--set): must be http://127.0.0.1:PORT or http://[::1]:PORT, unless Http:Token is set.")]
    [InlineData("Http:Token=short", "Http:Token (--set): must have 16 to 1024 visible ASCII characters and no space.")]
    [InlineData("Http:TokenFile=missing", "Http:TokenFile = missing (--set): cannot be read")]
    public void A_wrong_setting_is_told_and_a_secret_is_not(string setting, string error)
    {
        var result = Load(setting);

        Assert.Contains(error, Assert.Single(result.Errors).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_secret_and_its_file_exclude_each_other_and_no_message_shows_the_secret()
    {
        var error = Assert.Single(Load("Http:Token=a-secret-of-mine-!", "Http:TokenFile=secret").Errors);

        Assert.Equal("Http:Token (--set): is set, and so is Http:TokenFile: one of them has to go.", error.ToString());
    }

    [Fact]
    public void With_a_token_the_api_may_listen_elsewhere()
    {
        var http = Load("Http:Listen=http://0.0.0.0:8080", $"Http:Token={Token}").Options!.Http;

        Assert.Equal((TransportAddress.Parse("0.0.0.0:8080"), Token, "http://0.0.0.0:8080"), (http.Listen, http.Token, http.ToString()));
    }

    [Theory]
    [InlineData("/api/recordings", null, HttpStatusCode.Unauthorized)]
    [InlineData("/api/recordings", "Bearer wrong-horse-battery!", HttpStatusCode.Unauthorized)]
    [InlineData("/api/recordings", "Bearer", HttpStatusCode.Unauthorized)]
    [InlineData("/api/recordings", "Basic " + Token, HttpStatusCode.Unauthorized)]
    [InlineData("/metrics", null, HttpStatusCode.Unauthorized)]
    [InlineData("/metrics", "Bearer " + Token, HttpStatusCode.OK)]
    [InlineData("/api/recordings", "bearer " + Token, HttpStatusCode.OK)]
    [InlineData("/health/live", null, HttpStatusCode.OK)]
    public async Task The_token_opens_everything_and_health_needs_none(string path, string? authorization, HttpStatusCode expected)
    {
        using var archive = RecordingArchive.Open(_folder.Recordings, _folder.Database);
        using var metrics = new MetricsExporter();
        await using var server = await ApiServer.StartAsync(
            TransportAddress.Parse("127.0.0.1:0"), archive, new(static (_, _) => false, static () => []), new Health(), metrics, NullLoggerFactory.Instance, Token, Cancel);
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, server.Address + path);
        if (authorization is not null) request.Headers.TryAddWithoutValidation("Authorization", authorization);

        // A public name of the server is no attack where the token is shown.
        request.Headers.Host = "recorder.example";
        using var response = await client.SendAsync(request, Cancel);

        Assert.Equal(expected, response.StatusCode);
        Assert.Equal(expected is HttpStatusCode.Unauthorized ? [new AuthenticationHeaderValue("Bearer")] : [], response.Headers.WwwAuthenticate);
    }

    private ConfigurationResult Load(params string[] settings) => ConfigurationLoader.Load(new ConfigurationInputs
    {
        Settings = settings,
        CurrentDirectory = _folder.Path,
        ProgramDirectory = _folder.Path,
    });
}
