using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using SipNat.Endpoint.Media;
using SipNat.Endpoint.Sessions;
using SipNat.Sip.Dialogs;
using SipNat.Sip.Messages;
using SipNat.Sip.Transactions;
using SipNat.Wire;

namespace SipNat.Endpoint.Calls;

/// <summary>A call of another's: from its INVITE to our answer (RFC 3261 §13.3).</summary>
internal sealed partial class Call
{
    // RFC 3262 §3: a reliable answer is sent again after T1, 2·T1, … for 64·T1.
    private static readonly TimeSpan FirstRepetition = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LongestRepetition = TimeSpan.FromSeconds(32);

    private readonly Call? _replaced;
    private readonly bool _wantsSecured;
    private TransactionId? _served;
    private SipResponse? _reliable;
    private uint _reliableSequence;
    private TimeSpan _repetition;
    private Instant? _repeatAt;
    private Instant _reliableSince;
    private bool _isWanted;

    private Call(Instant now, SignallingContext context, CallIdentity identity, CallTerms terms, TransactionEvent.Request invite, Call? replaced)
        : this(now, context, CallDirection.Incoming, identity, terms)
    {
        _replaced = replaced;
        _localTag = SipToken.Next(context.Random);
        if (identity.Credentials is { } credentials) _digest = new(credentials, identity.AllowMd5, context.Random);
        (_flow, _destination, _served, _wantsSecured) = (invite.Flow, invite.From, invite.Transaction, ContactText.WantsSecured(invite.Message));
        var dialog = Dialog.AsServer(invite.Message, _localTag, CurrentContact);
        _dialog = new(context, dialog);
        (_dialog.Requests.Flow, _dialog.Requests.Source, _dialog.Requests.Transport) = (invite.Flow, invite.From, TransportOf(invite.Flow));
        _dialog.Note(invite.Message);
        NameCaller(invite.Message);
    }

    /// <summary>Begins a call with somebody's INVITE. False, with the answer, where it cannot be one.</summary>
    /// <param name="replaced">The call that this one takes the place of (RFC 3891); null for none.</param>
    public static bool TryBegin(
        Instant now,
        SignallingContext context,
        CallIdentity identity,
        CallTerms terms,
        TransactionEvent.Request invite,
        Call? replaced,
        [NotNullWhen(true)] out Call? call,
        [NotNullWhen(false)] out SipResponse? refusal)
    {
        call = null;
        refusal = CallHeaders.Refuse(invite.Message);
        if (refusal is not null) return false;

        var begun = new Call(now, context, identity, terms, invite, replaced);
        begun._journal.Note(now, "invited", $"INVITE of {begun._remote} from {invite.From}, Call-ID {invite.Message.CallId}.");
        refusal = begun.TakeOffer(now, invite, isFirst: true);
        if (refusal is not null) return false;

        call = begun;
        (begun._mediaIsOpen, begun._mediaUntil) = (true, now + MediaLimit);
        context.Commands.Enqueue(new MediaCommand.Open(begun.Id, context.MediaAddressFor(invite.Flow), 1));
        begun.Gather();
        begun.Ring(now, invite.Message);
        return true;
    }

    /// <summary>Whether somebody here is still to decide on it.</summary>
    public bool IsOffered => Direction is CallDirection.Incoming && State is CallState.Ringing && !_isWanted;

    /// <summary>Accepts an incoming call; nothing where it is no longer to be decided on.</summary>
    public void Accept(Instant now)
    {
        if (!IsOffered) return;

        _isWanted = true;
        TryAnswer(now);
    }

    /// <summary>Refuses an incoming call; nothing where it is no longer to be decided on.</summary>
    /// <param name="status">480 where nobody is there, 486 where somebody is busy, 603 where nobody wants it; 400–699.</param>
    public void Reject(Instant now, int status)
    {
        if (!IsOffered || _offer is null) return;

        (_status, _reason) = (status, SipStatus.Phrase(status));
        RefuseOffer(now, new(status));
        Close(now, $"Refused with {status} {_reason}.");
    }

    // Who calls waits for a sign; the ports are bound meanwhile.
    private void Ring(Instant now, StoredSipMessage invite)
    {
        State = CallState.Ringing;
        SipResponse ringing = new(180) { ToTag = _localTag, Headers = [new(SipHeader.Contact, CurrentContact), .. CallHeaders.Capabilities] };
        if (invite.HasToken(SipHeader.Require, "100rel"))
        {
            _reliableSequence = (uint)_context.Random.Next(1, int.MaxValue);
            ringing = ringing with { Headers = [.. ringing.Headers, new(SipHeader.Require, "100rel"), new(SipHeader.RSeq, _reliableSequence.ToString(CultureInfo.InvariantCulture))] };
            (_reliable, _repetition, _reliableSince, _repeatAt) = (ringing, FirstRepetition, now, now + FirstRepetition);
        }

        _context.Transactions.Respond(now, _served!.Value, ringing);
    }

    private void HandlePrack(Instant now, TransactionEvent.Request request)
    {
        var acknowledged = request.Message.Header(SipHeader.RAck)?.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [var sequence, _, ..]
            && sequence == _reliableSequence.ToString(CultureInfo.InvariantCulture);
        if (acknowledged) (_reliable, _repeatAt) = (null, null);
        Respond(now, request.Transaction, new(acknowledged ? 200 : 481));
    }

    private void RepeatReliable(Instant now)
    {
        if (_reliable is not { } ringing || _served is not { } served || _offer is null)
        {
            _repeatAt = null;
            return;
        }

        if (now - _reliableSince >= LongestRepetition)
        {
            (_reliable, _repeatAt) = (null, null);
            RefuseOffer(now, new(504));
            Close(now, "Our provisional answer was never acknowledged (RFC 3262).");
            return;
        }

        _repetition *= 2;
        _repeatAt = now + _repetition;
        _context.Transactions.Respond(now, served, ringing);
    }

    // P-Asserted-Identity is the provider's word (RFC 3325), From the caller's.
    private void NameCaller(StoredSipMessage invite)
    {
        var header = invite.View.TryGet(SipHeader.PAssertedIdentity, out _) ? SipHeader.PAssertedIdentity : SipHeader.From;
        _remote = invite.Uri(header)?.Text ?? invite.Uri(SipHeader.From)?.Text ?? "unknown";
        _remoteName = invite.View.TryGetAddress(header, out var address) ? SipText.Clean(address.DisplayText) : "";
    }
}
