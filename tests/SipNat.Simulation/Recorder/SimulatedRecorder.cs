using SipNat.Endpoint;
using SipNat.Endpoint.Addressing;
using SipNat.Endpoint.Media;
using SipNat.Endpoint.Siprec;
using SipNat.Wire;

namespace SipNat.Simulation.Recorder;

/// <summary>
/// The whole recorder on a simulated host: its signalling core and its media plane, with what passes between them, and
/// files in memory in place of the disk.
/// </summary>
public sealed class SimulatedRecorder
{
    private readonly MediaPlaneCore _mediaCore;
    private readonly SimulatedPorts _ports;
    private readonly Dictionary<SessionId, RecordedSession> _sessions = [];
    private readonly List<RecordingSnapshot> _snapshots = [];
    private readonly List<SignallingNotice> _notices = [];
    private SimulatedHost _host = null!;

    private SimulatedRecorder(SimulatedRecorderOptions options)
    {
        Signalling = new(SignallingOf(options), AddressingOf(options), new Random(options.Seed));
        Media = new(MediaOf(options), new Random(~options.Seed));
        _mediaCore = new(Media);
        _ports = new(options.FirstMediaPort, options.LastMediaPort);
    }

    public SignallingCore Signalling { get; }

    public MediaPlane Media { get; }

    public SimulatedHost Host => _host;

    /// <summary>The sessions of which anything was told, in the order of their begin.</summary>
    public IReadOnlyList<RecordedSession> Sessions => [.. _sessions.Values.OrderBy(s => s.Snapshot.StartedAt.Ticks).ThenBy(s => s.Id.Value, StringComparer.Ordinal)];

    /// <summary>Every state that was told, in order.</summary>
    public IReadOnlyList<RecordingSnapshot> Snapshots => _snapshots;

    public IReadOnlyList<SignallingNotice> Notices => _notices;

    /// <summary>The one session that there is.</summary>
    public RecordedSession Session => _sessions.Values.Single();

    /// <summary>Puts a recorder on a host of its own, as the server starts it.</summary>
    /// <param name="address">An address without port.</param>
    public static SimulatedRecorder AddTo(SimulatedNetwork network, string address, SimulatedRecorderOptions? options = null, SimulatedNat? behind = null)
    {
        options ??= new();
        var recorder = new SimulatedRecorder(options);
        recorder.SetStunServers(network.Now, options.StunServers);
        recorder.Media.SetTurnServers(options.TurnServers);
        var host = recorder._host = network.AddHost(address, recorder.Signalling, behind);
        host.Attach(recorder._mediaCore);
        host.Exchange = recorder.Exchange;
        if (options.MediaAddress is { } media) host.AddAddress(media);
        foreach (var further in options.FurtherAddresses) host.AddAddress(further);
        recorder.Media.SetHosts([.. options.FurtherAddresses.Select(a => TransportAddress.Parse(a))]);
        host.OpenUdp(options.SipPort);
        foreach (var transport in Enum.GetValues<TransportProtocol>().Where(t => t.IsReliable)) host.Listen(options.SipPort, transport);
        if (options.PreparesPorts) host.Run(_ => recorder.Media.Prepare(host.Address));
        return recorder;
    }

    /// <summary>Hands over the resolved STUN servers.</summary>
    public void SetStunServers(Instant now, IReadOnlyList<TransportAddress> servers)
    {
        Media.SetStunServers(now, servers);
        Signalling.SetStunServers(now, servers);
    }

    /// <summary>The time of day has parted from the time since the start, as after a suspend.</summary>
    public void HandleWallTime(Instant now, DateTimeOffset wall)
    {
        Media.HandleWallTime(now, wall);
        Signalling.HandleWallTime(now, wall);
    }

    /// <summary>Forgets a session that was looked at, with its audio.</summary>
    public void Forget(SessionId id)
    {
        _sessions.Remove(id);
        _snapshots.RemoveAll(s => s.Id == id);
    }

    private static SignallingOptions SignallingOf(SimulatedRecorderOptions options) => new()
    {
        AllowedNetworks = options.AllowedNetworks,
        MediaAddress = options.MediaAddress is { } media ? TransportAddress.Parse(media) : default,
        Keepalive = options.Keepalive,
        SilenceTimeout = options.SilenceTimeout,
        MaxSessions = options.MaxSessions,
        MaxSessionsPerPeer = options.MaxSessionsPerPeer,
        MaxUnacknowledgedPerPeer = options.MaxUnacknowledgedPerPeer,
        AnswersPerSecond = options.AnswersPerSecond,
        RefusalsPerSecond = options.RefusalsPerSecond,
        UsesIce = options.Ice is not IceMode.Off,
        Srtp = options.Srtp,
    };

    private static AddressingOptions AddressingOf(SimulatedRecorderOptions options) => new()
    {
        External = options.External,
        ForwardedPorts = options.ForwardedPorts,
        ExternalSipPort = options.ExternalSipPort,
        SipPort = options.SipPort,
        ExternalMediaFirstPort = options.ExternalMediaFirstPort,
        MediaFirstPort = options.FirstMediaPort,
        LocalNetworks = options.LocalNetworks,
        IsRelayOnly = options.IsRelayOnly,
    };

    private static MediaPlaneOptions MediaOf(SimulatedRecorderOptions options) => new()
    {
        SparePorts = options.SparePorts,
        Ice = options.Ice,
        IsRelayOnly = options.IsRelayOnly,
        Latch = options.Latch,
        Keepalive = options.Keepalive,
        AllowedNetworks = options.AllowedNetworks,
        LocalNetworks = options.LocalNetworks,
    };

    // What the server's threads pass to each other. A port that closes is served last: what was to leave by it has left.
    private void Exchange(Instant now)
    {
        bool any;
        do
        {
            any = false;
            for (; Signalling.TryTakeSnapshot(out var snapshot); any = true) Keep(snapshot);
            for (; Signalling.TryTakeNotice(out var notice); any = true) _notices.Add(notice);
            for (; Signalling.TryTakeCommand(out var command); any = true) Media.HandleCommand(now, command);
            for (; Media.TryTakeWrite(out var write); any = true) Keep(write);
            for (; Media.TryTakeEvent(out var happened); any = true) Signalling.HandleMedia(now, happened);
            for (; Media.TryTakeConnectionRequest(out var request); any = true) Refuse(now, request);
            if (any || Media.Outbox.Count > 0 || !Media.TryTakePortRequest(out var port)) continue;

            any = true;
            Serve(now, port);
        }
        while (any);
    }

    private void Keep(RecordingSnapshot snapshot)
    {
        _snapshots.Add(snapshot);
        if (_sessions.TryGetValue(snapshot.Id, out var known)) known.Snapshot = snapshot;
        else _sessions.Add(snapshot.Id, new(snapshot));
    }

    private void Keep(RecordingWrite write)
    {
        var file = _sessions[write.Session].FileFor(write.Stream, write.File);
        if (write.Buffer is not { } buffer)
        {
            file.Complete(write.FinalLength);
            return;
        }

        using (buffer) file.Write(buffer);
    }

    // TURN goes by UDP here.
    private void Refuse(Instant now, MediaConnectionRequest request)
    {
        if (request is MediaConnectionRequest.Connect connect) Media.HandleFlow(now, connect.Flow, new(FlowChangeKind.Refused, connect.Transport, default, connect.Server));
    }

    private void Serve(Instant now, MediaPortRequest request)
    {
        switch (request)
        {
            case MediaPortRequest.Bind(var local) when _ports.TryBind(_host, _mediaCore, local, out var flows):
                Media.HandlePortBound(now, flows);
                break;
            case MediaPortRequest.Bind(var local):
                Media.HandlePortRefused(now, local, "every port is taken");
                break;
            case MediaPortRequest.Close(var flows):
                _ports.Close(_host, flows);
                break;
        }
    }
}
