using SipNat.Endpoint.Calls;
using SipNat.Sip.Messages;
using SipNat.Sip.Transactions;
using SipNat.Wire;

namespace SipNat.Endpoint.Accounts;

/// <summary>
/// Keeps one account registered by one flow (RFC 3261 §10, RFC 5626): finds its registrar, registers, refreshes, keeps the
/// way open, notices when it is gone, and goes on to another server or tries again in time.
/// </summary>
internal sealed partial class Account
{
    private readonly SignallingContext _context;
    private readonly RegisterRequests _requests;
    private IReadOnlyList<SipTarget> _targets = [];
    private int _target;
    private FlowId? _flow;
    private TransactionId? _register;
    private Instant? _due;
    private Instant? _patience;
    private Instant? _refreshAt;
    private Instant _expiresAt;
    private int _failures;
    private int _redirects;
    private bool _wasReplaced;
    private bool _isSpread;
    private bool _isIdle;
    private IReadOnlyList<string> _routes = [];
    private bool _changed;

    /// <param name="startAt">When it begins: many accounts do not begin at one moment.</param>
    /// <param name="regId">Which flow of the account it is, from 1 on; only the first begins by itself.</param>
    /// <param name="flows">The account with all of them.</param>
    public Account(Instant startAt, SignallingContext context, AccountOptions options, int regId, AccountFlows flows)
    {
        (_context, Options, RegId, Flows) = (context, options, regId, flows);
        _requests = new(options, regId, context.Random);
        (_isIdle, _due) = regId == 1 ? (false, startAt) : (true, (Instant?)null);
        Snapshot = _isIdle
            ? new(options.Name, AccountState.Waiting, startAt, "waits for a registrar that tells flows apart (RFC 5626)")
            : new(options.Name, AccountState.Locating, startAt, "not registered yet");
    }

    public AccountOptions Options { get; }

    public int RegId { get; }

    public AccountFlows Flows { get; }

    /// <summary>Unlike any other: names have no control characters.</summary>
    public string Id => RegId == 1 ? Options.Name : $"{Options.Name}\u001f{RegId}";

    /// <summary>Whether it waits for <see cref="Begin"/>.</summary>
    public bool IsIdle => _isIdle;

    public AccountState State => Snapshot.State;

    public AccountSnapshot Snapshot { get; private set; }

    /// <summary>The next thing that is to be done.</summary>
    public Instant? Deadline => Instant.Earlier(Instant.Earlier(_due, _patience), Instant.Earlier(_refreshAt, _relocateAt));

    /// <summary>Transactions whose outcome it wants to hear of.</summary>
    public IEnumerable<TransactionId> Transactions
    {
        get
        {
            if (_register is { } register) yield return register;
            foreach (var probe in _probes) yield return probe;
        }
    }

    private SipTarget? Target => _target >= 0 && _target < _targets.Count ? _targets[_target] : null;

    private SipUri FirstHop => _requests.RedirectedTo ?? Options.OutboundProxy ?? Options.Registrar;

    /// <summary>By which flow, and from which address (port 0), the requests of its registrar come; null while it is not registered.</summary>
    public (FlowId Flow, TransportAddress Registrar)? ServedBy =>
        State is AccountState.Registered && _flow is { } flow && Target is { } target ? (flow, target.Address.WithPort(0)) : null;

    /// <summary>The server that it is registered with, or tries to be; null where it waits.</summary>
    public SipTarget? Holds => State is AccountState.Connecting or AccountState.Registering or AccountState.Registered ? Target : null;

    /// <summary>The connection that it waits for, or any UDP socket; null where it waits for none.</summary>
    public (TransportProtocol Transport, TransportAddress Remote)? Awaits =>
        State is AccountState.Connecting && Target is { } target ? (target.Transport, target.Transport.IsReliable ? target.Address : default) : null;

    /// <summary>The way that its calls take; null while it is not registered.</summary>
    public AccountRoute? Route =>
        State is AccountState.Registered && _flow is { } flow && Target is { } target ? new(flow, target.Address, Snapshot.Contact) { Routes = _routes, Seen = Snapshot.Received } : null;

    public bool TakeChanged()
    {
        (var changed, _changed) = (_changed, false);
        return changed;
    }

    /// <summary>Begins a flow that is not the first.</summary>
    public void Begin(Instant now)
    {
        _isIdle = false;
        Locate(now, "asks where another server is");
    }

    /// <summary>Where the registrar is; none where the DNS does not know it.</summary>
    /// <param name="lifetime">How long that holds; null where nothing had to be asked.</param>
    public void HandleLocated(Instant now, IReadOnlyList<SipTarget> targets, TimeSpan? lifetime)
    {
        KeepFor(now, lifetime);
        if (State is not AccountState.Locating) HandleRelocated(now, targets);
        else if (targets.Count > 0) Try(now, targets);
        else if (KnowsTargets) Try(now, _targets);
        else Fail(now, 0, $"The DNS does not know {FirstHop.Host}");
    }

    /// <param name="startAt">When it begins anew where it has to: many accounts do not begin at one moment.</param>
    public void HandleFlow(Instant now, FlowId flow, FlowChange change, Func<Instant> startAt)
    {
        switch (change.Kind)
        {
            case FlowChangeKind.Opened when State is AccountState.Connecting && FindFlow() is { } open:
                Register(now, open);
                break;
            case FlowChangeKind.Refused when State is AccountState.Connecting && Target is { } target && change.IsAbout(target.Transport, target.Address, target.TlsName):
                TryNext(now, 0, $"{target.Address} takes no connection{(change.Reason is { } reason ? $": {reason}" : "")}");
                break;
            case FlowChangeKind.Closed when _flow == flow && State is AccountState.Registered:
                Recover(now, "The connection to the registrar ended", startAt());
                break;
        }
    }

    public void HandleResponse(Instant now, TransactionEvent.Response response)
    {
        if (response.Message.StatusCode < 200) return;

        if (response.Transaction == _register) HandleRegistered(now, response);
        else if (_probes.Contains(response.Transaction)) HandleProbed(now);
    }

    /// <summary>No final response came: nobody answered, or the flow failed.</summary>
    public void HandleNoResponse(Instant now, TransactionId transaction)
    {
        if (transaction == _register)
        {
            _register = null;
            TryNext(now, 0, $"{Target?.Address} does not answer");
        }
        else
        {
            HandleProbeLost(now, transaction);
        }
    }

    public void HandleTimeout(Instant now)
    {
        if (_patience <= now) LosePatience(now);
        if (_refreshAt <= now) Refresh(now, "The lease is to be renewed");
        if (_relocateAt <= now) Relocate(now);
        if (!(_due <= now)) return;

        _due = null;
        if (State is AccountState.Waiting || (State is AccountState.Locating && !KnowsTargets)) Locate(now, "asks where its registrar is");
        else if (State is AccountState.Locating) Try(now, _targets);
    }

    /// <summary>The network is another one, or was away: how we are seen is found out anew.</summary>
    /// <param name="startAt">When it begins: many accounts do not begin at one moment.</param>
    public void HandleNetworkChange(Instant now, Instant startAt)
    {
        if (_isIdle || State is AccountState.Refused or AccountState.Unregistered or AccountState.Unregistering) return;

        (_wasReplaced, _asymmetric, _requests.LearnedContact, _failures) = (false, 0, null, 0);
        // After a suspend nobody here knows how long a server has been left alone; one that is still busy says so again.
        _notBefore.Clear();
        Forget();
        Tell(now, AccountState.Waiting, "The network has changed");
        _due = startAt;
    }

    /// <summary>The registrar no longer answers what keeps the way to it open.</summary>
    /// <param name="startAt">When it begins anew.</param>
    public void HandleKeepaliveLost(Instant now, Instant startAt)
    {
        // The others are tried before it.
        if (Target is { } target) _context.Accounts.Failed.Add(now, target.Server);
        Recover(now, $"{Target?.Address} no longer answers", startAt);
    }

    /// <summary>The registrar sees us elsewhere than at the registration: another one has to name that place.</summary>
    /// <param name="startAt">When that is done.</param>
    public void HandleMoved(Instant startAt)
    {
        // Seen elsewhere with each answer: there is a time for the next try already.
        if (_asymmetric > 0) return;

        (_wasReplaced, _isSpread, _requests.LearnedContact) = (false, false, null);
        _refreshAt = Instant.Earlier(_refreshAt, startAt);
    }

    /// <summary>Another address is ours to be reached at: the binding follows.</summary>
    public void HandleAddressChange(Instant now)
    {
        if (State is not AccountState.Registered || _flow is not { } flow || Target is not { } target) return;
        if (_requests.LearnedContact is null && Advertise(flow, target) != Snapshot.Contact) Refresh(now, "Our address has changed");
    }

    /// <summary>Removes the binding; afterwards the account is <see cref="AccountState.Unregistered"/>.</summary>
    public void Unregister(Instant now)
    {
        if (State is AccountState.Unregistered or AccountState.Unregistering) return;

        Remove(now, "removes its binding");
    }

    private void Remove(Instant now, string text)
    {
        var wasRegistered = State is AccountState.Registered || now < _expiresAt;
        Forget();
        _isIdle = false;
        if (wasRegistered && _flow is { } flow && Target is { } target && _context.Flows.TryGet(flow, out _))
        {
            Send(now, flow, target, TimeSpan.Zero);
            Tell(now, AccountState.Unregistering, text);
            _patience = now + RegistrationPace.TargetPatience;
        }
        else
        {
            Tell(now, AccountState.Unregistered, "is not registered");
        }
    }

    private void Register(Instant now, FlowId flow)
    {
        _flow = flow;
        if (State is not AccountState.Registered) Tell(now, AccountState.Registering, $"registers at {Target!.Address}");
        Send(now, flow, Target!, Options.Expires);
        // Another server is tried sooner than a transaction ends; where there is one alone it has all the time.
        _patience = _targets.Count > 1 ? now + RegistrationPace.TargetPatience : null;
    }

    private void Send(Instant now, FlowId flow, SipTarget target, TimeSpan expires)
    {
        var contact = _requests.LearnedContact ?? Advertise(flow, target);
        AbandonRegister();
        _register = _context.Transactions.Request(now, flow, target.Address, _requests.Create(contact, target.Transport, expires));
        Snapshot = Snapshot with
        {
            Registrar = target.Address,
            Transport = target.Transport,
            Contact = contact,
            Why = _requests.LearnedContact is null ? Snapshot.Why : "The registrar saw us there.",
            Attempts = Snapshot.Attempts + 1,
        };
    }

    private TransportAddress Advertise(FlowId flow, SipTarget target)
    {
        if (!_context.Flows.TryAdvertise(flow, target.Address, out var advertised)) return default;

        // Those who call come back by the connection that we opened, whatever its port.
        _context.Transactions.SetAdvertised(flow, advertised.Address);
        Snapshot = Snapshot with { Why = advertised.Explain() };
        return advertised.Address;
    }

    private void Refresh(Instant now, string why)
    {
        _refreshAt = null;
        if (_register is not null || _flow is not { } flow) return;

        Snapshot = Snapshot with { Attempts = 0, IsSettled = false };
        if (!_context.Flows.TryGet(flow, out _))
        {
            Recover(now, why, now);
        }
        else if (Target is { } target && IsResting(now, target) && HasAnother(now))
        {
            Forget();
            Locate(now, $"{target.Address} is busy");
        }
        else
        {
            Register(now, flow);
        }
    }

    // There is one at a time (RFC 3261 §10.2): a copy that arrives after the next one names an address that was ours before,
    // and registrars that do not compare CSeq believe it.
    private void AbandonRegister()
    {
        if (_register is { } pending) _context.Transactions.Abandon(pending);
        _register = null;
    }

    private void Forget()
    {
        AbandonRegister();
        (_due, _patience, _refreshAt) = (null, null, null);
        _probes.Clear();
        _isSpread = false;
        _context.Accounts.Registrars.Leave(this);
    }

    private void Tell(Instant now, AccountState state, string text)
    {
        _changed |= state != Snapshot.State || text != Snapshot.Text;
        Snapshot = Snapshot with { State = state, At = now, Text = text };
    }
}
