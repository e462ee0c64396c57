using SipNat.Traversal.Stun;
using SipNat.Wire;

namespace SipNat.Traversal.Ice;

/// <summary>The peer's checks: what they are answered, and what is learned from them (RFC 8445 §7.3).</summary>
public sealed partial class IceAgent
{
    private void HandleCheck(Instant now, LocalBase local, TransportAddress from, StunMessage message)
    {
        if (!message.TryGet(StunAttributeType.Username, out var username) || GenerationOf(username) is not { } generation)
        {
            Counters.ForeignChecks++;
            return;
        }

        if (!CheckMessage.IsGenuine(message, generation.LocalKey))
        {
            Counters.BadIntegrity++;
            return;
        }

        Span<byte> buffer = stackalloc byte[CheckMessage.MaxResponseLength];
        if (message.HasUnknownRequiredAttribute(out var type))
        {
            Outbox.Add(local.Flow, from, buffer[..CheckMessage.WriteUnknownAttribute(buffer, message, type, generation.LocalKey)]);
            return;
        }

        if (generation == _generation && IsConflict(now, message))
        {
            Outbox.Add(local.Flow, from, buffer[..CheckMessage.WriteRoleConflict(buffer, message, generation.LocalKey)]);
            return;
        }

        Outbox.Add(local.Flow, from, buffer[..CheckMessage.WriteSuccess(buffer, message, from, generation.LocalKey)]);
        if (generation != _generation || !generation.IsFromPeer(username)) return;

        _heard = now;
        _ = CheckMessage.TryGetPriority(message, out var priority);
        Learn(now, local, new(local.Flow, from, priority, message.TryGet(StunAttributeType.UseCandidate, out _)));
    }

    private IceGeneration? GenerationOf(ReadOnlySpan<byte> username) =>
        _generation.IsFor(username) ? _generation
        : _previous is not null && _previous.IsFor(username) ? _previous
        : null;

    // RFC 8445 §7.3.1.1: the larger tie-breaker is controlling. True where the peer has to give way.
    private bool IsConflict(Instant now, StunMessage message)
    {
        if (!CheckMessage.TryGetRole(message, out var role, out var tieBreaker) || role != Role) return false;

        Counters.RoleConflicts++;
        var isOursLarger = _tieBreaker >= tieBreaker;
        if (isOursLarger == Role is IceRole.Controlling || _options.IsLite) return !_options.IsLite;

        SwitchRole(now);
        return false;
    }

    private void SwitchRole(Instant now)
    {
        Role = Role is IceRole.Controlling ? IceRole.Controlled : IceRole.Controlling;
        foreach (var pair in _checks.Pairs) pair.IsNominating = false;
        _checks.SetRole(Role);
        _events.Enqueue(new IceEvent.RoleChanged(Role, now));
        Wake(now);
    }

    private void Learn(Instant now, LocalBase local, EarlyCheck check)
    {
        if (_generation.Remote is null)
        {
            if (_early.Count < MaxEarlyChecks && !_early.Contains(check)) _early.Add(check);
            return;
        }

        var isNominated = check.IsNominating && Role is IceRole.Controlled;
        if (_checks.Find(local.Flow, check.From) is not { } pair)
        {
            pair = AddPeerReflexive(now, local, check);
            if (pair is null) return;
        }

        var isFirst = !pair.IsCheckedByPeer;
        pair.IsCheckedByPeer = true;
        if (_options.IsLite)
        {
            if (!isNominated) return;

            pair.State = CandidatePairState.Succeeded;
            pair.Seen = local.Candidate;
            Select(now, pair);
            return;
        }

        if (pair.State is CandidatePairState.Succeeded)
        {
            if (isNominated) Select(now, pair);
            return;
        }

        pair.IsNominatedByPeer |= isNominated;
        if (State is not IceState.Checking && !(State is IceState.Connected && isNominated)) return;
        // Where answers come from other ports than checks went to, each check would bring forth the next one for ever.
        if (!isFirst && pair.State is CandidatePairState.InProgress && now < pair.BegunAt + _options.Check.InitialRto) return;

        _checks.Trigger(pair);
        Wake(now);
    }

    private CandidatePair? AddPeerReflexive(Instant now, LocalBase local, EarlyCheck check)
    {
        if (check.Priority == 0 || !local.CanReach(check.From, _options.ChecksPrivateAddresses)) return null;

        var remote = FindRemote(local.Component, check.From);
        if (remote is null)
        {
            if (!local.TryReveal(check.From))
            {
                Counters.RefusedCandidates++;
                return null;
            }

            // A foundation that no other candidate has (RFC 8445 §7.3.1.3).
            remote = new($"p{_remote.Count}", local.Component, check.Priority, check.From, CandidateType.PeerReflexive);
            _remote.Add(remote);
        }

        TryPair(now, local, remote);
        return _checks.Find(local.Flow, check.From);
    }

    private void ReplayEarly(Instant now)
    {
        foreach (var check in _early)
        {
            if (_local.FindBase(check.Flow) is { } local) Learn(now, local, check);
        }

        _early.Clear();
    }

    /// <summary>What a check told of its sender, where the description that it needs had not come yet.</summary>
    /// <param name="Priority">0 where it told none.</param>
    private readonly record struct EarlyCheck(FlowId Flow, TransportAddress From, uint Priority, bool IsNominating);
}
