using SipNat.Endpoint;
using SipNat.Endpoint.Calls;
using SipNat.Endpoint.Media;
using SipNat.Endpoint.Siprec;
using SipNat.Fuzz.Engine;
using SipNat.Media.Streams;
using SipNat.Wire;

namespace SipNat.Fuzz.Dialogs;

/// <summary>
/// Signalling and media as one process composes them, with time, ports and connections in the hand of a script. Whatever
/// the cores want is passed on after every input, unless the script holds it back.
/// </summary>
internal sealed class DialogScene
{
    public const int MaxSessions = 6;
    public const int MaxCalls = 4;

    // Seconds: more than any timer of a transaction or a session waits for a peer that is gone.
    private const int MaxRounds = 1_000;
    private const int MaxSentAtOnce = 512;
    private const int FirstMediaFlow = 1000;

    public static readonly FlowId Udp = new(1);
    public static readonly TransportAddress Local = TransportAddress.Parse("192.0.2.1:5060");
    public static readonly NetworkPrefix Allowed = NetworkPrefix.Parse("192.0.2.0/24");

    private readonly Queue<MediaPortRequest.Bind> _unbound = new();
    private readonly Queue<MediaEvent> _untold = new();
    private readonly Dictionary<SessionId, bool> _isComplete = [];
    private readonly Queue<(FlowId Flow, TransportAddress To, byte[] Bytes)> _sent = new();
    private int _bound;
    private int _seen;
    private bool _isOver;

    /// <param name="calls">What is taken of INVITEs that want no recording session; null refuses them.</param>
    public DialogScene(ref Script script, CallTerms? calls = null)
    {
        var random = new Random(script.NextByte());
        Core = new(
            new() { AllowedNetworks = [Allowed], MaxSessions = MaxSessions, MaxCalls = MaxCalls, SilenceTimeout = TimeSpan.FromSeconds(60) },
            new() { LocalNetworks = script.NextBool() ? [Allowed] : [] },
            random);
        Plane = new(new() { SparePorts = script.Next(3), Latch = (LatchPolicy)script.Next(4), AllowedNetworks = [Allowed], LocalNetworks = [] }, random);
        Core.DirectCalls = calls;
        Core.HandleFlow(Now, Udp, new(FlowChangeKind.Opened, TransportProtocol.Udp, Local, default));
        if (script.NextBool()) SetStunServers([Stranger.StunServer]);
        Drain();
    }

    public SignallingCore Core { get; }

    public MediaPlane Plane { get; }

    public Instant Now { get; private set; } = new(TimeSpan.TicksPerDay);

    public RecordingClient? Client { get; set; }

    public Stranger? Stranger { get; set; }

    public CallOwner? Owner { get; set; }

    /// <summary>Pairs that are bound, in the order of their binding.</summary>
    public List<MediaPortFlows> Ports { get; } = [];

    /// <summary>Sessions that were told of and are not complete, the client's not among them.</summary>
    public List<SessionId> Others { get; } = [];

    /// <summary>Connections that signalling has asked for and nobody has answered.</summary>
    public Queue<FlowRequest> Connections { get; } = new();

    public PortService Service { get; set; }

    /// <summary>What the media plane tells is kept until this ends.</summary>
    public bool HoldsEvents { get; set; }

    /// <summary>What has been seen, and how far it went.</summary>
    public int Outcome => HashCode.Combine(
        _seen, Math.Min(Core.Counters.Begun, 8), Math.Min(Core.TransactionCounters.Rejected, 2), Math.Min(Core.TransactionCounters.LateAnswers, 2), Math.Min(_bound, 16), Core.Counters.Overloaded > 0, Plane.Unowned > 0);

    public void Note(int seen) => _seen |= 1 << (seen & 31);

    public void SetStunServers(IReadOnlyList<TransportAddress> servers)
    {
        Core.SetStunServers(Now, servers);
        Plane.SetStunServers(Now, servers);
    }

    /// <summary>A SIP message or a datagram on a SIP flow.</summary>
    public void Signal(FlowId flow, TransportAddress from, ReadOnlySpan<byte> message)
    {
        Core.HandleDatagram(Now, flow, from, message);
        Drain();
    }

    public void Media(FlowId flow, TransportAddress from, ReadOnlySpan<byte> datagram)
    {
        Plane.HandleDatagram(Now, Now, flow, from, datagram);
        Drain();
    }

    /// <summary>Lets time pass; whatever falls due on the way is done in its time.</summary>
    public void Pass(TimeSpan time)
    {
        var end = Now + time;
        while (Now < end)
        {
            var next = Instant.Earlier(Instant.Earlier(end, Client?.NextFrameAt), Instant.Earlier(Core.Deadline, Plane.Deadline))!.Value;
            JumpTo(next);
        }
    }

    /// <summary>The clock is where it was not a moment ago, as after a suspend.</summary>
    public void JumpTo(Instant to)
    {
        if (to > Now) Now = to;
        Client?.SendDue();
        Core.HandleTimeout(Now);
        Invariant.Holds(Core.Deadline is null || Core.Deadline > Now, "Nothing of signalling is due after a timeout.");
        Plane.HandleTimeout(Now);
        Invariant.Holds(Plane.Deadline is null || Plane.Deadline > Now, "Nothing of media is due after a timeout.");
        Drain();
    }

    /// <summary>Everything ends: sessions by BYE that nobody answers, ports as they are asked for.</summary>
    public void End()
    {
        (_isOver, Service, HoldsEvents) = (true, PortService.Bind, false);
        Serve();
        Core.EndAll(Now, "The end.");
        Core.HangUpAll(Now, "The end.");
        Drain();
        for (var round = 0; Core.Sessions > 0 || Core.Calls > 0 || Plane.Sessions > 0 || Core.Transactions > 0; round++)
        {
            Invariant.Holds(round < MaxRounds, "Every session, every call and every transaction ends.", $"{Core.Sessions} and {Plane.Sessions} sessions, {Core.Calls} calls, {Core.Transactions} transactions are left.");
            Pass(TimeSpan.FromSeconds(1));
        }

        Drain();
        Invariant.Holds(Core.Outbox.Rented == 0 && Plane.Outbox.Rented == 0, "Everything rented was given back.");
        Invariant.Holds(_isComplete.Values.All(complete => complete), "The last word on a session is that it is complete.");
        Invariant.Holds(Core.Counters.Ended == Core.Counters.Begun, "As many sessions end as began.", $"{Core.Counters.Begun} began, {Core.Counters.Ended} ended.");
    }

    /// <summary>Answers what waits for a port or a connection, and tells what was held back.</summary>
    public void Serve()
    {
        while (_unbound.TryDequeue(out var request)) Bind(request);
        while (Connections.TryDequeue(out var wanted)) Core.HandleFlow(Now, new(0), new(FlowChangeKind.Refused, wanted.Transport, default, wanted.Remote) { TlsName = wanted.TlsName });
        while (_untold.TryDequeue(out var happened)) Core.HandleMedia(Now, happened);
        Drain();
    }

    private void Drain()
    {
        for (var worked = true; worked;)
        {
            worked = DrainCommands() | DrainPorts() | DrainEvents();
            DrainWrites();
            Collect(Core.Outbox);
            Collect(Plane.Outbox);
            while (_sent.TryDequeue(out var sent))
            {
                worked = true;
                if (Client is null || !Client.TryReceive(sent.To, sent.Bytes)) Stranger?.Receive(sent.Flow, sent.To, sent.Bytes);
            }
        }

        Invariant.Holds(Core.Sessions <= MaxSessions && Core.Calls <= MaxCalls, "Sessions and calls keep their caps.");
    }

    private bool DrainCommands()
    {
        var worked = false;
        while (Core.TryTakeSnapshot(out var snapshot))
        {
            Invariant.Holds(!_isComplete.GetValueOrDefault(snapshot.Id), "Nothing follows the word that a session is complete.");
            if (!_isComplete.ContainsKey(snapshot.Id) && !RecordingClient.Owns(snapshot)) Others.Add(snapshot.Id);
            _isComplete[snapshot.Id] = snapshot.State is RecordingState.Complete;
            if (_isComplete[snapshot.Id]) Others.Remove(snapshot.Id);
            Client?.Know(snapshot);
        }

        while (Core.TryTakeCall(out var call))
        {
            worked = true;
            Owner?.Know(call);
        }

        while (Core.TryTakeLocate(out var wanted))
        {
            worked = true;
            Core.HandleLocated(Now, wanted.Asker, wanted.Uri.TryGetAddress(out var address) ? [new(TransportProtocol.Udp, address, null)] : []);
        }

        while (Core.TryTakeNotice(out var notice)) Note(notice.GetType().Name.Length);
        while (Core.TryTakeRequest(out var request))
        {
            worked = true;
            if (request.Kind is FlowRequestKind.Connect) Connections.Enqueue(request);
            if (_isOver) Serve();
        }

        while (Core.TryTakeCommand(out var command))
        {
            worked = true;
            Plane.HandleCommand(Now, command);
        }

        return worked;
    }

    private bool DrainPorts()
    {
        var worked = false;
        while (Plane.TryTakePortRequest(out var request))
        {
            worked = true;
            if (request is MediaPortRequest.Close(var flows)) Ports.Remove(flows);
            else if (request is MediaPortRequest.Bind bind && Service is not PortService.Wait) Bind(bind);
            else if (request is MediaPortRequest.Bind late) _unbound.Enqueue(late);
        }

        return worked;
    }

    private void Bind(MediaPortRequest.Bind request)
    {
        if (Service is PortService.Refuse)
        {
            Plane.HandlePortRefused(Now, request.Local, "none is left");
            return;
        }

        var pair = _bound++;
        var port = 10_000 + (2 * (pair % 20_000));
        var flows = new MediaPortFlows(new(FirstMediaFlow + (2 * pair)), request.Local.WithPort(port), new(FirstMediaFlow + (2 * pair) + 1), request.Local.WithPort(port + 1));
        Ports.Add(flows);
        Plane.HandlePortBound(Now, flows);
    }

    private bool DrainEvents()
    {
        var worked = false;
        while (Plane.TryTakeEvent(out var happened))
        {
            worked = true;
            if (HoldsEvents) _untold.Enqueue(happened);
            else Core.HandleMedia(Now, happened);
        }

        return worked;
    }

    private void DrainWrites()
    {
        while (Plane.TryTakeWrite(out var write))
        {
            Client?.Take(write);
            write.Buffer?.Dispose();
        }
    }

    private void Collect(Outbox outbox)
    {
        Invariant.Holds(outbox.Count <= MaxSentAtOnce, "What one input sends is bounded.");
        while (outbox.TryTake(out var transmit))
        {
            var to = transmit.Destination;
            Invariant.Holds(!to.IsNone && to.Port != 0, "What is sent has a destination.", to.ToString());
            Invariant.Holds(!to.IsMulticastOrBroadcast && !to.IsUnspecified, "Nothing is sent to a group or to nowhere.", to.ToString());
            _sent.Enqueue((transmit.Flow, to, transmit.Payload.ToArray()));
            outbox.Release(transmit);
        }
    }
}

/// <summary>What becomes of a request for a pair of ports.</summary>
internal enum PortService
{
    Bind,
    Wait,
    Refuse,
}
