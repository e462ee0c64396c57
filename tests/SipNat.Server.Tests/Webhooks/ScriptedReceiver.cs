using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace SipNat.Server.Tests.Webhooks;

/// <summary>A web server of loopback that answers as a test says, one connection for each request.</summary>
internal sealed class ScriptedReceiver : IAsyncDisposable
{
    private readonly TcpListener _listener;
    private readonly X509Certificate2? _certificate;
    private readonly ConcurrentQueue<string> _answers = new();
    private readonly ConcurrentQueue<ReceivedWebhook> _received = new();
    private readonly SemaphoreSlim _arrived = new(0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _loop;
    private int _handshakesRefused;

    /// <param name="certificate">Speaks TLS with it.</param>
    public ScriptedReceiver(int port = 0, X509Certificate2? certificate = null)
    {
        _certificate = certificate;
        _listener = new TcpListener(IPAddress.Loopback, port);
        _listener.Start();
        _loop = RunAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public Uri Url => new($"{(_certificate is null ? "http" : "https")}://127.0.0.1:{Port}/hook");

    public IReadOnlyList<ReceivedWebhook> Received => [.. _received];

    public int HandshakesRefused => Volatile.Read(ref _handshakesRefused);

    /// <summary>What the next request is answered, such as <c>503 Busy</c>; without one, <c>204 Taken</c>.</summary>
    public void Answer(string status) => _answers.Enqueue(status);

    /// <summary>Waits for so many more requests.</summary>
    public async Task WaitAsync(int requests = 1)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(20));
        for (var i = 0; i < requests; i++) await _arrived.WaitAsync(limit.Token);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _loop;
        _listener.Stop();
        _arrived.Dispose();
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        try
        {
            while (!_stop.IsCancellationRequested)
            {
                using var connection = await _listener.AcceptTcpClientAsync(_stop.Token);
                await ServeAsync(connection.GetStream());
            }
        }
        catch (Exception error) when (error is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            return;
        }
    }

    private async Task ServeAsync(Stream stream)
    {
        try
        {
            if (_certificate is not null)
            {
                var tls = new SslStream(stream);
                await tls.AuthenticateAsServerAsync(_certificate);
                stream = tls;
            }

            var head = await ReadHeadAsync(stream);
            var body = new byte[int.Parse(head["Content-Length"], CultureInfo.InvariantCulture)];
            await stream.ReadExactlyAsync(body, _stop.Token);
            _received.Enqueue(new ReceivedWebhook(head, body));
            var status = _answers.TryDequeue(out var scripted) ? scripted : "204 Taken";
            await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 {status}\r\nLocation: {Url}/elsewhere\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"), _stop.Token);
            _arrived.Release();
        }
        catch (Exception error) when (error is IOException or System.Security.Authentication.AuthenticationException)
        {
            Interlocked.Increment(ref _handshakesRefused);
            _arrived.Release();
        }
    }

    private async Task<Dictionary<string, string>> ReadHeadAsync(Stream stream)
    {
        var head = new StringBuilder();
        var one = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            await stream.ReadExactlyAsync(one, _stop.Token);
            head.Append((char)one[0]);
        }

        var lines = head.ToString().Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        var fields = lines.Skip(1).Select(line => line.Split(": ", 2)).ToDictionary(field => field[0], field => field[1], StringComparer.OrdinalIgnoreCase);
        fields["request"] = lines[0];
        return fields;
    }
}

/// <summary>One request.</summary>
/// <param name="Head">The header fields, and <c>request</c>: the request line.</param>
internal sealed record ReceivedWebhook(IReadOnlyDictionary<string, string> Head, byte[] Body)
{
    public string Delivery => Head["X-SipNat-Delivery"];
}
