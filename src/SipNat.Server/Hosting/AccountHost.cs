using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using SipNat.Endpoint;
using SipNat.Endpoint.Accounts;
using SipNat.Server.Options;
using SipNat.Server.Transport;
using SipNat.Wire;

namespace SipNat.Server.Hosting;

/// <summary>
/// One account on sockets of its own, for a command: free ports unless <c>Sip:Listen</c> says otherwise, and an instance of its
/// own, so that the registration of a server that runs beside it stays as it is.
/// </summary>
internal sealed class AccountHost : IAsyncDisposable
{
    private readonly SipNatOptions _options;
    private readonly HostNames _names;
    private readonly SignallingCore _core;
    private readonly CoreHost _host;
    private readonly Registrations _registrations;

    public AccountHost(SipNatOptions options, ILoggerFactory logs)
    {
        var endpoint = EndpointOptions.From(options, LocalInterfaces.Read());
        var clock = new ServerClock(TimeProvider.System);
        _options = options;
        _names = new([.. options.Nat.StunServers, .. options.Nat.ExternalAddress], clock.Time, logs.CreateLogger<HostNames>());
        // Nobody may record with a command.
        _core = new(endpoint.Signalling with { AllowedNetworks = [] }, endpoint.Addressing, new SecureRandom());
        _host = new(_core, clock, new FlowIds(), new TransportLimits { AllowedNetworks = [] }, logs, new() { Trust = TlsTrust.From(options.Nat, options.Accounts) })
        {
            AfterDrain = _ => Drain(),
        };
        _registrations = new(_core, _host, logs);
    }

    /// <summary>Registers an account, and tells of each change until it is ended.</summary>
    /// <param name="changed">Called from several threads, one at a time.</param>
    /// <exception cref="UnavailableException">A listener of <c>Sip:Listen</c> cannot be bound.</exception>
    public async Task StartAsync(AccountSettings account, Action<AccountSnapshot> changed, CancellationToken stop)
    {
        await _names.ResolveAsync(stop);
        _registrations.Changed = changed;
        Open();
        IReadOnlyList<TransportAddress> stun = [.. _options.Nat.StunServers.SelectMany(name => _names[name])];
        IReadOnlyList<TransportAddress> external = [.. _options.Nat.ExternalAddress.SelectMany(name => _names[name])];
        _host.Post(now =>
        {
            _core.SetExternalAddresses(now, external);
            _core.SetStunServers(now, stun);
        });
        _registrations.Start([account], _options.Nat.Keepalive, _ => DeviceInstance.Draw());
    }

    /// <summary>Removes the binding.</summary>
    public Task EndAsync() => _registrations.EndAsync();

    public async ValueTask DisposeAsync()
    {
        await _registrations.DisposeAsync();
        await _host.DisposeAsync();
    }

    private void Open()
    {
        if (!ReferenceEquals(_options.Sip.Listen, SipOptions.DefaultListeners))
        {
            _host.Start(_options.Sip.Listen);
            return;
        }

        foreach (var address in LocalInterfaces.Read().Select(a => a.Address).Distinct())
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

    private void Drain()
    {
        _registrations.Drain();
        while (_core.TryTakeNotice(out _))
        {
        }
    }
}
