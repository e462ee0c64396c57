using Microsoft.Extensions.Logging;
using SipNat.Server.Options;
using SipNat.Traversal.Stun;
using SipNat.Traversal.Turn;

namespace SipNat.Server.Hosting;

/// <summary>
/// The configured TURN servers as they are asked: their names resolved, and time-limited credentials made from their
/// secrets, long before the ones before them run out. Thread safe.
/// </summary>
public sealed class TurnServers
{
    /// <summary>Addresses of all servers together that are given out.</summary>
    public const int MaxAddresses = 32;

    /// <summary>How long time-limited credentials are good.</summary>
    public static readonly TimeSpan CredentialLifetime = TimeSpan.FromHours(24);

    /// <summary>How often they are made anew: an allocation that begins with the oldest ones has half a day left.</summary>
    public static readonly TimeSpan CredentialInterval = CredentialLifetime / 2;

    // The wall clock may be set, and a suspend stops timers: what is due is looked up and not timed.
    private static readonly TimeSpan CheckInterval = TimeSpan.FromMinutes(1);

    private readonly IReadOnlyList<TurnServerSettings> _settings;
    private readonly TimeSpan _keepalive;
    private readonly TimeProvider _time;
    private readonly HostNames _names;
    private readonly Lock _gate = new();
    private readonly StunCredentials?[] _credentials;
    private DateTimeOffset _credentialsMadeAt;
    private IReadOnlyList<TurnServer> _current = [];

    public TurnServers(NatOptions options, TimeProvider time, ILoggerFactory logs)
        : this(options, time, new HostNames(options.TurnServers.Select(NameOf), time, logs.CreateLogger<HostNames>()))
    {
    }

    internal TurnServers(NatOptions options, TimeProvider time, HostNames names)
    {
        (_settings, _keepalive, _time, _names) = (options.TurnServers, options.Keepalive, time, names);
        _credentials = new StunCredentials?[_settings.Count];
        MakeCredentials();
        Update();
    }

    /// <summary>
    /// Every known address of every server: first the first address of each, in the order of the settings, then the
    /// second ones, the families apart. Each change makes another list.
    /// </summary>
    public IReadOnlyList<TurnServer> Current
    {
        get
        {
            lock (_gate) return _current;
        }
    }

    /// <summary>Looks the names up once.</summary>
    /// <returns>True where <see cref="Current"/> is another one than before.</returns>
    public async Task<bool> ResolveAsync(CancellationToken stop) => await _names.ResolveAsync(stop) && Update();

    /// <summary>Follows the names and the time of day until it is stopped.</summary>
    /// <param name="changed">Runs after each change of <see cref="Current"/>.</param>
    public Task RunAsync(Action changed, CancellationToken stop) => _settings.Count == 0
        ? Task.CompletedTask
        : Task.WhenAll(_names.RunAsync(() => Follow(changed), stop), RenewAsync(changed, stop));

    private async Task RenewAsync(Action changed, CancellationToken stop)
    {
        if (_settings.All(static server => server.Secret is null)) return;

        using var timer = new PeriodicTimer(CheckInterval, _time);
        try
        {
            while (await timer.WaitForNextTickAsync(stop))
            {
                if (RenewIfDue()) changed();
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return;
        }
    }

    /// <summary>Makes time-limited credentials anew where half their life is over, or the clock went back.</summary>
    internal bool RenewIfDue()
    {
        lock (_gate)
        {
            var age = _time.GetUtcNow() - _credentialsMadeAt;
            if (age >= TimeSpan.Zero && age < CredentialInterval) return false;

            MakeCredentials();
            return Update();
        }
    }

    private void Follow(Action changed)
    {
        if (Update()) changed();
    }

    private void MakeCredentials()
    {
        _credentialsMadeAt = _time.GetUtcNow();
        for (var i = 0; i < _settings.Count; i++)
        {
            var server = _settings[i];
            if (server.Secret is { } secret) _credentials[i] = StunCredentials.TimeLimited(secret, server.Username, _credentialsMadeAt, CredentialLifetime);
            else if (server.Password is { } password) _credentials[i] ??= new(server.Username, password);
        }
    }

    private bool Update()
    {
        lock (_gate)
        {
            var servers = _settings
                .SelectMany((server, place) => Addresses(server, place))
                .OrderBy(static found => found.Rank)
                .ThenBy(static found => found.Place)
                .Select(static found => found.Server)
                .Take(MaxAddresses)
                .ToList();
            if (servers.SequenceEqual(_current)) return false;

            _current = servers;
            return true;
        }
    }

    private IEnumerable<(int Rank, int Place, TurnServer Server)> Addresses(TurnServerSettings server, int place) =>
        from family in _names.Find(NameOf(server)).GroupBy(static found => found.Address.Family)
        from found in family.Select(static (found, rank) => (found.Address, found.Transport, Rank: rank))
        let options = new TurnServerOptions
        {
            Server = found.Address,
            Transport = found.Transport ?? server.Uri.EffectiveTransport,
            Credentials = _credentials[place],
            KeepaliveBound = _keepalive,
        }
        select (found.Rank, place, new TurnServer(options, server.Uri.IsSecure ? server.Uri.Host : null));

    private static HostName NameOf(TurnServerSettings server) => ServiceLocator.NameOf(server.Uri);
}
