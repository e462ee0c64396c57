using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using SipNat.Archive;
using SipNat.Server.Hosting;
using SipNat.Wire;

namespace SipNat.Server.Api;

/// <summary>The HTTP side: health, metrics, the recordings and the accounts; on a loopback address, or on any one with a token.</summary>
public sealed class ApiServer : IAsyncDisposable
{
    private const int MaxRequestBody = 64 * 1024;
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(2);

    private readonly WebApplication _application;

    private ApiServer(WebApplication application, string address) => (_application, Address) = (application, address);

    /// <summary>Where it listens, with its real port: <c>http://127.0.0.1:8080</c>.</summary>
    public string Address { get; }

    /// <param name="token">What a request has to show; null lets in who is on this machine.</param>
    /// <exception cref="UnavailableException">The address cannot be bound.</exception>
    public static async Task<ApiServer> StartAsync(
        TransportAddress listen,
        RecordingArchive archive,
        ApiControls controls,
        Health health,
        MetricsExporter metrics,
        ILoggerFactory logs,
        string? token,
        CancellationToken stop)
    {
        var application = Build(listen, logs);
        application.Use(token is null ? LoopbackOnly.InvokeAsync : new BearerToken(token).InvokeAsync);
        HealthEndpoints.Map(application, health);
        MetricsEndpoint.Map(application, metrics);
        RecordingEndpoints.Map(application, archive, controls.SetPaused);
        AccountEndpoints.Map(application, controls.Accounts);
        try
        {
            await application.StartAsync(stop);
        }
        catch (IOException error)
        {
            await application.DisposeAsync();
            throw new UnavailableException($"Cannot listen on http://{listen}: {error.Message} Set Http:Listen to another port.", error);
        }

        return new(application, application.Urls.Single());
    }

    public async ValueTask DisposeAsync()
    {
        using var limit = new CancellationTokenSource(StopTimeout);
        await _application.StopAsync(limit.Token);
        await _application.DisposeAsync();
    }

    // The empty builder reads no file and no environment of its own: what is configured comes from our options alone.
    private static WebApplication Build(TransportAddress listen, ILoggerFactory logs)
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = MaxRequestBody;
            kestrel.Listen(listen.ToIPEndPoint());
        });
        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton(logs);
        builder.Services.AddSingleton<IHostLifetime, OwnedByServe>();
        return builder.Build();
    }

    // The default lifetime would take Ctrl-C and SIGTERM for itself.
    private sealed class OwnedByServe : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
