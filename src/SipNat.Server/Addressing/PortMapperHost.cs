using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using SipNat.Server.Hosting;
using SipNat.Server.Transport;
using SipNat.Traversal.PortMapping;
using SipNat.Wire;

namespace SipNat.Server.Addressing;

/// <summary>Gives a <see cref="PortMapper"/> its sockets, its clock and its HTTP for as long as the router is the same.</summary>
internal sealed class PortMapperHost : IAsyncDisposable
{
    // Every host belongs to this group (RFC 1112 §4); routers announce restarts there.
    private static readonly TransportAddress Announcements = TransportAddress.Parse("224.0.0.1").WithPort(PortMapper.AnnouncementPort);
    private static readonly TimeSpan ReleaseLimit = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan ReleasePoll = TimeSpan.FromMilliseconds(20);

    private readonly PortMapper _mapper;
    private readonly CoreHost _host;
    private readonly RouterHttp _http = new();
    private readonly Action<PortMappingEvent> _onEvent;
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _requests = [];

    /// <param name="gateway">The router.</param>
    /// <param name="clock">The process's clock.</param>
    /// <param name="flows">The process's flow numbers.</param>
    /// <param name="onEvent">Called under the mapper's lock; must not block.</param>
    /// <param name="logs">Where the loggers come from.</param>
    public PortMapperHost(DefaultGateway gateway, ServerClock clock, FlowIds flows, Action<PortMappingEvent> onEvent, ILoggerFactory logs)
    {
        _onEvent = onEvent;
        _mapper = new(new() { Router = gateway.Router }, new SecureRandom());
        _host = new(_mapper, clock, flows, new(), logs) { AfterDrain = AfterDrain };
    }

    /// <summary>Opens the sockets; the search for the router's protocols begins.</summary>
    /// <exception cref="SocketException">The local address is gone.</exception>
    public void Start(TransportAddress local)
    {
        // Without it a restart is noticed at the next check.
        if (OperatingSystem.IsLinux()) _host.TryOpenGroup(Announcements);
        _host.OpenUdp(local.WithPort(0));
    }

    /// <summary>Runs an input on the mapper.</summary>
    public void Post(Action<PortMapper, Instant> input) => _host.Post(now => input(_mapper, now));

    /// <summary>Gives every port back and waits until the router has confirmed it, five seconds at most: small ones take long for many.</summary>
    public async Task ReleaseAsync()
    {
        var isReleased = false;
        Post((mapper, now) => mapper.Release(now));
        for (var waited = TimeSpan.Zero; !isReleased && waited < ReleaseLimit; waited += ReleasePoll)
        {
            await Task.Delay(ReleasePoll);
            Post((mapper, _) => isReleased = mapper.IsReleased);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _host.DisposeAsync();
        await Task.WhenAll(_requests);
        _http.Dispose();
        _stop.Dispose();
    }

    // Runs under the mapper's lock.
    private void AfterDrain(Instant now)
    {
        while (_mapper.TryTake(out var happened)) _onEvent(happened);
        _requests.RemoveAll(request => request.IsCompleted);
        while (_mapper.TryTakeHttp(out var request)) _requests.Add(RunAsync(request));
    }

    private async Task RunAsync(RouterHttpRequest request)
    {
        // Nothing of it runs under the lock of the caller.
        await Task.Yield();
        var (status, body) = await _http.RunAsync(request, _stop.Token);
        _host.Post(now => _mapper.HandleHttp(now, request.Id, status, body));
    }
}
