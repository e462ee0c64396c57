using System.Net.Sockets;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using SipNat.Endpoint;
using SipNat.Endpoint.Accounts;
using SipNat.Endpoint.Calls;
using SipNat.Endpoint.Media;
using SipNat.Server.Addressing;
using SipNat.Server.Codecs;
using SipNat.Server.MediaEngine;
using SipNat.Server.Options;
using SipNat.Server.Tracing;
using SipNat.Server.Transport;
using SipNat.Traversal.Turn;
using SipNat.Wire;

namespace SipNat.Server.Hosting;

/// <summary>
/// One account, or calls without one, on sockets of their own, for a command: free ports unless <c>Sip:Listen</c> says
/// otherwise, and an instance of its own, so that the registration of a server that runs beside it stays as it is.
/// </summary>
internal sealed class EndpointHost : IAsyncDisposable
{
    private const int MaxQueuedMediaEvents = 4_096;
    private static readonly TimeSpan EndPoll = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(5);

    private readonly SipNatOptions _options;
    private readonly ServerClock _clock;
    private readonly HostNames _names;
    private readonly TurnServers _turn;
    private readonly SignallingCore _core;
    private readonly CoreHost _host;
    private readonly MediaThread _engine;
    private readonly Registrations _registrations;
    private readonly CallRecorders _recorders;
    private readonly PacketTrace? _trace;
    private readonly CancellationTokenSource _stop = new();
    private readonly Channel<MediaEvent> _mediaEvents = Channel.CreateBounded<MediaEvent>(
        new BoundedChannelOptions(MaxQueuedMediaEvents) { SingleReader = true, FullMode = BoundedChannelFullMode.DropWrite });

    private readonly Channel<CallSnapshot> _calls = Channel.CreateUnbounded<CallSnapshot>(new() { SingleReader = true });

    private Task _pump = Task.CompletedTask;

    /// <param name="trace">The capture file of what is sent and received; null for none.</param>
    /// <exception cref="UnavailableException">The file cannot be written.</exception>
    public EndpointHost(SipNatOptions options, ILoggerFactory logs, string? trace = null)
    {
        var endpoint = EndpointOptions.From(options, LocalInterfaces.Read());
        var flows = new FlowIds();
        _clock = new(TimeProvider.System);
        _trace = PacketTrace.Open(trace, _clock, logs);
        NativeCodecs.Tell(logs.CreateLogger<EndpointHost>(), options);
        _options = options;
        _names = new([.. options.StunServers, .. options.Nat.ExternalAddress], _clock.Time, logs.CreateLogger<HostNames>());
        _turn = new(options.Nat, _clock.Time, logs);
        // Nobody may record with a command.
        _core = new(endpoint.Signalling with { AllowedNetworks = [] }, endpoint.Addressing, new SecureRandom());
        // One call has no use for ports that are ready for the next.
        var plane = new MediaPlane(endpoint.Media with { SparePorts = 1 }, new SecureRandom());
        var trust = TlsTrust.From(options, _clock.Time, logs);
        _host = new(_core, _clock, flows, new TransportLimits { AllowedNetworks = [] }, logs, new() { Trust = trust, Server = TlsServer.From(options.Sip.Tls, _clock.Time, logs), WebSocketOrigins = options.Sip.WebSocketOrigins })
        {
            AfterDrain = Drain,
            Trace = _trace,
        };
        _registrations = new(_core, _host, logs);
        _recorders = new(logs);
        var connections = new TurnConnections(trust, ConnectTimeout, logs.CreateLogger<TurnConnections>());
        var ports = new MediaPortAllocator(options.Media.FirstPort, options.Media.LastPort, options.Media.Dscp);
        _engine = new(options.Media.Engine, plane, _clock, flows, ports, connections, happened => _mediaEvents.Writer.TryWrite(happened), static write => write.Buffer?.Dispose(), _recorders.Take) { Trace = _trace };
    }

    /// <summary>Told of every change of a call, one at a time and outside of the core's lock.</summary>
    public Action<CallSnapshot>? CallChanged { get; set; }

    /// <summary>Told of what the media of a call bring, on a thread of its own.</summary>
    public Action<MediaEvent>? MediaHappened { get; set; }

    /// <summary>Listeners with their real ports.</summary>
    public IReadOnlyList<SipListener> Bound => _host.Bound;

    /// <summary>The time of day of a moment.</summary>
    public DateTimeOffset ToWall(Instant at) => _clock.ToWall(at);

    /// <summary>Binds sockets, and begins to serve calls.</summary>
    /// <exception cref="UnavailableException">A listener of <c>Sip:Listen</c> cannot be bound.</exception>
    public async Task StartAsync(CancellationToken stop)
    {
        await Task.WhenAll(_names.ResolveAsync(stop), _turn.ResolveAsync(stop));
        _engine.Start();
        IReadOnlyList<TransportAddress> external = [.. _options.Nat.ExternalAddress.SelectMany(name => _names[name])];
        IReadOnlyList<TurnServerOptions> turn = [.. _turn.Current.Select(s => s.Options with { TlsName = s.TlsName })];
        var interfaces = LocalInterfaces.Read();
        var hosts = HostAddresses.Of(interfaces, _options.Media.Address);
        _engine.TryPost((_, plane) =>
        {
            plane.SetTurnServers(turn);
            plane.SetHosts(hosts);
        });
        Open(interfaces);
        _host.Post(now => _core.SetExternalAddresses(now, external));
        TakeStunServers();
        _pump = Task.WhenAll(PumpAsync(_stop.Token), TellAsync(), _names.RunAsync(TakeStunServers, _stop.Token));
    }

    private void TakeStunServers()
    {
        IReadOnlyList<TransportAddress> stun = [.. _options.StunServers.SelectMany(name => _names[name])];
        _engine.TryPost((now, plane) => plane.SetStunServers(now, stun));
        _host.Post(now => _core.SetStunServers(now, stun));
    }

    /// <summary>Registers an account, and tells of each change until it is ended.</summary>
    /// <param name="changed">Called from several threads, one at a time.</param>
    /// <param name="recording">Whether its calls are recorded.</param>
    public void Register(AccountSettings account, Action<AccountSnapshot> changed, CallRecording recording = CallRecording.None)
    {
        _registrations.Changed = changed;
        _host.Post(_ => _core.AccountCalls = _ => CallOptions.TermsOf(_options, account, recording));
        _registrations.Start([account], _options.Nat.Keepalive, _ => DeviceInstance.Draw());
    }

    /// <summary>Takes calls that come without an account.</summary>
    /// <param name="from">Who may call.</param>
    public void AcceptDirectCalls(CallTerms terms, IReadOnlyList<NetworkPrefix> from) => _host.Post(now =>
    {
        _core.DirectCalls = terms;
        _host.SetAllowedNetworks(from);
        _core.HandleNetworkChange(now, _options.Nat.LocalNetworks ?? LocalInterfaces.PrivateNetworks(LocalInterfaces.Read()), from);
    });

    /// <summary>Runs an input of the core.</summary>
    public void Post(Action<Instant, SignallingCore> input) => _host.Post(now => input(now, _core));

    /// <summary>Hands a command to the media of a call.</summary>
    public void Post(MediaCommand command) => _engine.TryPost(command);

    /// <summary>Records both directions of a call into a WAVE file: ours on the left, the other side's on the right.</summary>
    /// <exception cref="UnavailableException">The file cannot be written.</exception>
    public void Record(SessionId call, string path, int sampleRate)
    {
        _recorders.Start(call, path, sampleRate);
        _engine.TryPost(new MediaCommand.CaptureAudio(call, 0, sampleRate));
    }

    /// <summary>Waits until the last word of every call is said: the answer to a BYE, or our ACK after a CANCEL.</summary>
    public async Task WaitForCallsAsync(TimeSpan limit)
    {
        using var end = new CancellationTokenSource(limit);
        while (!end.IsCancellationRequested && CountCalls() > 0) await Task.Delay(EndPoll, CancellationToken.None);
    }

    /// <summary>Removes the binding.</summary>
    public Task EndAsync() => _registrations.EndAsync();

    public async ValueTask DisposeAsync()
    {
        await _registrations.DisposeAsync();
        await _host.DisposeAsync();
        await _engine.DisposeAsync();
        await _stop.CancelAsync();
        _calls.Writer.TryComplete();
        await _pump;
        await _recorders.DisposeAsync();
        if (_trace is not null) await _trace.DisposeAsync();
        _stop.Dispose();
    }

    private int CountCalls()
    {
        var calls = 0;
        _host.Post(_ => calls = _core.Calls);
        return calls;
    }

    private void Open(IReadOnlyList<InterfaceAddress> interfaces)
    {
        if (!ReferenceEquals(_options.Sip.Listen, SipOptions.DefaultListeners))
        {
            _host.Start(_options.Sip.Listen);
            return;
        }

        foreach (var address in interfaces.Select(a => a.Address).Distinct())
        {
            try
            {
                _host.OpenUdp(address.WithPort(0));
            }
            catch (SocketException)
            {
                // An address that has just come or gone; another one may do.
                continue;
            }
        }
    }

    private async Task PumpAsync(CancellationToken stop)
    {
        try
        {
            await foreach (var happened in _mediaEvents.Reader.ReadAllAsync(stop))
            {
                _host.Post(now => _core.HandleMedia(now, happened));
                MediaHappened?.Invoke(happened);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return;
        }
    }

    private async Task TellAsync()
    {
        await foreach (var call in _calls.Reader.ReadAllAsync()) CallChanged?.Invoke(call);
    }

    private void Drain(Instant now)
    {
        _registrations.Drain();
        while (_core.TryTakeCall(out var call)) _calls.Writer.TryWrite(call);
        while (_core.TryTakeCommand(out var command))
        {
            if (!_engine.TryPost(command)) _core.HandleMedia(now, new MediaEvent.Refused(command.Session, "the media engine is overloaded"));
        }

        while (_core.TryTakeNotice(out _))
        {
        }
    }
}
