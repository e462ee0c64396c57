using System.Diagnostics;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using SipNat.Archive;
using SipNat.Archive.Audio;
using SipNat.Endpoint;
using SipNat.Endpoint.Accounts;
using SipNat.Endpoint.Media;
using SipNat.Endpoint.Siprec;
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
/// The recording server: the signalling core on its sockets, the media engine on its threads, and what they tell each
/// other. Neither waits for the other, nor for the disk.
/// </summary>
internal sealed class Recorder : IAsyncDisposable
{
    private const int MaxQueuedMediaEvents = 65_536;
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan DrainPoll = TimeSpan.FromMilliseconds(100);

    private readonly SipNatOptions _options;
    private readonly ServerClock _clock;
    private readonly HostNames _names;
    private readonly TurnServers _turn;
    private readonly LifetimeWatch _lifetimes;
    private readonly SignallingCore _core;
    private readonly CoreHost _host;
    private readonly MediaThreads _media;
    private readonly Registrations _registrations;
    private readonly CallDesk _desk;
    private readonly Surroundings _surroundings;
    private readonly AudioFiles _files;
    private readonly AudioFileWriter _writer;
    private readonly LoadWatch _load = new();
    private readonly RecordingJournal _journal;
    private readonly RecorderMetrics _metrics;
    private readonly ILogger _log;
    private readonly Channel<MediaEvent> _mediaEvents = Channel.CreateBounded<MediaEvent>(
        new BoundedChannelOptions(MaxQueuedMediaEvents) { FullMode = BoundedChannelFullMode.DropWrite });

    public Recorder(
        SipNatOptions options,
        ServerClock clock,
        RecordingArchive archive,
        RecordingJournal journal,
        AudioFileWriter writer,
        HostNames names,
        TurnServers turn,
        LifetimeWatch lifetimes,
        ILoggerFactory logs,
        PacketTrace? trace = null)
    {
        (_options, _clock, _journal, _writer, _names, _turn, _lifetimes, _log) = (options, clock, journal, writer, names, turn, lifetimes, logs.CreateLogger<Recorder>());
        var flows = new FlowIds();
        var endpoint = EndpointOptions.From(options, LocalInterfaces.Read());
        Warmup.Run(endpoint);
        NativeCodecs.Tell(_log, options);
        _core = new(endpoint.Signalling, endpoint.Addressing, new SecureRandom());
        _files = new(writer, archive.Store, clock, journal, logs);
        var trust = TlsTrust.From(options, clock.Time, logs);
        _host = new(_core, clock, flows, new TransportLimits { AllowedNetworks = endpoint.Signalling.AllowedNetworks }, logs, new() { Trust = trust, Server = TlsServer.From(options.Sip.Tls, clock.Time, logs), WebSocketOrigins = options.Sip.WebSocketOrigins }) { AfterDrain = AfterDrain, Trace = trace };
        _registrations = new(_core, _host, logs);
        _desk = new(options, _core, command => _media!.TryPost(command), logs);
        _surroundings = new(options.Nat, clock, flows, logs);
        var ports = new MediaPortAllocator(options.Media.FirstPort, options.Media.LastPort, options.Media.Dscp, DescriptorLimit.StreamsOf(DescriptorLimit.Current))
        {
            Bound = _surroundings.Bound,
            Closed = _surroundings.Closed,
        };
        _media = new(options.Media.Threads, MakeThread, happened => _mediaEvents.Writer.TryWrite(happened));
        _metrics = new(_core, _media, lifetimes, writer, _load);
        clock.OnStep(HandleStep);
        RecorderLog.Configured(_log, ports, options.Media.FirstPort, options.Media.LastPort, endpoint.Signalling.AllowedNetworks);

        MediaThread MakeThread(Action<MediaEvent> tell) => new(
            options.Media.Engine,
            new(endpoint.Media, new SecureRandom()),
            clock,
            flows,
            ports,
            new(trust, ConnectTimeout, logs.CreateLogger<TurnConnections>()),
            tell,
            _files.Take)
        { Trace = trace };
    }

    public IReadOnlyList<SipListener> Bound => _host.Bound;

    /// <summary>Binds the listeners; from here on sessions are served.</summary>
    /// <exception cref="UnavailableException">A listener could not be bound.</exception>
    public void Start()
    {
        _media.Start();
        UpdateNames();
        UpdateTurnServers();
        _host.Start(_options.Sip.Listen);
        _surroundings.SetListeners(Bound);
        var hosts = HostAddresses.Of(LocalInterfaces.Read(), _options.Media.Address);
        _media.Post((_, plane) => plane.SetHosts(hosts));
        foreach (var local in MediaAddresses()) _media.Post((_, plane) => plane.Prepare(local));
        _registrations.Start(_options.Accounts, _options.Nat.Keepalive, name => DeviceInstance.Of(name, _options.Recording.Directory));
    }

    /// <summary>Hands over what the configured host names stand for.</summary>
    public void UpdateNames()
    {
        IReadOnlyList<TransportAddress> stun = [.. _options.StunServers.SelectMany(name => _names[name])];
        IReadOnlyList<TransportAddress> external = [.. _options.Nat.ExternalAddress.SelectMany(name => _names[name])];
        _media.Post((now, plane) => plane.SetStunServers(now, stun));
        _host.Post(now =>
        {
            _core.SetExternalAddresses(now, external);
            _core.SetStunServers(now, stun);
        });
    }

    /// <summary>Hands over the TURN servers as they are known now.</summary>
    public void UpdateTurnServers()
    {
        IReadOnlyList<TurnServerOptions> servers = [.. _turn.Current.Select(s => s.Options with { TlsName = s.TlsName })];
        _media.Post((_, plane) => plane.SetTurnServers(servers));
    }

    /// <summary>The longest time between two packets that keep a mapping alive, from here on.</summary>
    public void LimitKeepalive(TimeSpan bound)
    {
        _media.Post((now, plane) => plane.LimitKeepalive(now, bound));
        _host.Post(now => _core.LimitKeepalive(now, bound));
    }

    /// <summary>Brings what the media engine tells to signalling, and what the disk refuses to the journal.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        var files = _files.RunAsync(stop);
        var load = WatchLoadAsync(stop);
        var surroundings = _surroundings.RunAsync(
            () => Bound,
            mappings => _host.Post(now => _core.SetRouterMappings(now, mappings)),
            addresses => _host.Post(now => _core.SetCloudAddresses(now, addresses)),
            HandleNetworkChange,
            stop);
        try
        {
            while (await _mediaEvents.Reader.WaitToReadAsync(stop)) _host.Post(TakeMediaEvents);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            await files;
            await load;
            await surroundings;
        }
    }

    /// <summary>Pauses or resumes a recording; false where no such recording runs.</summary>
    public bool TrySetPaused(string id, bool paused)
    {
        var isDone = false;
        _host.Post(now => isDone = paused ? _core.TryPause(now, new(id)) : _core.TryResume(now, new(id)));
        return isDone;
    }

    /// <summary>How each account stands.</summary>
    public IReadOnlyList<AccountSnapshot> Accounts()
    {
        IReadOnlyList<AccountSnapshot> accounts = [];
        _host.Post(_ => accounts = _core.Accounts);
        return accounts;
    }

    /// <summary>No session begins from here on; running ones may finish until the limit, then they end with BYE.</summary>
    public async Task DrainAsync(TimeSpan limit)
    {
        _host.Post(_ => _core.Drain());
        RecorderLog.Draining(_log, _core.Sessions, limit.TotalSeconds);
        await WaitForSessionsAsync(limit);
        _host.Post(now =>
        {
            _core.EndAll(now, "The server shuts down.");
            _core.HangUpAll(now, "The server shuts down.");
        });
        await WaitForSessionsAsync(EndLimit);
        if (_options.Accounts.Count > 0) await _registrations.EndAsync();
    }

    private async Task WaitForSessionsAsync(TimeSpan limit)
    {
        var began = Stopwatch.GetTimestamp();
        while (_core.Sessions + _core.Calls > 0 && Stopwatch.GetElapsedTime(began) < limit) await Task.Delay(DrainPoll);
    }

    // What is short is told to those who would begin a session, and not by a session that lacks it.
    private async Task WatchLoadAsync(CancellationToken stop)
    {
        var memory = new FreeMemory();
        string? told = null;
        using var timer = new PeriodicTimer(LoadWatch.Interval, _clock.Time);
        try
        {
            while (await timer.WaitForNextTickAsync(stop))
            {
                var reason = _load.Look(_writer.Fullness, memory.Read(), _media.TakeDelay());
                if (reason == told) continue;

                told = reason;
                _host.Post(_ => _core.SetOverload(reason));
                if (reason is null) RecorderLog.TakenAgain(_log);
                else RecorderLog.Overloaded(_log, reason);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The server ends.
        }
    }

    // Listeners follow at once; media ports are opened ahead on what the machine has by then.
    private void HandleNetworkChange(NetworkState network)
    {
        RecorderLog.NetworkChanged(_log, string.Join(", ", network.Addresses.Select(a => a.Address.AddressText)), network.Gateway?.Router.AddressText ?? "none");
        var endpoint = EndpointOptions.From(_options, network.Addresses);
        var (local, allowed) = (endpoint.Addressing.LocalNetworks, endpoint.Signalling.AllowedNetworks);
        _lifetimes.HandleNetworkChange(network.Addresses);
        _host.SetAllowedNetworks(allowed);
        _host.FollowAddresses();
        _host.Post(now => _core.HandleNetworkChange(now, local, allowed));
        var addresses = MediaAddresses().ToList();
        var hosts = HostAddresses.Of(network.Addresses, _options.Media.Address);
        _media.Post((now, plane) =>
        {
            plane.SetNetworks(local, allowed);
            plane.SetHosts(hosts);
            plane.HandleWallTime(now, _clock.ToWall(now));
            foreach (var address in addresses) plane.Prepare(address);
        });
    }

    private void HandleStep(Instant now, DateTimeOffset wall)
    {
        RecorderLog.ClockStepped(_log, wall);
        _media.Post((at, plane) => plane.HandleWallTime(at, wall));
        _host.Post(at => _core.HandleWallTime(at, wall));
    }

    // Under the signalling lock, whoever has it: an INVITE that waits for its ports is answered before others are begun.
    private void TakeMediaEvents(Instant now)
    {
        while (_mediaEvents.Reader.TryRead(out var happened)) _core.HandleMedia(now, happened);
    }

    // Runs under the signalling lock after each drain. A snapshot comes before the command that opens its ports, so that
    // the folder of a session has its name before audio can arrive.
    private void AfterDrain(Instant now)
    {
        TakeMediaEvents(now);
        while (_core.TryTakeSnapshot(out var snapshot))
        {
            if (snapshot.State is RecordingState.Complete) _files.End(snapshot);
            else _journal.Take(snapshot, _files.WallStart(snapshot.Id, snapshot.StartedAt));
        }

        while (_core.TryTakeCall(out var call)) _desk.Take(now, call);
        while (_core.TryTakeCommand(out var command))
        {
            if (!_media.TryPost(command)) _core.HandleMedia(now, new MediaEvent.Refused(command.Session, "the media engine is overloaded"));
        }

        _registrations.Drain();
        while (_core.TryTakeNotice(out var notice))
        {
            if (notice is SignallingNotice.Mapping(var happened)) _lifetimes.Handle(happened);
            RecorderLog.Notice(_log, notice);
        }
    }

    // Ports are opened and mapped ahead on the addresses that a peer can come in on.
    private IEnumerable<TransportAddress> MediaAddresses() => _options.Media.Address.IsNone
        ? _host.Bound.Where(l => l.Transport is TransportProtocol.Udp).Select(l => l.Address.WithPort(0)).Distinct()
        : [_options.Media.Address];

    public async ValueTask DisposeAsync()
    {
        _metrics.Dispose();
        await _surroundings.DisposeAsync();
        await _registrations.DisposeAsync();
        await _host.DisposeAsync();
        await _media.DisposeAsync();
        await _files.DisposeAsync();
    }
}
