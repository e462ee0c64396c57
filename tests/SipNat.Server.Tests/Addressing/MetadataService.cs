using System.Net;
using System.Net.Sockets;
using System.Text;

namespace SipNat.Server.Tests.Addressing;

/// <summary>
/// A metadata service on loopback that answers as the documentation of AWS (IMDSv2), GCP and Azure says, refusals
/// included. It shares no code with the client.
/// </summary>
internal sealed class MetadataService : IAsyncDisposable
{
    private const string Token = "AQAEAFTNrA4eEGx0AQgJ1arIq_Cc-t4tWt3fB0Hd8RKhXlKc5ccvhg==";

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _serving;

    public MetadataService()
    {
        _listener.Start();
        _serving = ServeAsync();
    }

    public Uri Address => new($"http://{_listener.LocalEndpoint}/");

    /// <summary>The public address; empty for a machine without one.</summary>
    public string Public { get; set; } = "198.51.100.7";

    /// <summary>Answers nothing at all.</summary>
    public bool IsSilent { get; set; }

    /// <summary>What is said in place of every answer; null for the documented ones.</summary>
    public string? Instead { get; set; }

    /// <summary>Request lines, as they came.</summary>
    public List<string> Requests { get; } = [];

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _serving;
        _stop.Dispose();
    }

    private async Task ServeAsync()
    {
        var clients = new List<Task>();
        try
        {
            while (true) clients.Add(ServeAsync(await _listener.AcceptTcpClientAsync(_stop.Token)));
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(clients);
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        {
            var buffer = new byte[8192];
            try
            {
                while (true)
                {
                    var length = 0;
                    while (!Encoding.ASCII.GetString(buffer, 0, length).Contains("\r\n\r\n", StringComparison.Ordinal))
                    {
                        var read = await client.GetStream().ReadAsync(buffer.AsMemory(length), _stop.Token);
                        if (read == 0) return;

                        length += read;
                    }

                    var lines = Encoding.ASCII.GetString(buffer, 0, length).Split("\r\n");
                    Requests.Add(lines[0]);
                    if (IsSilent) await Task.Delay(Timeout.Infinite, _stop.Token);
                    await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(Instead ?? Answer(lines)), _stop.Token);
                }
            }
            catch (Exception end) when (end is OperationCanceledException or IOException)
            {
                // The client has hung up, or the test is over.
            }
        }
    }

    private string Answer(string[] lines)
    {
        var headers = lines.Skip(1).Where(line => line.Contains(':', StringComparison.Ordinal)).ToDictionary(
            line => line.Split(':')[0].ToLowerInvariant(), line => line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim(), StringComparer.Ordinal);
        var isForwarded = headers.ContainsKey("x-forwarded-for");
        var path = lines[0].Split(' ')[1];
        return (lines[0].Split(' ')[0], path) switch
        {
            ("PUT", "/latest/api/token") when isForwarded => Say(403, ""),
            ("PUT", "/latest/api/token") => headers.TryGetValue("x-aws-ec2-metadata-token-ttl-seconds", out var ttl) && int.TryParse(ttl, out var seconds) && seconds is >= 1 and <= 21600
                ? Say(200, Token)
                : Say(400, ""),
            ("GET", "/latest/meta-data/local-ipv4") => headers.GetValueOrDefault("x-aws-ec2-metadata-token") == Token ? Say(200, "172.31.5.6") : Say(401, ""),
            ("GET", "/latest/meta-data/public-ipv4") => headers.GetValueOrDefault("x-aws-ec2-metadata-token") != Token ? Say(401, "")
                : Public.Length > 0 ? Say(200, Public) : Say(404, "<html>Not Found</html>"),
            ("GET", "/computeMetadata/v1/instance/network-interfaces/?recursive=true") => isForwarded || headers.GetValueOrDefault("metadata-flavor") != "Google"
                ? Say(403, "")
                : Say(200, $$"""[{"accessConfigs":[{"externalIp":"{{Public}}","type":"ONE_TO_ONE_NAT"}],"dnsServers":["169.254.169.254"],"gateway":"10.128.0.1","ip":"10.128.0.2","mac":"42:01:0a:80:00:02","mtu":1460},{"accessConfigs":[{"externalIp":"","type":"ONE_TO_ONE_NAT"}],"ip":"10.200.0.2"}]""", "Metadata-Flavor: Google\r\n"),
            ("GET", "/metadata/instance/network?api-version=2021-02-01&format=json") => isForwarded || headers.GetValueOrDefault("metadata") != "true"
                ? Say(400, "{ \"error\": \"Bad request. Required metadata header not specified\" }")
                : Say(200, $$"""{"interface":[{"ipv4":{"ipAddress":[{"privateIpAddress":"10.1.0.4","publicIpAddress":"{{Public}}"}],"subnet":[{"address":"10.1.0.0","prefix":"24"}]},"ipv6":{"ipAddress":[]},"macAddress":"000D3AF806EC"}]}"""),
            _ => Say(404, ""),
        };
    }

    private static string Say(int status, string body, string header = "") =>
        $"HTTP/1.1 {status} X\r\n{header}Content-Type: text/plain\r\nContent-Length: {body.Length}\r\n\r\n{body}";
}
