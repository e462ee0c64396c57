using System.Net;
using System.Net.Sockets;
using System.Text;
using SipNat.Server.Addressing;
using SipNat.Traversal.PortMapping;

namespace SipNat.Server.Tests.Addressing;

public sealed class RouterHttpTests
{
    [Fact]
    public async Task A_soap_request_goes_out_as_upnp_wants_it()
    {
        var (status, body, heard) = await AskAsync("\"urn:x#Y\"", "<a/>", "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 4\r\n\r\n<b/>");

        Assert.Equal((500, "<b/>"), (status, body));
        Assert.StartsWith("POST /ctl HTTP/1.1\r\n", heard, StringComparison.Ordinal);
        Assert.Contains("\r\nSOAPACTION: \"urn:x#Y\"\r\n", heard, StringComparison.Ordinal);
        Assert.Contains("\r\nContent-Type: text/xml; charset=\"utf-8\"\r\n", heard, StringComparison.Ordinal);
        Assert.Contains("\r\nContent-Length: 4\r\n", heard, StringComparison.Ordinal);
        Assert.EndsWith("\r\n\r\n<a/>", heard, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_redirect_is_not_followed()
    {
        var (status, _, _) = await AskAsync(null, "", "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n");

        Assert.Equal(302, status);
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 65537\r\n\r\n", 65_537)]
    [InlineData("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", 1_000_000)]
    [InlineData("SIP/2.0 200 OK\r\n\r\n", 0)]
    public async Task What_is_too_long_or_no_http_is_no_answer(string head, int length)
    {
        var (status, body, _) = await AskAsync(null, "", head + new string('x', length));

        Assert.Equal((0, ""), (status, body));
    }

    [Fact]
    public async Task A_router_that_is_not_there_is_no_answer()
    {
        using var http = new RouterHttp();

        Assert.Equal(0, (await http.RunAsync(new(1, new("http://127.0.0.1:1/ctl"), null, default), TestContext.Current.CancellationToken)).Status);
    }

    private static async Task<(int Status, string Body, string Heard)> AskAsync(string? action, string body, string answer)
    {
        var stop = TestContext.Current.CancellationToken;
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var serving = ServeAsync(listener, answer, stop);
        using var http = new RouterHttp();

        var address = new Uri($"http://{listener.LocalEndpoint}/ctl");
        var (status, bytes) = await http.RunAsync(new RouterHttpRequest(1, address, action, Encoding.UTF8.GetBytes(body)), stop);

        return (status, Encoding.UTF8.GetString(bytes), await serving);
    }

    private static async Task<string> ServeAsync(TcpListener listener, string answer, CancellationToken stop)
    {
        using var client = await listener.AcceptTcpClientAsync(stop);
        var buffer = new byte[4096];
        var length = 0;
        while (!IsWhole(Encoding.ASCII.GetString(buffer, 0, length))) length += await client.GetStream().ReadAsync(buffer.AsMemory(length), stop);
        try
        {
            await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(answer), stop);
        }
        catch (IOException)
        {
            // Whoever has had enough hangs up.
        }

        return Encoding.ASCII.GetString(buffer, 0, length);
    }

    private static bool IsWhole(string heard) =>
        heard.StartsWith("GET", StringComparison.Ordinal) ? heard.EndsWith("\r\n\r\n", StringComparison.Ordinal) : heard.EndsWith("<a/>", StringComparison.Ordinal);
}
