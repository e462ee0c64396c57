using System.Net.Http.Headers;
using SipNat.Traversal.PortMapping;

namespace SipNat.Server.Addressing;

/// <summary>
/// Runs what UPnP wants asked of a router: without proxy, redirects and cookies, within limits of time and size. The
/// addresses come from the mapper, which has judged them.
/// </summary>
internal sealed class RouterHttp : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    private readonly HttpClient _client = new(new SocketsHttpHandler
    {
        UseProxy = false,
        AllowAutoRedirect = false,
        UseCookies = false,
        ConnectTimeout = TimeSpan.FromSeconds(3),
        MaxResponseHeadersLength = 16,
        MaxConnectionsPerServer = 1,
        // Small routers keep no connection for longer than a request.
        PooledConnectionLifetime = TimeSpan.Zero,
    })
    {
        MaxResponseContentBufferSize = RouterHttpRequest.MaxAnswer,
        Timeout = Limit,
    };

    /// <summary>The status and the body; status 0 where there was no answer in time, or a longer one than is taken.</summary>
    public async Task<(int Status, byte[] Body)> RunAsync(RouterHttpRequest request, CancellationToken stop)
    {
        try
        {
            using var message = MessageOf(request);
            using var response = await _client.SendAsync(message, HttpCompletionOption.ResponseContentRead, stop);
            return ((int)response.StatusCode, await response.Content.ReadAsByteArrayAsync(stop));
        }
        catch (HttpRequestException)
        {
            return (0, []);
        }
        catch (OperationCanceledException)
        {
            return (0, []);
        }
    }

    public void Dispose() => _client.Dispose();

    private static HttpRequestMessage MessageOf(RouterHttpRequest request)
    {
        if (request.SoapAction is null) return new(HttpMethod.Get, request.Address);

        var content = new ReadOnlyMemoryContent(request.Body);
        content.Headers.ContentType = MediaTypeHeaderValue.Parse("text/xml; charset=\"utf-8\"");
        var message = new HttpRequestMessage(HttpMethod.Post, request.Address) { Content = content };
        message.Headers.TryAddWithoutValidation("SOAPACTION", request.SoapAction);
        return message;
    }
}
