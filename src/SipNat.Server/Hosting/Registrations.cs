using Microsoft.Extensions.Logging;
using SipNat.Endpoint;
using SipNat.Endpoint.Accounts;
using SipNat.Server.Options;
using SipNat.Server.Transport;

namespace SipNat.Server.Hosting;

/// <summary>
/// Gives a signalling core its accounts and the DNS, and tells how they stand. One for each core; what it is told under the
/// core's lock it answers from elsewhere.
/// </summary>
internal sealed partial class Registrations : IAsyncDisposable
{
    private static readonly TimeSpan FarewellLimit = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan FarewellPoll = TimeSpan.FromMilliseconds(50);

    private readonly SignallingCore _core;
    private readonly CoreHost _host;
    private readonly SipLocator _locator;
    private readonly ILogger _log;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private readonly HashSet<Task> _running = [];

    public Registrations(SignallingCore core, CoreHost host, ILoggerFactory logs) =>
        (_core, _host, _locator, _log) = (core, host, new(logs.CreateLogger<SipLocator>()), logs.CreateLogger<Registrations>());

    /// <summary>Told of every change, under the core's lock; set before the accounts are added.</summary>
    public Action<AccountSnapshot>? Changed { get; set; }

    /// <summary>Begins to keep accounts registered.</summary>
    /// <param name="instanceOf">The instance of an account, by its name.</param>
    public void Start(IEnumerable<AccountSettings> accounts, TimeSpan keepalive, Func<string, string> instanceOf)
    {
        foreach (var account in accounts)
        {
            var options = new AccountOptions
            {
                Name = account.Name,
                Uri = account.Uri,
                Username = account.Username,
                Password = account.Password,
                Realm = account.Realm,
                DisplayName = account.DisplayName,
                Registrar = account.Registrar,
                OutboundProxy = account.OutboundProxy,
                FurtherProxies = account.FurtherProxies,
                Flows = account.Flows,
                Gruu = account.Gruu,
                Transport = account.Transport,
                Expires = account.Expires,
                AllowMd5 = account.AllowMd5,
                Instance = instanceOf(account.Name),
                Keepalive = keepalive,
            };
            _host.Post(now => _core.AddAccount(now, options));
        }
    }

    /// <summary>Takes what the core wants of the DNS and has to say; under its lock, after each input.</summary>
    public void Drain()
    {
        while (_core.TryTakeLocate(out var request))
        {
            if (!_stop.IsCancellationRequested) Run(LocateAsync(request, _stop.Token));
        }

        while (_core.TryTakeAccount(out var snapshot))
        {
            Tell(snapshot);
            Changed?.Invoke(snapshot);
        }
    }

    /// <summary>Removes the bindings of all accounts, and waits for that within some seconds.</summary>
    public async Task EndAsync()
    {
        _host.Post(_core.UnregisterAll);
        using var limit = new CancellationTokenSource(FarewellLimit);
        while (!limit.IsCancellationRequested && IsAnyLeft()) await Task.Delay(FarewellPoll, CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        Task[] running;
        lock (_gate) running = [.. _running];
        await Task.WhenAll(running);
        await _locator.DisposeAsync();
        _stop.Dispose();
    }

    private bool IsAnyLeft()
    {
        var isAny = false;
        _host.Post(_ => isAny = _core.Accounts.Any(account => account.State is AccountState.Unregistering));
        return isAny;
    }

    private void Run(Task task)
    {
        lock (_gate) _running.Add(task);
        _ = task.ContinueWith(
            done =>
            {
                lock (_gate) _running.Remove(done);
            },
            TaskScheduler.Default);
    }

    private async Task LocateAsync(LocateRequest request, CancellationToken stop)
    {
        // The core's lock is held by whoever called.
        await Task.Yield();
        try
        {
            var (targets, lifetime) = await _locator.LocateAsync(request, stop);
            _host.Post(now => _core.HandleLocated(now, request.Asker, targets, lifetime));
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return;
        }
    }

    private void Tell(AccountSnapshot account)
    {
        switch (account.State)
        {
            case AccountState.Registered or AccountState.Unregistered:
                LogChanged(_log, account.Name, account.Text);
                break;
            case AccountState.Waiting or AccountState.Refused:
                LogFailed(_log, account.Name, account.Text);
                break;
            default:
                LogProgress(_log, account.Name, account.Text);
                break;
        }
    }

    [LoggerMessage(LogLevel.Information, "Account {Account}: {Text}")]
    private static partial void LogChanged(ILogger logger, string account, string text);

    [LoggerMessage(LogLevel.Warning, "Account {Account}: {Text}")]
    private static partial void LogFailed(ILogger logger, string account, string text);

    [LoggerMessage(LogLevel.Debug, "Account {Account}: {Text}")]
    private static partial void LogProgress(ILogger logger, string account, string text);
}
