using System.Net;
using System.Net.Http.Headers;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
using SipNat.Archive;
using SipNat.Archive.Documents;
using SipNat.Archive.Index;
using SipNat.Endpoint.Accounts;
using SipNat.Server.Api;
using SipNat.Server.Hosting;
using SipNat.Server.Tests.Archive;
using SipNat.Wire;

namespace SipNat.Server.Tests.Api;

public sealed class ApiServerTests : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private readonly Health _health = new();
    private readonly MetricsExporter _metrics = new();
    private readonly HttpClient _client = new();
    private readonly List<(string Id, bool Paused)> _pauses = [];
    private string? _running;
    private RecordingArchive _archive = null!;
    private ApiServer _server = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _archive = RecordingArchive.Open(_folder.Recordings, _folder.Database);
        _server = await StartAsync(TransportAddress.Parse("127.0.0.1:0"));
        _client.BaseAddress = new(_server.Address);
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _archive.Dispose();
        _client.Dispose();
        _metrics.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Health_tells_starting_ready_and_draining()
    {
        Assert.Equal((HttpStatusCode.OK, "live\n"), await GetAsync("/health/live"));
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "starting\n"), await GetAsync("/health/ready"));
        _health.State = HealthState.Ready;
        Assert.Equal((HttpStatusCode.OK, "ready\n"), await GetAsync("/health/ready"));
        _health.State = HealthState.Draining;
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "draining\n"), await GetAsync("/health/ready"));
        Assert.Equal((HttpStatusCode.OK, "live\n"), await GetAsync("/health/live"));
    }

    [Fact]
    public async Task Recordings_are_listed_and_shown_as_the_commands_show_them()
    {
        Assert.Equal((HttpStatusCode.OK, "[]"), await GetAsync("/api/recordings"));

        var document = TemporaryFolder.Document() with
        {
            Participants = [new("sip:alice@example.com", "Alice")],
            Timeline = [new(TemporaryFolder.Start, "answered")],
        };
        _archive.Store.Create(document.Id, document.StartedAt);
        _archive.Save([document], durable: false);

        var list = System.Text.Encoding.UTF8.GetString(RecordingJson.WriteList([document.ToSummary()]));
        var shown = System.Text.Encoding.UTF8.GetString(RecordingJson.Write(document));
        Assert.Equal((HttpStatusCode.OK, list), await GetAsync("/api/recordings?party=ALICE&since=2026-11-20&until=2026-11-21T00:00:00Z&limit=1"));
        Assert.Equal((HttpStatusCode.OK, "[]"), await GetAsync("/api/recordings?party=bob"));
        Assert.Equal((HttpStatusCode.OK, "[]"), await GetAsync("/api/recordings?until=2026-11-20"));
        Assert.Equal((HttpStatusCode.OK, shown), await GetAsync($"/api/recordings/{document.Id}"));
    }

    [Fact]
    public async Task A_list_of_several_pages_is_one_document_newest_first()
    {
        List<RecordingDocument> documents = [];
        for (var i = 0; i < (2 * Catalogue.PageSize) + 50; i++)
        {
            // Three begin in each second: pages end among those that began together.
            documents.Add(TemporaryFolder.Document() with { Id = $"recording-{i:d3}", StartedAt = TemporaryFolder.Start.AddSeconds(i / 3) });
            _archive.Store.Create(documents[i].Id, documents[i].StartedAt);
        }

        _archive.Save(documents, durable: false);
        documents.Reverse();
        foreach (var limit in new[] { 1, 99, 100, 101, 200, 249, 250, 1000 })
        {
            var list = System.Text.Encoding.UTF8.GetString(RecordingJson.WriteList([.. documents.Take(limit).Select(document => document.ToSummary())]));
            Assert.Equal((HttpStatusCode.OK, list), await GetAsync($"/api/recordings?limit={limit}"));
        }
    }

    [Fact]
    public async Task A_list_that_breaks_off_in_the_middle_does_not_look_like_one()
    {
        for (var i = 0; i < Catalogue.PageSize + 1; i++)
        {
            var document = TemporaryFolder.Document() with { Id = $"recording-{i:d3}", StartedAt = TemporaryFolder.Start.AddSeconds(i) };
            _archive.Store.Create(document.Id, document.StartedAt);
            _archive.Save([document], durable: false);
        }

        using (var connection = new SqliteConnection(_folder.Database))
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = "UPDATE recordings SET json = '{' WHERE id = 'recording-000'";
            Assert.Equal(1, command.ExecuteNonQuery());
        }

        await Assert.ThrowsAsync<HttpRequestException>(() => GetAsync("/api/recordings?limit=101"));
        Assert.Equal(HttpStatusCode.OK, (await GetAsync("/api/recordings?limit=100")).Status);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await GetAsync("/api/recordings?until=2026-11-20T23:59:59Z")).Status);
    }

    [Theory]
    [InlineData("/api/recordings?since=yesterday", 400)]
    [InlineData("/api/recordings?limit=0", 400)]
    [InlineData("/api/recordings?limit=10001", 400)]
    [InlineData("/api/recordings?page=2", 400)]
    [InlineData("/api/recordings/20261120-zzzzzz", 404)]
    [InlineData("/api/recordings/..%2F..%2Fetc", 404)]
    [InlineData("/etc/passwd", 404)]
    public async Task What_cannot_be_answered_says_why(string path, int status) => Assert.Equal((HttpStatusCode)status, (await GetAsync(path)).Status);

    [Fact]
    public async Task Metrics_are_prometheus_text()
    {
        using var response = await _client.GetAsync(new Uri("/metrics", UriKind.Relative), Cancel);

        Assert.Equal(MediaTypeHeaderValue.Parse(MetricsExporter.ContentType), response.Content.Headers.ContentType);
        Assert.Contains("# TYPE dotnet_assembly_count gauge\n", await response.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("localhost", null, 200)]
    [InlineData("localhost:8080", "http://localhost:8080", 200)]
    [InlineData("127.0.0.1", null, 200)]
    [InlineData("[::1]:9", "http://[::1]:9", 200)]
    [InlineData("recorder.example", null, 403)]
    [InlineData("192.0.2.1", null, 403)]
    [InlineData("127.0.0.1.evil.example", null, 403)]
    [InlineData("localhost", "http://evil.example", 403)]
    [InlineData("localhost", "https://localhost", 403)]
    [InlineData("localhost", "null", 403)]
    public async Task Only_loopback_names_and_the_own_origin_are_answered(string host, string? origin, int status)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/health/live");
        request.Headers.Host = host;
        if (origin is not null) request.Headers.Add("Origin", origin);

        using var response = await _client.SendAsync(request, Cancel);

        Assert.Equal(status, (int)response.StatusCode);
    }

    [Fact]
    public async Task A_taken_port_is_told_with_the_address()
    {
        var taken = TransportAddress.Parse(new Uri(_server.Address).Authority);

        var error = await Assert.ThrowsAsync<UnavailableException>(() => StartAsync(taken));

        Assert.StartsWith($"Cannot listen on http://{taken}: ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Accounts_are_told_with_how_they_stand()
    {
        var accounts = await _client.GetStringAsync(new Uri("/api/accounts", UriKind.Relative), Cancel);

        Assert.Equal(
            """{"schema":1,"accounts":[{"schema":1,"account":"line","registrar":"198.51.100.10:5060","transport":"udp","registered":true,"status":200,"reason":"OK","contact":"203.0.113.1:1025","received":"203.0.113.1:1025","bindings":["sip:line@203.0.113.1:1025"],"alg":"none","expiresSeconds":3600,"keepaliveSeconds":25,"attempts":2,"state":"registered","text":"registered","why":"The registrar saw us there."}]}""",
            accounts);
    }

    [Fact]
    public async Task A_document_that_cannot_be_read_is_a_503_and_not_a_crash()
    {
        var document = TemporaryFolder.Document();
        var folder = _archive.Store.Create(document.Id, document.StartedAt);
        _archive.Save([document], durable: false);
        await File.WriteAllTextAsync(Path.Combine(_folder.Recordings, folder, "session.json"), "torn", Cancel);

        var (status, body) = await GetAsync($"/api/recordings/{document.Id}");

        Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
        Assert.StartsWith("{\"status\":503,", body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Recordings_that_run_are_paused_and_resumed()
    {
        _running = TemporaryFolder.Document().Id;

        Assert.Equal((HttpStatusCode.NoContent, ""), await PostAsync($"/api/recordings/{_running}/pause", "application/json"));
        Assert.Equal((HttpStatusCode.NoContent, ""), await PostAsync($"/api/recordings/{_running}/resume", "application/json"));
        Assert.Equal([(_running, true), (_running, false)], _pauses);
    }

    [Fact]
    public async Task A_pause_that_cannot_be_says_why()
    {
        var document = TemporaryFolder.Document();
        _archive.Store.Create(document.Id, document.StartedAt);
        _archive.Save([document], durable: false);

        Assert.Equal(HttpStatusCode.Conflict, (await PostAsync($"/api/recordings/{document.Id}/pause", "application/json")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await PostAsync("/api/recordings/20261120-zzzzzz/pause", "application/json")).Status);
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, (await PostAsync($"/api/recordings/{document.Id}/pause", "text/plain")).Status);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, (await GetAsync($"/api/recordings/{document.Id}/pause")).Status);
        Assert.Empty(_pauses);
    }

    private bool SetPaused(string id, bool paused)
    {
        if (id != _running) return false;

        _pauses.Add((id, paused));
        return true;
    }

    private static AccountSnapshot Line => new("line", AccountState.Registered, default, "registered")
    {
        Registrar = TransportAddress.Parse("198.51.100.10:5060"),
        Status = 200,
        Reason = "OK",
        Contact = TransportAddress.Parse("203.0.113.1:1025"),
        Received = TransportAddress.Parse("203.0.113.1:1025"),
        Why = "The registrar saw us there.",
        Bindings = ["sip:line@203.0.113.1:1025"],
        Lease = TimeSpan.FromHours(1),
        Keepalive = TimeSpan.FromSeconds(25),
        Attempts = 2,
    };

    private Task<ApiServer> StartAsync(TransportAddress listen) => ApiServer.StartAsync(listen, _archive, new(SetPaused, static () => [Line]), _health, _metrics, NullLoggerFactory.Instance, null, Cancel);

    private async Task<(HttpStatusCode Status, string Body)> PostAsync(string path, string type)
    {
        using var content = new StringContent("{}", System.Text.Encoding.UTF8, type);
        using var response = await _client.PostAsync(new Uri(path, UriKind.Relative), content, Cancel);
        return (response.StatusCode, await response.Content.ReadAsStringAsync(Cancel));
    }

    private async Task<(HttpStatusCode Status, string Body)> GetAsync(string path)
    {
        using var response = await _client.GetAsync(new Uri(path, UriKind.Relative), Cancel);
        return (response.StatusCode, await response.Content.ReadAsStringAsync(Cancel));
    }
}
