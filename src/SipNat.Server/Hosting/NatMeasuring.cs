using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using SipNat.Endpoint.Diagnosis;
using SipNat.Server.Addressing;
using SipNat.Server.Options;
using SipNat.Server.Transport;
using SipNat.Traversal.Discovery;
using SipNat.Wire;

namespace SipNat.Server.Hosting;

/// <summary>Tells people how far a part of a measurement is.</summary>
/// <param name="stage">What is measured, such as "IPv4 lifetimes".</param>
/// <param name="part">0–1; told again and again, 1 at last.</param>
internal delegate void NatProgress(string stage, double part);

/// <summary>Measures the way to the internet, IPv4 and IPv6 at the same time, with sockets of its own.</summary>
internal sealed class NatMeasuring
{
    private readonly NatMeasuringOptions _options;
    private readonly NatProgress _progress;
    private readonly HostNames _names;
    private readonly ProbeHost _host;
    private IReadOnlyList<TurnServer> _turn = [];

    private NatMeasuring(NatMeasuringOptions options, NatProgress progress, ILoggerFactory logs)
    {
        (_options, _progress, _host) = (options, progress, new(logs));
        var names = options.Sip is null ? options.Servers : [.. options.Servers, options.Sip];
        _names = new(names, TimeProvider.System, logs.CreateLogger<HostNames>());
    }

    /// <param name="options">Whom to ask, and what.</param>
    /// <param name="progress">Called from several threads.</param>
    /// <exception cref="UnavailableException">No server's name has an address, or none has a route.</exception>
    public static Task<NatReport> RunAsync(NatMeasuringOptions options, NatProgress progress, ILoggerFactory logs, CancellationToken stop) =>
        new NatMeasuring(options, progress, logs).RunAsync(stop);

    private async Task<NatReport> RunAsync(CancellationToken stop)
    {
        await _names.ResolveAsync(stop);
        var servers = _options.Servers.SelectMany(name => _names[name]).Distinct().ToList();
        if (servers.Count == 0)
        {
            throw new UnavailableException($"No STUN server's name has an address ({string.Join(", ", _options.Servers)}); check the names, or give addresses.");
        }

        var turnServers = new TurnServers(_options.Turn, TimeProvider.System, _host.Logs);
        await turnServers.ResolveAsync(stop);
        _turn = turnServers.Current;

        var ipv4 = MeasureAsync("IPv4", Of(AddressFamily.InterNetwork), stop);
        var ipv6 = MeasureAsync("IPv6", Of(AddressFamily.InterNetworkV6), stop);
        var alg = MeasureAlgAsync(servers, stop);
        var turn = MeasureTurnAsync(stop);
        await Task.WhenAll(ipv4, ipv6, alg, turn);
        var report = new NatReport(await ipv4, await ipv6) { Alg = await alg, Turn = await turn };
        return report.Families.Any() ? report : throw new UnavailableException($"There is no route to any STUN server ({string.Join(", ", servers)}).");

        List<TransportAddress> Of(AddressFamily family) => [.. servers.Where(address => address.Family == family).Take(NatProbeOptions.MaxServers)];
    }

    private async Task<NatMeasurement?> MeasureAsync(string family, List<TransportAddress> servers, CancellationToken stop)
    {
        var local = servers.Select(OutboundAddress.Towards).FirstOrDefault(address => !address.IsNone);
        if (local.IsNone) return null;

        var way = MeasureWayAsync(local, servers, stop);
        var probe = new NatBehaviourProbe(new() { Servers = servers, IsFast = _options.IsFast }, new SecureRandom());
        var measured = await _host.RunAsync(probe, Enumerable.Repeat(local, probe.SocketCount), () => probe.Result, () => Report(family, probe.Progress), stop);
        _progress(family, 1);
        measured = measured with { Layers = ((await way) with { External = measured.External }).Count };
        if (measured.UdpBlocked.Value is true) return await TryTcpAsync(family, measured, servers, stop);

        // Without a NAT there is no mapping whose life could end.
        if (!_options.HasLifetime || measured.Mapping.Value is EndpointDependence.None) return measured;

        return measured with { Lifetimes = await MeasureLifetimesAsync($"{family} lifetimes", measured.BehaviourServer, local, stop) };
    }

    // The router's own address, and who answers on the way; neither takes longer than the rest. A public address has no
    // NAT to ask about, and neither has this machine itself.
    private async Task<NatLayers> MeasureWayAsync(TransportAddress local, List<TransportAddress> servers, CancellationToken stop)
    {
        var layers = new NatLayers(local, default);
        if (_options.IsFast || !local.IsIPv4 || !local.IsPrivate || local.IsLoopback) return layers;

        var router = RouterQuery.RunAsync(_host.Clock, _host.Flows, _host.Logs, stop);
        var (hops, isServerReached) = await HopWalk.TowardsAsync(servers[0], stop);
        return layers with { Router = (await router)?.External ?? default, Hops = hops, IsServerReached = isServerReached };
    }

    private async Task<MappingLifetimes> MeasureLifetimesAsync(string stage, TransportAddress server, TransportAddress local, CancellationToken stop)
    {
        var relay = _turn.FirstOrDefault(turn => !turn.Options.Transport.IsReliable && OutboundAddress.Towards(turn.Options.Server) == local);
        var measuring = new LifetimeMeasuring(_host) { Progress = progress => Report(stage, progress) };
        var found = await measuring.RunAsync(local, server.IsNone ? [] : [server], relay?.Options, stop);
        _progress(stage, 1);
        return found;
    }

    // Silence over UDP is the way's only where the same servers answer over TCP; else it may be theirs.
    private async Task<NatMeasurement> TryTcpAsync(string family, NatMeasurement measured, List<TransportAddress> servers, CancellationToken stop)
    {
        var stage = $"{family} over TCP";
        _progress(stage, 0);
        var answers = await Task.WhenAll(servers.Select(server => StunOverTcp.AnswersAsync(server, stop)));
        _progress(stage, 1);
        var up = servers.Where((_, i) => answers[i]).Select(server => server.WithPort(0)).Distinct().Count();
        return measured with { UdpBlocked = up > 0 ? Measured<bool>.Of(true, up) : default };
    }

    private async Task<SipAlgMeasurement?> MeasureAlgAsync(List<TransportAddress> servers, CancellationToken stop)
    {
        if (_options.Sip is not { } name) return null;

        var target = _names[name].FirstOrDefault(address => !OutboundAddress.Towards(address).IsNone);
        if (target.IsNone) throw new UnavailableException($"The SIP server {name} has no address with a route; check the name, or give an address.");

        const string Stage = "SIP";
        var local = OutboundAddress.Towards(target);
        var options = new SipAlgProbeOptions
        {
            Target = target,
            Host = name.Address.IsNone ? name.Host : target.HostText,
            StunServers = [.. servers.Where(server => server.Family == target.Family)],
        };
        var probe = new SipAlgProbe(options, new SecureRandom());
        // A gateway may look for the port of the sender, too.
        var sockets = Enumerable.Range(0, SipAlgProbe.SocketCount).Select(i => local.WithPort(i == 0 ? SipOptions.DefaultPort : 0));
        var found = await _host.RunAsync(probe, sockets, () => probe.Result, () => Report(Stage, probe.Progress), stop);
        _progress(Stage, 1);
        return found;
    }

    private async Task<IReadOnlyList<TurnReach>> MeasureTurnAsync(CancellationToken stop)
    {
        if (_options.Turn.TurnServers.Count == 0) return [];

        const string Stage = "TURN";
        var targets = _turn
            .Select(server => (Target: new TurnReachTarget(server.Options, server.TlsName), Local: OutboundAddress.Towards(server.Options.Server)))
            .Where(target => !target.Local.IsNone)
            .Take(TurnReachProbe.MaxTargets)
            .ToList();
        if (targets.Count == 0) throw new UnavailableException($"No TURN server has an address with a route ({string.Join(", ", _options.Turn.TurnServers)}); check the names, or give addresses.");

        var probe = new TurnReachProbe(targets.Select(target => target.Target), new SecureRandom());
        var sockets = targets.Where(target => !target.Target.Server.Transport.IsReliable).Select(target => target.Local);
        var connections = new ConnectionOptions { Framing = StreamFraming.Turn, Trust = TlsTrust.From(_options.Turn) };
        var found = await _host.RunAsync(probe, sockets, () => probe.Result, () => Report(Stage, probe.Progress), stop, connections);
        _progress(Stage, 1);
        return found;
    }

    private void Report(string stage, (int Done, int Known) progress) => _progress(stage, (double)progress.Done / Math.Max(progress.Known, 1));
}

/// <summary>What <see cref="NatMeasuring"/> measures.</summary>
/// <param name="Servers">STUN servers by name or address.</param>
internal sealed record NatMeasuringOptions(IReadOnlyList<HostName> Servers)
{
    /// <summary>Whether only the mapping is measured.</summary>
    public bool IsFast { get; init; }

    /// <summary>Whether the lifetimes of mappings are measured after the rest.</summary>
    public bool HasLifetime { get; init; }

    /// <summary>Whose TURN servers are asked for a relay.</summary>
    public NatOptions Turn { get; init; } = new();

    /// <summary>A SIP server that is asked whether something on the way rewrites SIP; null for none.</summary>
    public HostName? Sip { get; init; }
}
