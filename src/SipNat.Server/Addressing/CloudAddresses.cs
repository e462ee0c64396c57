using System.Net;
using System.Text.Json;
using SipNat.Server.Options;
using SipNat.Wire;

namespace SipNat.Server.Addressing;

/// <summary>
/// The public addresses that a cloud has put in front of this machine's own, from its metadata service: AWS (IMDSv2), GCP
/// and Azure. Only the link-local address of that service is asked, within one second, and never by a proxy.
/// </summary>
internal sealed class CloudAddresses : IDisposable
{
    /// <summary>Where each of the three has its service.</summary>
    public static readonly Uri Service = new("http://169.254.169.254/");

    private const int MaxAnswer = 64 * 1024;
    private const int MaxToken = 1024;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(1);

    private readonly CloudMetadata _provider;
    private readonly HttpClient _client;

    /// <param name="provider">One of the three.</param>
    /// <param name="service">A test has its own.</param>
    public CloudAddresses(CloudMetadata provider, Uri? service = null)
    {
        _provider = provider;
        _client = new(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false, UseCookies = false, ConnectTimeout = Limit })
        {
            BaseAddress = service ?? Service,
            MaxResponseContentBufferSize = MaxAnswer,
            Timeout = Limit,
        };
    }

    /// <summary>Local to public addresses, all with port 0; null where the service did not answer as it should.</summary>
    public async Task<IReadOnlyDictionary<TransportAddress, TransportAddress>?> AskAsync(CancellationToken stop)
    {
        try
        {
            return _provider switch
            {
                CloudMetadata.Aws => await AskAwsAsync(stop),
                CloudMetadata.Gcp => await AskGcpAsync(stop),
                CloudMetadata.Azure => await AskAzureAsync(stop),
                _ => null,
            };
        }
        catch (Exception error) when (error is HttpRequestException or JsonException or InvalidOperationException or KeyNotFoundException)
        {
            // No such service, or JSON of another shape.
            return null;
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return null;
        }
    }

    public void Dispose() => _client.Dispose();

    // A token is asked for first (IMDSv2); an address that is missing is 404.
    private async Task<IReadOnlyDictionary<TransportAddress, TransportAddress>?> AskAwsAsync(CancellationToken stop)
    {
        var token = await SendAsync(HttpMethod.Put, "latest/api/token", ("X-aws-ec2-metadata-token-ttl-seconds", "60"), stop);
        if (token is not { Status: HttpStatusCode.OK, Text.Length: > 0 and <= MaxToken } || token.Text.AsSpan().ContainsAnyExceptInRange('!', '~')) return null;

        var header = ("X-aws-ec2-metadata-token", token.Text);
        var local = await SendAsync(HttpMethod.Get, "latest/meta-data/local-ipv4", header, stop);
        var external = await SendAsync(HttpMethod.Get, "latest/meta-data/public-ipv4", header, stop);
        if (local.Status is not HttpStatusCode.OK || external.Status is not (HttpStatusCode.OK or HttpStatusCode.NotFound)) return null;
        if (!TransportAddress.TryParse(local.Text, out _)) return null;

        var found = new Dictionary<TransportAddress, TransportAddress>();
        if (external.Status is HttpStatusCode.OK) Add(found, local.Text, external.Text);
        return found;
    }

    private async Task<IReadOnlyDictionary<TransportAddress, TransportAddress>?> AskGcpAsync(CancellationToken stop)
    {
        var answer = await SendAsync(
            HttpMethod.Get, "computeMetadata/v1/instance/network-interfaces/?recursive=true", ("Metadata-Flavor", "Google"), stop);
        if (answer is not { Status: HttpStatusCode.OK, Flavor: "Google" }) return null;

        var found = new Dictionary<TransportAddress, TransportAddress>();
        using var document = JsonDocument.Parse(answer.Text);
        foreach (var network in document.RootElement.EnumerateArray())
        {
            if (!network.TryGetProperty("accessConfigs", out var configs)) continue;

            foreach (var config in configs.EnumerateArray()) Add(found, Text(network, "ip"), Text(config, "externalIp"));
        }

        return found;
    }

    private async Task<IReadOnlyDictionary<TransportAddress, TransportAddress>?> AskAzureAsync(CancellationToken stop)
    {
        var answer = await SendAsync(HttpMethod.Get, "metadata/instance/network?api-version=2021-02-01&format=json", ("Metadata", "true"), stop);
        if (answer.Status is not HttpStatusCode.OK) return null;

        var found = new Dictionary<TransportAddress, TransportAddress>();
        using var document = JsonDocument.Parse(answer.Text);
        foreach (var network in document.RootElement.GetProperty("interface").EnumerateArray())
        {
            foreach (var address in network.GetProperty("ipv4").GetProperty("ipAddress").EnumerateArray())
            {
                Add(found, Text(address, "privateIpAddress"), Text(address, "publicIpAddress"));
            }
        }

        return found;
    }

    private static string Text(JsonElement element, string name) => element.TryGetProperty(name, out var value) ? value.GetString() ?? "" : "";

    // An address that is missing is an empty text; one that is private is no address on the internet.
    private static void Add(Dictionary<TransportAddress, TransportAddress> found, string local, string external)
    {
        if (!TransportAddress.TryParse(local.Trim(), out var inside) || !TransportAddress.TryParse(external.Trim(), out var outside)) return;
        if (outside.Family == inside.Family && outside is { Port: 0, IsPrivate: false, IsUnspecified: false, IsMulticastOrBroadcast: false }) found[inside] = outside;
    }

    private async Task<MetadataAnswer> SendAsync(HttpMethod method, string path, (string Name, string Value) header, CancellationToken stop)
    {
        using var request = new HttpRequestMessage(method, path);
        request.Headers.Add(header.Name, header.Value);
        using var response = await _client.SendAsync(request, stop);
        var flavor = response.Headers.TryGetValues("Metadata-Flavor", out var values) ? values.First() : null;
        return new(response.StatusCode, await response.Content.ReadAsStringAsync(stop), flavor);
    }

    private sealed record MetadataAnswer(HttpStatusCode Status, string Text, string? Flavor);
}
