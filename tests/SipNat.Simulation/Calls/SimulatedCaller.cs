using SipNat.Endpoint;
using SipNat.Endpoint.Accounts;
using SipNat.Endpoint.Calls;
using SipNat.Endpoint.Media;
using SipNat.Simulation.Recorder;
using SipNat.Sip.Messages;
using SipNat.Wire;

namespace SipNat.Simulation.Calls;

/// <summary>A whole endpoint on a simulated host: its signalling core and its media plane, with what passes between them.</summary>
public sealed class SimulatedCaller
{
    private readonly MediaPlaneCore _mediaCore;
    private readonly SimulatedPorts _ports = new(10_000, 10_099);
    private readonly Dictionary<SessionId, CallSnapshot> _calls = [];
    private readonly List<CallSnapshot> _changes = [];
    private SimulatedHost _host = null!;

    private SimulatedCaller(SignallingOptions signalling, MediaPlaneOptions media, int seed)
    {
        Core = new(signalling, new() { LocalNetworks = media.LocalNetworks }, new Random(seed));
        Media = new(media, new Random(~seed));
        _mediaCore = new(Media);
    }

    public SignallingCore Core { get; }

    public MediaPlane Media { get; }

    public SimulatedHost Host => _host;

    /// <summary>Where each host name leads.</summary>
    public Dictionary<string, IReadOnlyList<SipTarget>> Names { get; } = [];

    /// <summary>Every state that was told, in order.</summary>
    public IReadOnlyList<CallSnapshot> Changes => _changes;

    /// <summary>Calls as they were told last, in the order of their begin.</summary>
    public IReadOnlyList<CallSnapshot> Calls => [.. _calls.Values.OrderBy(c => c.StartedAt.Ticks)];

    /// <summary>The one call that there is.</summary>
    public CallSnapshot Call => _calls.Values.Single();

    /// <summary>What is sent in every call.</summary>
    public AudioSource Source { get; set; } = new AudioSource.Tone([1000]);

    /// <summary>What the media plane told, in order.</summary>
    public List<MediaEvent> MediaEvents { get; } = [];

    /// <param name="address">An address without port.</param>
    public static SimulatedCaller AddTo(
        SimulatedNetwork network, string address, SimulatedNat? behind = null, SignallingOptions? signalling = null, MediaPlaneOptions? media = null, int seed = 1)
    {
        IReadOnlyList<NetworkPrefix> local = [NetworkPrefix.Parse("192.168.0.0/16")];
        var caller = new SimulatedCaller(signalling ?? new() { UsesIce = false }, (media ?? new() { Ice = IceMode.Off, SparePorts = 2 }) with { LocalNetworks = local }, seed);
        var host = caller._host = network.AddHost(address, caller.Core, behind);
        host.Attach(caller._mediaCore);
        host.Exchange = caller.Exchange;
        host.OpenUdp(5060);
        host.Run(_ => caller.Media.Prepare(host.Address));
        return caller;
    }

    /// <summary>Hands over the resolved STUN servers.</summary>
    public void SetStunServers(Instant now, params IReadOnlyList<TransportAddress> servers)
    {
        Media.SetStunServers(now, servers);
        Core.SetStunServers(now, servers);
    }

    /// <summary>Places a call.</summary>
    public SessionId Place(CallRequest request)
    {
        SessionId? id = null;
        _host.Run(now => id = Core.PlaceCall(now, request));
        return id!.Value;
    }

    /// <summary>Calls somebody by his URI.</summary>
    public SessionId Place(string target) => Place(new CallRequest { Target = SipUri.Parse(target) });

    public void HangUp() => _host.Run(now => Core.HangUpCall(now, Call.Id, "We hang up."));

    /// <summary>Its kernel tells what ICMP says of a packet that left by a media socket.</summary>
    /// <param name="local">The address of the socket.</param>
    public void HandleIcmp(TransportAddress local, IcmpError error, byte[] quoted) => _host.Run(now =>
    {
        foreach (var flow in Media.FlowsOf(Call.Id))
        {
            if (_host.LocalOf(flow) == local) Media.HandleIcmp(now, flow, error, quoted);
        }
    });

    // What the server's threads pass to each other. A port that closes is served last: what was to leave by it has left.
    private void Exchange(Instant now)
    {
        bool any;
        do
        {
            any = false;
            for (; Core.TryTakeLocate(out var request); any = true) Core.HandleLocated(now, request.Asker, Locate(request));
            for (; Core.TryTakeCall(out var call); any = true) Keep(call);
            for (; Core.TryTakeCommand(out var command); any = true) Handle(now, command);
            for (; Media.TryTakeEvent(out var happened); any = true)
            {
                MediaEvents.Add(happened);
                Core.HandleMedia(now, happened);
            }

            while (Core.TryTakeAccount(out _) || Core.TryTakeNotice(out _))
            {
            }

            if (any || Media.Outbox.Count > 0 || !Media.TryTakePortRequest(out var port)) continue;

            any = true;
            Serve(now, port);
        }
        while (any);
    }

    private IReadOnlyList<SipTarget> Locate(LocateRequest request) => request.Uri.TryGetAddress(out var address)
        ? [new(request.Uri.Transport == "tls" ? TransportProtocol.Tls : TransportProtocol.Udp, address, null)]
        : Names.GetValueOrDefault(request.Uri.Host, []);

    private void Handle(Instant now, MediaCommand command)
    {
        Media.HandleCommand(now, command);
        if (command is MediaCommand.Open) Media.HandleCommand(now, new MediaCommand.Play(command.Session, 0, Source));
    }

    private void Keep(CallSnapshot call)
    {
        _changes.Add(call);
        _calls[call.Id] = call;
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
