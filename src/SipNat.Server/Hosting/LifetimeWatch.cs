using System.Globalization;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using SipNat.Endpoint.Addressing;
using SipNat.Server.Options;
using SipNat.Server.Transport;
using SipNat.Traversal.Discovery;
using SipNat.Traversal.Stun;
using SipNat.Wire;

namespace SipNat.Server.Hosting;

/// <summary>
/// Measures in the background how long the NAT in front of this machine keeps a silent mapping, as soon as STUN has shown
/// that there is one and again when it may be another one, and says how often mappings are kept alive. Thread safe.
/// </summary>
internal sealed partial class LifetimeWatch : IDisposable
{
    private const int FirstDynamicPort = 49_152;
    private const int PortDraws = 100;

    private readonly NatOptions _options;
    private readonly MediaOptions _media;
    private readonly ServerClock _clock;
    private readonly HostNames _names;
    private readonly TurnServers _turn;
    private readonly ProbeHost _probes;
    private readonly ILogger _log;
    private readonly Lock _gate = new();
    private readonly MappingLifetimeTable _table;
    private readonly SemaphoreSlim _wake = new(0);
    private readonly IReadOnlyList<HostName> _stun;
    private readonly bool _isWanted;
    private string _said = "";

    /// <param name="options">Whom to ask, and the bound that is configured.</param>
    /// <param name="clock">The process's clock.</param>
    /// <param name="names">The addresses of the STUN servers.</param>
    /// <param name="turn">Servers whose relay can take their place.</param>
    /// <param name="logs">Where the loggers come from.</param>
    public LifetimeWatch(SipNatOptions options, ServerClock clock, HostNames names, TurnServers turn, ILoggerFactory logs)
    {
        (_options, _stun, _media, _clock, _names, _turn) = (options.Nat, options.StunServers, options.Media, clock, names, turn);
        (_probes, _log, _table) = (new(logs), logs.CreateLogger<LifetimeWatch>(), new(options.Nat.Keepalive));
        _isWanted = _options.MeasureLifetime && _stun.Count > 0;
    }

    /// <summary>The longest time between two packets that keep a mapping alive.</summary>
    public TimeSpan Bound
    {
        get
        {
            lock (_gate) return _table.Bound;
        }
    }

    /// <summary>The shortest lifetime that was measured; null while none is known.</summary>
    public TimeSpan? Lifetime
    {
        get
        {
            lock (_gate) return _table.Shortest?.Lifetime;
        }
    }

    /// <summary>How it is measured from a local address; a test answers by itself.</summary>
    internal Func<TransportAddress, CancellationToken, Task<MappingLifetimes>>? Measure { get; init; }

    /// <summary>What a STUN server says of a SIP socket. Never blocks; any thread.</summary>
    public void Handle(StunBindingEvent happened)
    {
        switch (happened)
        {
            case StunBindingEvent.MappingLearned(_, var local, var mapped, _, _):
                Tell(now => _table.HandleMapping(now, local, mapped));
                break;
            case StunBindingEvent.MappingChanged(_, var local, _, var mapped, _, _):
                Tell(now => _table.HandleMapping(now, local, mapped));
                break;
        }
    }

    /// <summary>What this machine has of a network now. Never blocks; any thread.</summary>
    public void HandleNetworkChange(IReadOnlyList<InterfaceAddress> addresses) =>
        Tell(now => _table.HandleNetworkChange(now, addresses.Select(address => address.Address)));

    /// <summary>Measures whatever is due until it is stopped.</summary>
    /// <param name="changed">Told the bound after each change of it.</param>
    /// <param name="stop">Ends it, a measurement too.</param>
    public async Task RunAsync(Action<TimeSpan> changed, CancellationToken stop)
    {
        if (!_isWanted) return;

        var told = _options.Keepalive;
        try
        {
            while (true)
            {
                if (Bound is var bound && bound != told) changed(told = bound);
                if (TryTakeDue(out var local, out var wait)) await MeasureAsync(local, stop);
                else await _wake.WaitAsync(wait, stop);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return;
        }
    }

    public void Dispose() => _wake.Dispose();

    private void Tell(Action<Instant> input)
    {
        if (!_isWanted) return;

        lock (_gate) input(_clock.Now);
        _wake.Release();
    }

    private bool TryTakeDue(out TransportAddress local, out TimeSpan wait)
    {
        lock (_gate)
        {
            var now = _clock.Now;
            wait = _table.Deadline is not { } due ? Timeout.InfiniteTimeSpan : due > now ? due - now : TimeSpan.Zero;
            return _table.TryTakeDue(now, out local);
        }
    }

    private async Task MeasureAsync(TransportAddress local, CancellationToken stop)
    {
        Begun(_log, local.AddressText);
        MappingLifetimes found;
        try
        {
            found = await (Measure?.Invoke(local, stop) ?? MeasureFromAsync(local, stop));
        }
        catch (SocketException error)
        {
            Refused(_log, local.AddressText, error.SocketErrorCode.ToString());
            found = MappingLifetimes.Inconclusive;
        }

        string text;
        lock (_gate)
        {
            _table.HandleMeasured(local, found);
            text = Describe();
        }

        if (text != _said) Found(_log, _said = text);
    }

    // Lifetimes beyond what the configured bound needs are of no interest: fewer sockets and a minute in place of four.
    private Task<MappingLifetimes> MeasureFromAsync(TransportAddress local, CancellationToken stop)
    {
        var measuring = new LifetimeMeasuring(_probes)
        {
            Silences = MappingLifetimeOptions.SilencesUpTo(KeepaliveInterval.LifetimeFor(_options.Keepalive)),
            NextPort = DrawPort,
        };
        var servers = _stun.SelectMany(name => _names[name]).Distinct().Where(IsReached);
        var relay = _turn.Current.FirstOrDefault(server => !server.Options.Transport.IsReliable && IsReached(server.Options.Server));
        return measuring.RunAsync(local, servers, relay?.Options, stop);

        bool IsReached(TransportAddress server) => server.Family == local.Family && OutboundAddress.Towards(server).HasSameAddress(local);
    }

    // None that a call may want meanwhile.
    private int DrawPort()
    {
        for (var draw = 0; draw < PortDraws; draw++)
        {
            var port = Random.Shared.Next(FirstDynamicPort, ushort.MaxValue + 1);
            if (port < _media.FirstPort || port > _media.LastPort) return port;
        }

        return 0;
    }

    private string Describe()
    {
        var every = KeepaliveInterval.Describe(_table.Bound);
        return _table.Shortest switch
        {
            (var lifetime, true) => string.Create(CultureInfo.InvariantCulture, $"Keepalive every {every}: silent mappings last {lifetime.TotalSeconds:F0} s (measured)"),
            (var lifetime, false) => string.Create(CultureInfo.InvariantCulture, $"Keepalive every {every}: silent mappings last longer than {lifetime.TotalSeconds:F0} s (measured)"),
            null => $"Keepalive every {every} (Nat:Keepalive): how long silent mappings last could not be measured, which takes a STUN server that knows RESPONSE-PORT (RFC 5780) or a TURN server over UDP",
        };
    }

    [LoggerMessage(LogLevel.Debug, "Measuring how long the NAT in front of {Local} keeps silent mappings")]
    private static partial void Begun(ILogger logger, string local);

    [LoggerMessage(LogLevel.Debug, "The sockets for a measurement from {Local} could not be opened ({Reason})")]
    private static partial void Refused(ILogger logger, string local, string reason);

    [LoggerMessage(LogLevel.Information, "{Keepalive}")]
    private static partial void Found(ILogger logger, string keepalive);
}
