using Microsoft.Extensions.Logging;
using SipNat.Endpoint.Addressing;
using SipNat.Server.Hosting;
using SipNat.Server.Options;
using SipNat.Server.Transport;
using SipNat.Traversal.PortMapping;
using SipNat.Wire;

namespace SipNat.Server.Addressing;

/// <summary>
/// What lies between the recorder and the internet: the machine's own network, the router that opens ports, and the cloud
/// that has put a public address in front.
/// </summary>
internal sealed class Surroundings : IAsyncDisposable
{
    private readonly NetworkWatch _watch;
    private readonly PortMappings? _mappings;
    private readonly CloudWatch? _cloud;

    /// <param name="options">Which of it is wanted.</param>
    /// <param name="clock">The process's clock.</param>
    /// <param name="flows">The process's flow numbers.</param>
    /// <param name="logs">Where the loggers come from.</param>
    public Surroundings(NatOptions options, ServerClock clock, FlowIds flows, ILoggerFactory logs)
    {
        _watch = new(clock.Time);
        _cloud = CloudWatch.For(options, clock.Time, logs);
        if (options.PortMapping is PortMapping.Auto) _mappings = new(clock, flows, logs);
    }

    /// <summary>A pair of media sockets was bound. Never blocks; any thread.</summary>
    public void Bound(TransportAddress rtp) => _mappings?.Add(rtp);

    /// <summary>A pair of media sockets was closed. Never blocks; any thread.</summary>
    public void Closed(TransportAddress rtp) => _mappings?.Remove(rtp);

    /// <summary>What SIP listens on from here on. Never blocks; any thread.</summary>
    public void SetListeners(IReadOnlyList<SipListener> listeners) => _mappings?.SetListeners(listeners);

    /// <summary>Follows network and router until it is stopped; ports are given back then.</summary>
    /// <param name="listeners">What SIP listens on at the moment.</param>
    /// <param name="mapped">Told which ports the router has opened, all of them, after every change.</param>
    /// <param name="named">Told which public addresses a cloud has put in front of local ones, all of them, after every change.</param>
    /// <param name="changed">Told what the machine has of a network, after every change.</param>
    /// <param name="stop">Ends it.</param>
    public async Task RunAsync(
        Func<IReadOnlyList<SipListener>> listeners,
        Action<IReadOnlyDictionary<InternalPort, RouterMapping>> mapped,
        Action<IReadOnlyDictionary<TransportAddress, TransportAddress>> named,
        Action<NetworkState> changed,
        CancellationToken stop)
    {
        var mapping = _mappings?.RunAsync(mapped, stop) ?? Task.CompletedTask;
        var naming = _cloud?.RunAsync(named, stop) ?? Task.CompletedTask;
        await _watch.RunAsync((network, differs) =>
        {
            if (differs)
            {
                changed(network);
                _mappings?.FollowGateway();
            }

            _mappings?.SetListeners(listeners());
        }, stop);
        await Task.WhenAll(mapping, naming);
    }

    public async ValueTask DisposeAsync()
    {
        if (_mappings is not null) await _mappings.DisposeAsync();
    }
}
