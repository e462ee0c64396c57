using SipNat.Traversal.Discovery;
using SipNat.Traversal.Turn;
using SipNat.Wire;

namespace SipNat.Server.Hosting;

/// <summary>
/// Measures how long a NAT keeps a silent mapping, with sockets of its own: by the first STUN server that knows
/// RESPONSE-PORT, and where none does by a TURN relay.
/// </summary>
internal sealed class LifetimeMeasuring(ProbeHost host)
{
    /// <summary>STUN servers that are tried one after the other; one that does not know RESPONSE-PORT says so in two seconds.</summary>
    private const int MaxServers = 4;

    /// <summary>For how long its sockets are silent; the probe's own choice where null.</summary>
    public IReadOnlyList<TimeSpan>? Silences { get; init; }

    /// <summary>The port of its next socket; 0 leaves it to the system.</summary>
    public Func<int> NextPort { get; init; } = static () => 0;

    /// <summary>Told again and again how many of its sockets are done.</summary>
    public Action<(int Done, int Known)> Progress { get; init; } = static _ => { };

    /// <param name="local">The address of its sockets.</param>
    /// <param name="servers">STUN servers that are reached from there.</param>
    /// <param name="relay">A TURN server over UDP that is reached from there; null for none.</param>
    /// <exception cref="System.Net.Sockets.SocketException">The sockets could not be opened.</exception>
    public async Task<MappingLifetimes> RunAsync(TransportAddress local, IEnumerable<TransportAddress> servers, TurnServerOptions? relay, CancellationToken stop)
    {
        foreach (var server in servers.Take(MaxServers))
        {
            var probe = new MappingLifetimeProbe(OptionsFor(server), new SecureRandom());
            var found = await host.RunAsync(probe, Sockets(local, probe.SocketCount), () => probe.Result, () => Progress(probe.Progress), stop);
            if (found != MappingLifetimes.Inconclusive) return found;
        }

        if (relay is null) return MappingLifetimes.Inconclusive;

        var relayed = new RelayedLifetimeProbe(relay, new SecureRandom(), OptionsFor(relay.Server));
        return await host.RunAsync(relayed, Sockets(local, relayed.SocketCount), () => relayed.Result, () => Progress(relayed.Progress), stop);
    }

    private MappingLifetimeOptions OptionsFor(TransportAddress server)
    {
        var options = new MappingLifetimeOptions { Server = server };
        return Silences is null ? options : options with { Silences = Silences };
    }

    private IEnumerable<TransportAddress> Sockets(TransportAddress local, int count) => Enumerable.Range(0, count).Select(_ => local.WithPort(NextPort()));
}
