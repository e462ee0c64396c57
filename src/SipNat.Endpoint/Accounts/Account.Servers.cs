using SipNat.Sip.Messages;
using SipNat.Sip.Transactions;
using SipNat.Wire;

namespace SipNat.Endpoint.Accounts;

/// <summary>Which server an account is registered with: found by the DNS, tried one after the other, and asked in outages whether they are back.</summary>
internal sealed partial class Account
{
    // More servers are asked one after the other, when they are registered with.
    private const int MaxProbes = 4;

    // Servers that are not to be tried before some moment.
    private readonly Dictionary<TransportAddress, Instant> _notBefore = [];
    private readonly List<SipTarget> _silent = [];
    private readonly List<TransactionId> _probes = [];
    private SipUri? _located;
    private Instant? _relocateAt;
    private bool _wasUnlisted;

    private FlowId? FindFlow() => Target is not { } target ? null
        : target.Transport.IsReliable ? _context.Flows.FindConnection(target.Transport, target.Address, target.TlsName)
        : _context.Flows.FindUdp(target.Local, target.Address);

    private void Locate(Instant now, string text)
    {
        Tell(now, AccountState.Locating, text);
        // What the DNS said before serves where it is silent now (RFC 8767).
        _due = now + (KnowsTargets ? RegistrationPace.StalePatience : RegistrationPace.LocatePatience);
        _context.Locates.Enqueue(new(Id, FirstHop, Options.Transport));
    }

    private bool KnowsTargets => _targets.Count > 0 && _located == FirstHop;

    private void Try(Instant now, IReadOnlyList<SipTarget> targets)
    {
        _due = null;
        _silent.Clear();
        (_targets, _target, _located) = (_context.Accounts.Failed.Order(now, targets, static target => target.Server), -1, FirstHop);
        ConnectNext(now, 0, targets.Any(target => Flows.IsTaken(this, target)) ? $"No further server of {FirstHop.Host} is to be asked yet" : $"No server of {FirstHop.Host} is to be asked yet");
    }

    private void KeepFor(Instant now, TimeSpan? lifetime)
    {
        if (lifetime is not { } span)
        {
            _relocateAt = null;
            return;
        }

        var kept = span < RegistrationPace.ShortestLocation ? RegistrationPace.ShortestLocation : span > RegistrationPace.LongestLocation ? RegistrationPace.LongestLocation : span;
        // Later by up to a tenth, as many accounts have the same records.
        _relocateAt = now + (kept * (1 + (0.1 * _context.Random.NextDouble())));
    }

    // What the DNS said has run out: it is asked again, and nothing changes until it answers.
    private void Relocate(Instant now)
    {
        KeepFor(now, RegistrationPace.ShortestLocation);
        if (State is AccountState.Registered or AccountState.Waiting) _context.Locates.Enqueue(new(Id, FirstHop, Options.Transport));
    }

    private void HandleRelocated(Instant now, IReadOnlyList<SipTarget> targets)
    {
        if (targets.Count == 0 || _located != FirstHop) return;

        if (State is AccountState.Waiting)
        {
            // A server that was not known may do where the others did not.
            if (targets.Any(target => !_targets.Any(known => known.Server == target.Server))) Try(now, targets);
            return;
        }

        if (State is not AccountState.Registered || Target is not { } current) return;

        var listed = targets.ToList().FindIndex(target => target.Server == current.Server);
        if (listed >= 0)
        {
            (_targets, _target, _wasUnlisted) = (targets, listed, false);
            return;
        }

        // One answer may have been less than the whole.
        if (!_wasUnlisted)
        {
            _wasUnlisted = true;
            KeepFor(now, RegistrationPace.ShortestLocation);
            return;
        }

        _wasUnlisted = false;
        Forget();
        Try(now, targets);
    }

    // The next server of the list that may be asked, or a wait (RFC 3263 §4.3, RFC 5626 §4.5).
    private void ConnectNext(Instant now, int status, string why)
    {
        do _target++;
        while (Target is { } target && (IsResting(now, target) || Flows.IsTaken(this, target)));
        if (Target is not null) Connect(now);
        else Fail(now, status, why);
    }

    private void Connect(Instant now)
    {
        var target = Target!;
        if (FindFlow() is { } open)
        {
            Register(now, open);
            return;
        }

        Tell(now, AccountState.Connecting, $"connects to {target.Address}");
        _patience = now + RegistrationPace.TargetPatience;
        if (target.Transport.IsReliable) _context.FlowRequests.Enqueue(new(FlowRequestKind.Connect, default, target.Transport, target.Address) { TlsName = target.TlsName });
    }

    private void LosePatience(Instant now)
    {
        _patience = null;
        if (State is AccountState.Unregistering)
        {
            AbandonRegister();
            Tell(now, AccountState.Unregistered, "The registrar did not answer; the binding ends by itself");
            return;
        }

        if (_register is not null || State is AccountState.Connecting) TryNext(now, 0, $"{Target?.Address} does not answer");
    }

    // RFC 3263 §4.3: a server that does not answer, takes no connection, or is in trouble is followed by the next one.
    private void TryNext(Instant now, int status, string why, TimeSpan? wait = null)
    {
        AbandonRegister();
        _patience = null;
        if (State is AccountState.Unregistering)
        {
            Tell(now, AccountState.Unregistered, why);
            return;
        }

        var isRefresh = State is AccountState.Registered;
        if (Target is { } failed)
        {
            if (status is 0 or >= 500) _context.Accounts.Failed.Add(now, failed.Server, wait);
            if (status == 0) _silent.Add(failed);
            else Rest(now, failed, wait);
        }

        if (!isRefresh)
        {
            ConnectNext(now, status, why);
            return;
        }

        // The list is as old as the registration: the DNS may know better by now.
        Forget();
        Locate(now, why);
    }

    private bool IsResting(Instant now, SipTarget target) => _notBefore.TryGetValue(target.Address, out var until) && until > now;

    private bool HasAnother(Instant now) => _targets.Any(target => target != Target && !IsResting(now, target) && !Flows.IsTaken(this, target));

    private void Rest(Instant now, SipTarget target, TimeSpan? wait) =>
        _notBefore[target.Address] = now + (wait is { } asked ? RegistrationPace.Retry(asked, _context.Random) : RegistrationPace.BackOff(_failures + 1, Flows.IsRegistered, _context.Random));

    private void Fail(Instant now, int status, string why)
    {
        Forget();
        (_failures, _requests.RedirectedTo) = (_failures + 1, null);
        var next = Earliest(now);
        Tell(now, AccountState.Waiting, $"{why}; tried again in {(next - now).TotalSeconds:F0} s");
        Snapshot = Snapshot with { Status = status, Lease = now < _expiresAt ? Snapshot.Lease : null };
        _due = next;
        // Who did not answer at all may be back with the network, long before its turn: that is noticed by a question that repeats itself.
        if (_silent.Count > 0) Probe(now);
    }

    // When the first server may be asked that has said anything; where none has, as after any failure.
    private Instant Earliest(Instant now)
    {
        Instant? earliest = null;
        foreach (var target in _targets)
        {
            if (IsResting(now, target)) earliest = Instant.Earlier(earliest, _notBefore[target.Address]);
        }

        return earliest ?? now + RegistrationPace.BackOff(_failures, Flows.IsRegistered, _context.Random);
    }

    // A request of which anybody's answer, whatever it says, means that the way is open again.
    private void Probe(Instant now)
    {
        Ask(now, _silent);
        // A connection is its own question.
        if (_probes.Count == 0) _due = Instant.Earlier(_due, now + RegistrationPace.ProbeInterval);
    }

    private void Ask(Instant now, IEnumerable<SipTarget> targets)
    {
        foreach (var target in targets.Take(MaxProbes))
        {
            if (!target.Transport.IsReliable && _context.Flows.FindUdp(target.Local, target.Address) is { } flow) _probes.Add(_context.Transactions.Request(now, flow, target.Address, _requests.CreateOptions()));
        }
    }

    private void HandleProbed(Instant now)
    {
        _probes.Clear();
        var isBusy = State is AccountState.Registered && Target is { } target && IsResting(now, target);
        if (State is not AccountState.Waiting && !isBusy) return;

        Forget();
        Locate(now, isBusy ? "The registrar is busy, and another one answers" : "The registrar answers again");
    }

    private void HandleProbeLost(Instant now, TransactionId probe)
    {
        _probes.Remove(probe);
        if (_probes.Count == 0 && State is AccountState.Waiting) _due = Instant.Earlier(_due, now + RegistrationPace.ProbeInterval);
    }

    // The flow is dead: another one is made, to where the DNS says by then.
    private void Recover(Instant now, string why, Instant startAt)
    {
        (_wasReplaced, _asymmetric) = (false, 0);
        Forget();
        if (Target is { Transport.IsReliable: true } && _flow is { } flow && _context.Flows.TryGet(flow, out _)) _context.FlowRequests.Enqueue(new(FlowRequestKind.Close, flow, default, default));
        _flow = null;
        if (startAt <= now)
        {
            Locate(now, why);
            return;
        }

        Tell(now, AccountState.Waiting, why);
        _due = startAt;
    }
}
