using System.Net.NetworkInformation;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using SipNat.Server.Hosting;
using SipNat.Server.Options;
using SipNat.Wire;

namespace SipNat.Server.Transport;

/// <summary>
/// The listening sockets of a <see cref="CoreHost"/>. A wildcard UDP listener is one socket per local address, so that
/// an answer leaves from the address that was asked; the set follows the machine's addresses. A socket that failed is
/// opened anew.
/// </summary>
internal sealed partial class SipListeners : IAsyncDisposable
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromSeconds(10);

    // Between a failed socket and the next attempt, so that a socket that fails at once does not keep the machine busy.
    private static readonly TimeSpan ReopenDelay = TimeSpan.FromSeconds(1);

    private readonly CoreHost _host;
    private readonly FlowIds _flows;
    private readonly TcpConnections _connections;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly Lock _gate = new();
    private readonly Dictionary<SipListener, IListeningSocket> _open = [];
    private readonly List<Task> _loops = [];
    private readonly SemaphoreSlim _changed = new(0);
    private readonly CancellationTokenSource _stop = new();
    private IReadOnlyList<SipListener> _configured = [];
    private Task _following = Task.CompletedTask;

    public SipListeners(CoreHost host, FlowIds flows, TcpConnections connections, TimeProvider time, ILoggerFactory logs)
    {
        (_host, _flows, _connections, _time) = (host, flows, connections, time);
        _log = logs.CreateLogger<SipListeners>();
    }

    /// <summary>Where the machine's addresses come from; a test puts its own list here.</summary>
    public Func<IReadOnlyList<InterfaceAddress>> ReadAddresses { get; set; } = LocalInterfaces.Read;

    public IReadOnlyList<SipListener> Bound
    {
        get
        {
            lock (_gate) return [.. _open.Values.Select(socket => socket.Bound)];
        }
    }

    public void Start(IReadOnlyList<SipListener> configured)
    {
        _configured = configured;
        var problems = new List<string>();
        Reconcile((listener, error) =>
        {
            // An address that has just come up is not usable at once (duplicate address detection, RFC 4862 §5.4).
            if (error is SocketError.AddressNotAvailable && !_configured.Contains(listener)) return;

            // The listeners that nobody asked for by name: a machine without IPv6 is served by the others.
            if (error is SocketError.AddressFamilyNotSupported && ReferenceEquals(configured, SipOptions.DefaultListeners)) return;
            problems.Add($"{listener}: {Explain(error)}");
        });
        if (problems.Count > 0) throw new UnavailableException($"Cannot listen on {string.Join("; ", problems)}");

        NetworkChange.NetworkAddressChanged += HandleAddressChange;
        _following = FollowAsync(_stop.Token);
    }

    /// <summary>Opens one more UDP socket on a group and its port; false where another program holds the port.</summary>
    public bool TryOpenGroup(TransportAddress group)
    {
        try
        {
            OpenUdp(group);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>Opens one more UDP socket, where its port is 0 on a free one, which it keeps from then on.</summary>
    /// <exception cref="SocketException">The address is not this machine's, or the port is taken.</exception>
    public void OpenUdp(TransportAddress local)
    {
        lock (_gate)
        {
            var socket = new UdpListener(_host, UdpFlow.Open(_flows.Next(), local));
            _configured = [.. _configured, socket.Bound];
            _open.Add(socket.Bound, socket);
            _loops.Add(RunAsync(socket.Bound, socket));
        }
    }

    /// <summary>Opens what is missing and closes what has no address any more.</summary>
    internal void Reconcile(Action<SipListener, SocketError> onFailure)
    {
        lock (_gate)
        {
            if (_stop.IsCancellationRequested) return;

            _loops.RemoveAll(loop => loop.IsCompleted);
            var wanted = Wanted();
            foreach (var gone in _open.Keys.Where(listener => !wanted.Contains(listener)).ToList())
            {
                LogGone(_log, gone);
                _open.Remove(gone, out var socket);
                socket!.Close();
            }

            foreach (var listener in wanted.Where(listener => !_open.ContainsKey(listener)))
            {
                try
                {
                    Open(listener);
                }
                catch (SocketException error)
                {
                    onFailure(listener, error.SocketErrorCode);
                }
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        NetworkChange.NetworkAddressChanged -= HandleAddressChange;
        await _stop.CancelAsync();
        await _following;

        Task[] loops;
        lock (_gate)
        {
            foreach (var socket in _open.Values) socket.Close();
            loops = [.. _loops];
        }

        await Task.WhenAll(loops);
        await _connections.DisposeAsync();
        _stop.Dispose();
        _changed.Dispose();
    }

    // Insertion order is kept, so that the ready line and the logs list them as they are configured.
    private List<SipListener> Wanted()
    {
        var addresses = ReadAddresses();
        var wanted = new List<SipListener>();
        foreach (var listener in _configured)
        {
            if (listener is not { Transport: TransportProtocol.Udp, Address.IsUnspecified: true })
            {
                wanted.Add(listener);
                continue;
            }

            foreach (var address in addresses.Select(a => a.Address).Where(a => a.Family == listener.Address.Family))
            {
                wanted.Add(listener with { Address = address.WithPort(listener.Address.Port) });
            }
        }

        return [.. wanted.Distinct()];
    }

    private void Open(SipListener listener)
    {
        IListeningSocket socket = listener.Transport switch
        {
            TransportProtocol.Udp => new UdpListener(_host, UdpFlow.Open(_flows.Next(), listener.Address)),
            _ => TcpListener.Open(listener, _connections),
        };
        _open.Add(listener, socket);
        _loops.Add(RunAsync(listener, socket));
        LogListening(_log, socket.Bound);
    }

    private async Task RunAsync(SipListener listener, IListeningSocket socket)
    {
        // The loop does not begin under the lock of the caller.
        await Task.Yield();
        try
        {
            await socket.RunAsync(_stop.Token);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            return;
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            bool isLost;
            lock (_gate) isLost = _open.TryGetValue(listener, out var current) && ReferenceEquals(current, socket) && _open.Remove(listener);
            if (!isLost || _stop.IsCancellationRequested) return;

            LogLost(_log, listener, error);
            _changed.Release();
        }
        finally
        {
            socket.Close();
        }
    }

    private async Task FollowAsync(CancellationToken stop)
    {
        try
        {
            while (true)
            {
                if (await _changed.WaitAsync(PollInterval, stop)) await Task.Delay(ReopenDelay, _time, stop);
                Reconcile((listener, error) => LogRetry(_log, listener, Explain(error)));
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return;
        }
    }

    private void HandleAddressChange(object? sender, EventArgs change) => _changed.Release();

    private static string Explain(SocketError error) => error switch
    {
        SocketError.AddressAlreadyInUse => "the port is taken by another program; end it or set Sip:Listen to another port.",
        SocketError.AddressNotAvailable => "the address does not belong to this machine; set Sip:Listen to one that does, or to 0.0.0.0.",
        SocketError.AccessDenied => "the port needs a privilege that this user does not have; take a port above 1023.",
        SocketError.AddressFamilyNotSupported => "this machine does not speak this IP version; leave the listener out of Sip:Listen.",
        _ => $"the system refused it ({error}).",
    };

    [LoggerMessage(LogLevel.Information, "Listening on {Listener}")]
    private static partial void LogListening(ILogger logger, SipListener listener);

    [LoggerMessage(LogLevel.Information, "The address of {Listener} is gone; the listener is closed")]
    private static partial void LogGone(ILogger logger, SipListener listener);

    [LoggerMessage(LogLevel.Error, "Receiving on {Listener} ended; it is opened anew")]
    private static partial void LogLost(ILogger logger, SipListener listener, Exception error);

    [LoggerMessage(LogLevel.Warning, "Cannot listen on {Listener}, trying again: {Reason}")]
    private static partial void LogRetry(ILogger logger, SipListener listener, string reason);
}

/// <summary>A socket that waits for others, whatever its transport.</summary>
internal interface IListeningSocket
{
    /// <summary>With the real port and the concrete address of the socket.</summary>
    SipListener Bound { get; }

    /// <summary>Serves until it is stopped; throws a <see cref="SocketException"/> where the socket fails.</summary>
    Task RunAsync(CancellationToken stop);

    void Close();
}
