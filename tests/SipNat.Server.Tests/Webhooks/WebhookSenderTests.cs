using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using SipNat.Archive.Documents;
using SipNat.Server.Options;
using SipNat.Server.Tests.Archive;
using SipNat.Server.Webhooks;

namespace SipNat.Server.Tests.Webhooks;

public sealed class WebhookSenderTests : IDisposable
{
    private const string Secret = "0123456789abcdef";
    private static readonly RecordingFinding Finding = new("no-media", "Stream 1: no packet in 5 s.", TemporaryFolder.Start);

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task The_end_of_a_session_is_posted_with_its_recording_and_a_signature_over_time_and_body()
    {
        await using var receiver = new ScriptedReceiver();
        await using var sender = Sender(receiver.Url);

        sender.SessionEnded(TemporaryFolder.Document());
        await receiver.WaitAsync();

        var request = Assert.Single(receiver.Received);
        Assert.Equal("POST /hook HTTP/1.1", request.Head["request"]);
        Assert.Equal(("application/json", "session-ended"), (request.Head["Content-Type"], request.Head["X-SipNat-Event"]));
        var parts = request.Head["X-SipNat-Signature"].Split(["t=", ",v1="], StringSplitOptions.RemoveEmptyEntries);
        var expected = HMACSHA256.HashData(Encoding.ASCII.GetBytes(Secret), (byte[])[.. Encoding.ASCII.GetBytes(parts[0] + "."), .. request.Body]);
        Assert.Equal(Convert.ToHexStringLower(expected), parts[1]);
        Assert.InRange(DateTimeOffset.UtcNow.ToUnixTimeSeconds() - long.Parse(parts[0]), 0, 60);
        using var body = JsonDocument.Parse(request.Body);
        Assert.Equal(
            ["schema", "event", "delivery", "at", "recordingId", "callId", "recording"],
            body.RootElement.EnumerateObject().Select(property => property.Name));
        Assert.Equal(request.Delivery, body.RootElement.GetProperty("delivery").GetString());
        Assert.Equal(TemporaryFolder.Id, body.RootElement.GetProperty("recording").GetProperty("id").GetString());
    }

    [Fact]
    public void A_signature_is_the_hmac_of_the_seconds_a_stop_and_the_body() => Assert.Equal(
        // echo -n '1700000000.{"a":1}' | openssl dgst -sha256 -hmac 0123456789abcdef
        "t=1700000000,v1=9eb18f493f8ec135d9eb2dad817c369bb4e9cbfa818657897a7437c1cd8c3a23",
        WebhookSignature.Create(Secret, DateTimeOffset.FromUnixTimeSeconds(1_700_000_000), "{\"a\":1}"u8));

    [Fact]
    public async Task What_is_not_taken_is_sent_again_under_the_same_id_and_before_what_came_later()
    {
        await using var receiver = new ScriptedReceiver();
        receiver.Answer("503 Busy");
        receiver.Answer("429 Slowly");
        await using var sender = Sender(receiver.Url);

        sender.Found(TemporaryFolder.Document(state: RecordingState.Recording), Finding);
        sender.SessionEnded(TemporaryFolder.Document());
        await receiver.WaitAsync(4);

        var received = receiver.Received;
        Assert.Equal(["finding", "finding", "finding", "session-ended"], received.Select(request => request.Head["X-SipNat-Event"]));
        Assert.Single(received.Take(3).Select(request => request.Delivery).Distinct());
        Assert.NotEqual(received[2].Delivery, received[3].Delivery);
        Assert.Equal(received[0].Body, received[2].Body);
        using var body = JsonDocument.Parse(received[0].Body);
        Assert.Equal("no-media", body.RootElement.GetProperty("finding").GetProperty("code").GetString());
    }

    [Theory]
    [InlineData("302 Found")]
    [InlineData("404 Not Found")]
    [InlineData("410 Gone")]
    public async Task A_redirect_is_not_followed_and_a_refusal_not_repeated(string status)
    {
        await using var receiver = new ScriptedReceiver();
        receiver.Answer(status);
        await using var sender = Sender(receiver.Url);

        sender.SessionEnded(TemporaryFolder.Document("session-1"));
        sender.SessionEnded(TemporaryFolder.Document("session-2"));
        await receiver.WaitAsync(2);

        Assert.Equal(["POST /hook HTTP/1.1", "POST /hook HTTP/1.1"], receiver.Received.Select(request => request.Head["request"]));
        Assert.NotEqual(receiver.Received[0].Delivery, receiver.Received[1].Delivery);
    }

    [Fact]
    public async Task What_could_not_be_delivered_before_the_end_is_delivered_after_the_next_start()
    {
        int port;
        await using (var away = new ScriptedReceiver()) port = away.Port;
        var url = new Uri($"http://127.0.0.1:{port}/hook");
        await using (var sender = Sender(url))
        {
            sender.SessionEnded(TemporaryFolder.Document("session-1"));
            sender.SessionEnded(TemporaryFolder.Document("session-2"));
        }

        Assert.Equal(2, Directory.GetFiles(_folder["webhooks"], "*.json", SearchOption.AllDirectories).Length);
        await using var receiver = new ScriptedReceiver(port);
        await using (Sender(url)) await receiver.WaitAsync(2);

        Assert.Equal(["session-1", "session-2"], receiver.Received.Select(request => JsonDocument.Parse(request.Body).RootElement.GetProperty("recordingId").GetString()));
    }

    [Fact]
    public async Task A_certificate_that_nobody_vouches_for_gets_nothing()
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        await using var receiver = new ScriptedReceiver(certificate: certificate);
        await using var sender = Sender(receiver.Url);

        sender.SessionEnded(TemporaryFolder.Document());
        await receiver.WaitAsync(2);

        Assert.Empty(receiver.Received);
        Assert.InRange(receiver.HandshakesRefused, 2, int.MaxValue);
    }

    [Fact]
    public void A_queue_keeps_to_its_bound_and_gives_up_the_oldest()
    {
        var queue = new WebhookQueue(_folder["queue"], capacity: 3);
        for (var i = 0; i < 5; i++) queue.Add(new WebhookEvent("finding", $"id{i}", [(byte)i]), TemporaryFolder.Start);

        Assert.Equal((3, 2), (queue.Count, queue.Dropped));
        Assert.Equal(3, Directory.GetFiles(_folder["queue"]).Length);
        var again = new WebhookQueue(_folder["queue"]);
        var (name, item, at) = again.Peek()!.Value;
        Assert.Equal(("finding", "id2", 2), (item.Kind, item.Id, item.Body[0]));
        Assert.Equal(TemporaryFolder.Start, at);
        again.Remove(name);
        Assert.Equal("id3", again.Peek()!.Value.Event.Id);
    }

    [Fact]
    public void A_queue_whose_disk_refuses_keeps_events_in_memory_and_passes_over_foreign_files()
    {
        File.WriteAllText(_folder["blocked"], "");
        var queue = new WebhookQueue(_folder["blocked/queue"]);
        queue.Add(new WebhookEvent("finding", "id", [1]), TemporaryFolder.Start);
        Assert.Equal("id", queue.Peek()!.Value.Event.Id);
        queue.Remove(queue.Peek()!.Value.Name);
        Assert.Null(queue.Peek());

        Directory.CreateDirectory(_folder["foreign"]);
        File.WriteAllText(_folder["foreign/notes.json"], "{}");
        File.WriteAllText(_folder["foreign/1234567890123.000001.finding.id.json.tmp"], "{");
        Assert.Null(new WebhookQueue(_folder["foreign"]).Peek());
    }

    private WebhookSender Sender(Uri url) => new(
        [new WebhookOptions { Url = url, Secret = Secret }],
        _folder["webhooks"],
        NullLoggerFactory.Instance,
        new WebhookPace(TimeSpan.FromMilliseconds(20), TimeSpan.FromMilliseconds(50)));
}
