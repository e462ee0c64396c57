using SipNat.Traversal.Stun;
using SipNat.Wire;

namespace SipNat.Traversal.Ice;

/// <summary>The checks that this side sends, their answers, and what is chosen from them (RFC 8445 §7.2, §8).</summary>
public sealed partial class IceAgent
{
    private void Wake(Instant now)
    {
        if (_nextCheck is not null || _options.IsLite || State is not (IceState.Checking or IceState.Connected)) return;

        _nextCheck = _lastCheck is { } last && last + _options.Pace > now ? last + _options.Pace : now;
    }

    // One new check in each Ta (RFC 8445 §6.1.4.2).
    private void Check(Instant now, Instant due)
    {
        _nextCheck = null;
        if (_checks.TakeNext(_budget, now, out var isHeldBack) is { } pair)
        {
            Send(now, pair);
            _lastCheck = now;
        }
        else if (!isHeldBack)
        {
            return;
        }

        _nextCheck = due + _options.Pace > now ? due + _options.Pace : now + _options.Pace;
    }

    private void Send(Instant now, CandidatePair pair)
    {
        var role = new CheckRole(Role, _tieBreaker, pair.Local.PeerReflexivePriority, pair.IsNominating);
        var request = new byte[CheckMessage.RequestLength(_generation, role.IsNominating)];
        var id = StunTransactionId.Create(_random);
        CheckMessage.WriteRequest(request, id, _generation, role);
        var paced = _options.Pace * _checks.CountOpen();
        var schedule = pair.IsNominating || pair.IsCheckedByPeer || pair.IsUrgent ? _options.Answered : _options.Check;
        if (paced > schedule.InitialRto) schedule = schedule with { InitialRto = paced };
        pair.Begin(now, new(now, id, pair.Local.Flow, pair.Remote.Address, request, schedule), role);
        pair.Transaction!.HandleTimeout(now, Outbox);
    }

    private void Repeat(Instant now)
    {
        foreach (var pair in _checks.Pairs)
        {
            if (pair.Transaction is not { } transaction) continue;

            transaction.HandleTimeout(now, Outbox);
            if (transaction.State is StunTransactionState.TimedOut) Fail(now, pair);
        }
    }

    private void Fail(Instant now, CandidatePair pair)
    {
        pair.Cancel();
        (pair.State, pair.IsNominating) = (CandidatePairState.Failed, false);
        Wake(now);
    }

    private bool TryHandleResponse(Instant now, LocalBase local, TransportAddress from, StunMessage message)
    {
        var id = message.TransactionId;
        foreach (var path in _paths)
        {
            if (path is null || !path.IsAwaiting(id)) continue;

            if (IsAnswer(message, local == path.Base && from == path.Remote, path.Generation) && message.Class is StunClass.Success) path.HandleResponse(now);
            return true;
        }

        if (_checks.FindAwaiting(id) is not { } pair) return false;

        // RFC 8445 §7.2.5.2.1 would fail the pair; to leave it waiting comes to the same and gives a forger nothing.
        if (IsAnswer(message, local == pair.Local && from == pair.Remote.Address, _generation)) HandleAnswer(now, pair, message);
        return true;
    }

    private bool IsAnswer(StunMessage message, bool isFromWhereItWent, IceGeneration generation)
    {
        if (!isFromWhereItWent) Counters.ForeignResponses++;
        else if (!CheckMessage.IsGenuine(message, generation.RemoteKey)) Counters.BadIntegrity++;
        else return true;

        return false;
    }

    private void HandleAnswer(Instant now, CandidatePair pair, StunMessage message)
    {
        var role = pair.End(message.TransactionId);
        if (message.Class is StunClass.Error && CheckMessage.IsRoleConflict(message))
        {
            if (role.Role == Role) SwitchRole(now);
            pair.State = CandidatePairState.Waiting;
            _checks.Trigger(pair);
            Wake(now);
            return;
        }

        if (message.Class is StunClass.Error
            || message.HasUnknownRequiredAttribute(out _)
            || !message.TryGetAddress(StunAttributeType.XorMappedAddress, out var mapped))
        {
            Fail(now, pair);
            return;
        }

        Succeed(now, pair, mapped, role);
    }

    private void Succeed(Instant now, CandidatePair pair, TransportAddress mapped, CheckRole role)
    {
        _budget.Prove(pair.Remote.Address);
        pair.Cancel();
        pair.Seen = _local.Find(pair.Component, mapped)
            ?? new("peer", pair.Component, role.Priority, mapped, CandidateType.PeerReflexive, pair.Local.Candidate.Address);
        _checks.HandleSuccess(pair);
        if (_validSince[pair.Component - 1] is null) (_validSince[pair.Component - 1], _roundTrips[pair.Component - 1]) = (now, now - pair.BegunAt);
        if (_checks.BestValid(pair.Component, Role) is { IsRelayed: true }) _checks.Hurry(pair.Component);
        if (PathBy(pair) is { } known) known.Renew(now);

        var isNominated = Role is IceRole.Controlling ? role.IsNominating && role.Role == Role : pair.IsNominatedByPeer;
        if (isNominated) Select(now, pair);
        else Offer(now, pair);
        if (State is IceState.Checking) Nominate(now);
        // The peer answers elsewhere, and on the path in use it has not answered since that was asked: does it still?
        else if (_paths[pair.Component - 1] is { } path && path.Remote != pair.Remote.Address && path.AnsweredAt < pair.BegunAt) path.Doubt(now);
        Wake(now);
    }

    // A valid pair may carry media before any is nominated (RFC 8445 §12.1).
    private void Offer(Instant now, CandidatePair pair)
    {
        var path = _paths[pair.Component - 1];
        var isBetter = path is null || !path.HasConsent || (path.Generation == _generation && !path.IsNominated && PriorityOf(path) < pair.ValidPriority(Role));
        if (isBetter) Use(now, pair, isNominated: false);
    }

    private void Select(Instant now, CandidatePair pair)
    {
        var path = _paths[pair.Component - 1];
        if (path is { HasConsent: true, IsNominated: true } && path.Generation == _generation && PriorityOf(path) >= pair.ValidPriority(Role)) return;

        if (PathBy(pair) is { } known) known.IsNominated = true;
        else Use(now, pair, isNominated: true);
        _checks.HandleNomination(pair.Component);
        Settle(now);
        // Pairs of the other component may have waited for the foundations that are free from here on.
        Wake(now);
    }

    // The path of this generation that a pair is.
    private IcePath? PathBy(CandidatePair pair) =>
        _paths[pair.Component - 1] is { HasConsent: true } path && path.Generation == _generation && path.Base == pair.Local && path.Remote == pair.Remote.Address ? path : null;

    private void Use(Instant now, CandidatePair pair, bool isNominated)
    {
        var path = new IcePath(now, pair.Local, pair.Seen!, pair.Remote, _generation, _options, _random) { IsNominated = isNominated };
        _paths[pair.Component - 1] = path;
        _events.Enqueue(new IceEvent.PathChanged(pair.Component, path, now));
    }

    private void Settle(Instant now)
    {
        if (State is not IceState.Checking) return;
        for (var component = 1; component <= Components; component++)
        {
            if (!IsSettled(component)) return;
        }

        _checks.Stop();
        _giveUp = null;
        State = IceState.Connected;
        _events.Enqueue(new IceEvent.Connected(now));
    }

    private bool IsSettled(int component) =>
        _paths[component - 1] is { IsNominated: true, HasConsent: true } path && path.Generation == _generation;

    private bool HasEveryPath()
    {
        for (var component = 1; component <= Components; component++)
        {
            // After a restart the path of before stays in use until another one is nominated.
            var isOfThisGeneration = _paths[component - 1] is { HasConsent: true } path && path.Generation == _generation;
            if (!isOfThisGeneration && _checks.BestValid(component, Role) is null) return false;
        }

        return true;
    }

    private ulong PriorityOf(IcePath path) => CandidatePair.PriorityOf(Role, path.Local.Priority, path.Peer.Priority);

    // Regular nomination: the best valid pair, once no better one may still succeed (RFC 8445 §8.1.1).
    private void Nominate(Instant now)
    {
        for (var component = 1; component <= Components; component++)
        {
            if (NominationDue(component) is not { } due || due > now || _checks.BestValid(component, Role) is not { } best) continue;

            best.IsNominating = true;
            _checks.Trigger(best);
            Wake(now);
        }
    }

    private Instant? NominationDue(int component)
    {
        if (Role is not IceRole.Controlling || _validSince[component - 1] is not { } since || IsSettled(component)) return null;
        if (_checks.BestValid(component, Role) is not { } best || _checks.IsNominating(component)) return null;
        if (!_checks.HasBetterOpen(best, Role)) return since;

        return since + (!best.IsRelayed ? DirectPatience(component)
            : _checks.HasHeardDirectOpen(component) ? _options.RelayNominationPatience * 2
            : _options.RelayNominationPatience);
    }

    // The answer to a better pair's check takes about as long as that of the first one did, and was sent later.
    private TimeSpan DirectPatience(int component)
    {
        var twice = (2 * _roundTrips[component - 1]) + (2 * _options.Pace);
        return twice > _options.NominationPatience ? twice : _options.NominationPatience;
    }

    // Two lite agents check nothing: each takes the pair that both must hold to be the best (RFC 8445 §8.2.2).
    private void SelectByPriority(Instant now)
    {
        for (var component = 1; component <= Components; component++)
        {
            foreach (var pair in _checks.Pairs)
            {
                if (pair.Component != component) continue;

                pair.Seen = pair.Local.Candidate;
                _checks.HandleSuccess(pair);
                Select(now, pair);
                break;
            }
        }
    }

    private void HandleConsentLost(Instant now, IcePath path)
    {
        if (!path.IsNominated || TryFallBack(now, path)) return;

        _events.Enqueue(new IceEvent.ConsentLost(path.Component, path, now));
        if (State is IceState.Connected && path.Generation == _generation) State = IceState.Disconnected;
    }

    // Another pair that a check has proved carries on, and is asked at once whether it lives.
    private bool TryFallBack(Instant now, IcePath dead)
    {
        if (dead.Generation != _generation || State is not IceState.Connected) return false;

        foreach (var pair in _checks.Pairs)
        {
            if (pair.Local == dead.Base && pair.Remote.Address == dead.Remote && pair.State is CandidatePairState.Succeeded) pair.State = CandidatePairState.Failed;
        }

        if (_checks.BestValid(dead.Component, Role) is not { } other) return false;

        Use(now, other, isNominated: true);
        _paths[dead.Component - 1]!.Doubt(now);
        return true;
    }

    private void GiveUp(Instant now)
    {
        // Late paths are nominated yet, and whom the peer still checks may be heard by it.
        var isHeard = _heard is { } heard && now - heard < HeardLately;
        if ((isHeard || HasEveryPath()) && now < _latestGiveUp)
        {
            _giveUp = now + HeardLately;
            return;
        }

        var tried = _checks.Pairs.Count;
        _giveUp = null;
        _nextCheck = null;
        _checks.Stop();
        State = IceState.Failed;
        _events.Enqueue(new IceEvent.Failed(tried, now));
    }
}
