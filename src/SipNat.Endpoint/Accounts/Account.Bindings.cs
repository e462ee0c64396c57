using SipNat.Sip.Dialogs;
using SipNat.Sip.Digest;
using SipNat.Sip.Messages;
using SipNat.Wire;

namespace SipNat.Endpoint.Accounts;

/// <summary>
/// Whether the registrar still has the binding. One that was restarted answers every OPTIONS and has forgotten everybody: a
/// REGISTER without a Contact has it list what it knows (RFC 3261 §10.2.3), and costs no more than the OPTIONS.
/// </summary>
internal sealed partial class Account
{
    private const int MaxChallenges = 2;

    private Listing _listing;
    private TransportAddress _listedBy;
    private bool _isFetch;
    private int _challenges;
    private int _misses;

    // The URI of the binding as the answer to its registration had it; null where later answers have it otherwise.
    private string? _boundAt;
    private bool _isListedOtherwise;

    private enum Listing
    {
        Unknown,

        // It has listed the binding once.
        Listed,

        // It lists nothing that could be known for ours, or does not take the question.
        Useless,
    }

    /// <summary>Whether the registrar lists the binding, as far as is known.</summary>
    public bool IsListed => _listing is not Listing.Useless;

    /// <summary>What a keepalive asks.</summary>
    public SipRequest CreateQuestion(Instant now)
    {
        // A registrar that wants to be left alone is asked nothing but whether it is there.
        (_isFetch, _challenges) = (IsListed && !(Target is { } target && IsResting(now, target)), 0);
        return _isFetch ? _requests.CreateFetch() : _requests.CreateOptions();
    }

    /// <summary>The same question with credentials.</summary>
    public SipRequest RepeatQuestion() => _requests.CreateFetch();

    /// <summary>Takes the answer to <see cref="CreateQuestion"/>: any one means that somebody is there, and some of them more.</summary>
    public KeepaliveVerdict HandleQuestionAnswered(StoredSipMessage answer)
    {
        if (!_isFetch) return KeepaliveVerdict.Alive;
        if (answer.StatusCode is 401 or 407) return Challenge(answer);

        _requests.HandleFetchAnswer(answer);
        switch (answer.StatusCode)
        {
            case < 300 when RegistrationAnswer.Listed(answer, _requests.Contact) is { Count: > 0 } listed:
                (_listing, _misses) = (Listing.Listed, 0);
                return IsElsewhere(listed) ? KeepaliveVerdict.Missing : KeepaliveVerdict.Alive;
            case < 300:
                return Miss();
            case 404 when _listing is Listing.Listed:
                return Miss();
            case 408 or >= 500:
                // It says nothing of the binding, and would not take a refresh either.
                return KeepaliveVerdict.Busy;
            default:
                _listing = Listing.Useless;
                return KeepaliveVerdict.Alive;
        }
    }

    /// <summary>The registrar no longer has the binding.</summary>
    /// <param name="startAt">When it is made anew: many accounts do not begin at one moment.</param>
    public void HandleForgotten(Instant now, Instant startAt)
    {
        if (State is not AccountState.Registered) return;

        Tell(now, AccountState.Registered, $"{Target?.Address} has forgotten the binding, as after a restart; it is made anew");
        (_refreshAt, _isSpread) = (Instant.Earlier(_refreshAt, startAt), false);
    }

    /// <summary>The registrar takes nothing for now, and may have forgotten what it had: another one is registered with, where one answers.</summary>
    /// <param name="wait">What it asked for; null where it did not.</param>
    public void HandleBusy(Instant now, TimeSpan? wait)
    {
        if (State is not AccountState.Registered || Target is not { } target) return;

        _context.Accounts.Failed.Add(now, target.Server, wait);
        Rest(now, target, wait);
        // What there is may still do: it is left when the other one is known to be there.
        if (_probes.Count == 0) Ask(now, _targets.Where(other => other != target && !IsResting(now, other) && !Flows.IsTaken(this, other)));
    }

    // A gateway that puts its own address in the place of ours, and takes it out of every answer, hides that it has another one by
    // then: the binding has the former. Who lists it otherwise right after it was made does so always.
    private bool IsElsewhere(IReadOnlyList<Contact> listed)
    {
        if (_boundAt is null || listed.Any(binding => binding.Uri.Text == _boundAt))
        {
            _isListedOtherwise = false;
            return false;
        }

        (var isAlways, _isListedOtherwise) = (_isListedOtherwise, true);
        if (isAlways) _boundAt = null;
        return !isAlways;
    }

    private KeepaliveVerdict Challenge(StoredSipMessage answer)
    {
        if (++_challenges <= MaxChallenges && _requests.HandleFetchChallenge(answer) is DigestDefect.None) return KeepaliveVerdict.Challenged;

        _listing = Listing.Useless;
        return KeepaliveVerdict.Alive;
    }

    // A registrar that has never listed the binding may never do so: registering once more tells.
    private KeepaliveVerdict Miss()
    {
        if (_listing is Listing.Listed || _misses++ == 0) return KeepaliveVerdict.Missing;

        _listing = Listing.Useless;
        return KeepaliveVerdict.Alive;
    }

    private void HandleListedBy(TransportAddress registrar)
    {
        if (_listedBy == registrar) return;

        (_listedBy, _listing, _misses, _isListedOtherwise) = (registrar, Listing.Unknown, 0, false);
    }
}

/// <summary>What the answer to a keepalive says of the binding.</summary>
internal enum KeepaliveVerdict
{
    /// <summary>It is there, as far as the answer says.</summary>
    Alive,

    /// <summary>The question is to be asked again, with credentials.</summary>
    Challenged,

    /// <summary>The registrar does not have it.</summary>
    Missing,

    /// <summary>The registrar does not say, as it is in trouble.</summary>
    Busy,
}
