using System.Globalization;
using System.Text;
using SipNat.Endpoint.Sessions;
using SipNat.Endpoint.Siprec;
using SipNat.Sip.Messages;
using SipNat.Sip.Transactions;
using SipNat.Wire;

namespace SipNat.Endpoint.Calls;

/// <summary>Transfers in both directions (RFC 3515, RFC 3891, RFC 5589), and digits by INFO.</summary>
internal sealed partial class Call
{
    private const string SipFragType = "message/sipfrag;version=2.0";
    private const int MaxFragment = 1_000;

    private uint? _referred;
    private bool _isTransferring;

    /// <summary>Asks the other side to call somebody else (RFC 3515). False where it cannot be asked now.</summary>
    /// <param name="target">Who is to be called.</param>
    /// <param name="replaced">A call of ours with that one, whose place is taken (RFC 5589 §7); null for a blind transfer.</param>
    public bool Transfer(Instant now, SipUri target, Call? replaced)
    {
        if (State is not CallState.Established || _isTransferring || _dialog is not { } dialog) return false;

        var referTo = replaced?.ActiveDialog is { } other
            ? $"<{RequestUri(other.RemoteTarget)}?Replaces={Uri.EscapeDataString($"{other.Key.CallId};to-tag={other.Key.RemoteTag};from-tag={other.Key.LocalTag}")}>"
            : $"<{RequestUri(target)}>";
        var refer = dialog.Dialog.CreateRequest(SipMethod.Refer);
        _isTransferring = Send(now, dialog, RequestPurpose.Transfer, refer with
        {
            Headers = [.. refer.Headers, new(SipHeader.Contact, CurrentContact), new(SipHeader.ReferTo, referTo), new(SipHeader.ReferredBy, _identity.NameAddress(ContactUri))],
        });
        if (_isTransferring) _journal.Note(now, "transfer", $"The other side is asked to call {target}.");
        return _isTransferring;
    }

    /// <summary>Sends a digit by INFO. False where it cannot be sent now.</summary>
    public bool TrySendDigit(Instant now, char digit)
    {
        if (State is not CallState.Established || _dialog is not { } dialog) return false;

        var info = dialog.Dialog.CreateRequest(SipMethod.Info);
        return Send(now, dialog, RequestPurpose.Digit, info with
        {
            ContentType = "application/dtmf-relay",
            Body = Encoding.ASCII.GetBytes($"Signal={digit}\r\nDuration=160\r\n"),
        });
    }

    /// <summary>What became of the call that the other side asked for.</summary>
    public void HandleTransferred(Instant now, int status, string reason)
    {
        if (_referred is null || _dialog is not { } dialog || IsEnding) return;

        Notify(now, dialog, $"SIP/2.0 {status} {reason}", isOver: true);
        _referred = null;
    }

    private void HandleRefer(Instant now, CallDialog dialog, TransactionEvent.Request request)
    {
        var message = request.Message;
        if (State is not CallState.Established || _referred is not null)
        {
            Respond(now, request.Transaction, new(_referred is not null ? 491 : 403));
            return;
        }

        if (message.Headers(SipHeader.ReferTo).Count != 1 || message.Uri(SipHeader.ReferTo) is not { Scheme: not SipUriScheme.Other } uri
            || (uri.TryGetParameter("method", out var method) && method is not "INVITE"))
        {
            Respond(now, request.Transaction, new(400, "One Refer-To with a SIP URI is wanted"));
            return;
        }

        if (!_context.MayCall(_identity, uri))
        {
            _journal.Note(now, "transfer-refused", $"The other side wants {SessionJournal.Clip(uri.Text)} called, where calls may not go; name its host in Calls:AllowedTargets if they may.");
            Respond(now, request.Transaction, new(403));
            return;
        }

        _referred = message.CSeqNumber;
        _journal.Note(now, "transfer", $"The other side has us call {SessionJournal.Clip(uri.Text)}.");
        Respond(now, request.Transaction, new(202) { Headers = [new(SipHeader.Contact, CurrentContact)] });
        Notify(now, dialog, "SIP/2.0 100 Trying", isOver: false);
        _context.Transfers.Enqueue(new()
        {
            Target = SipUri.Parse(RequestUri(uri)),
            Account = Account,
            Terms = _terms,
            Replaces = ReplacesOf(uri),
            ReferredBy = message.Header(SipHeader.ReferredBy) is { } referrer ? SipText.OneLine(referrer) : null,
            TransferOf = Id,
        });
    }

    private void HandleNotify(Instant now, TransactionEvent.Request request)
    {
        var message = request.Message;
        Respond(now, request.Transaction, new(200));
        if (!_isTransferring || message.Body.Length is 0 or > MaxFragment || message.Header(SipHeader.Event) is not { } package || !package.StartsWith("refer", StringComparison.OrdinalIgnoreCase)) return;

        var words = Encoding.UTF8.GetString(message.Body.Span).Split(' ', 3);
        if (words is not ["SIP/2.0", var text, ..] || !int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var status) || status < 200) return;

        _isTransferring = false;
        _journal.Note(now, "transferred", $"The other side's new call was answered with {status}.");
        if (status < 300) HangUp(now, "Transferred.");
    }

    private void HandleTransferAnswer(Instant now, int status)
    {
        if (status < 300) return;

        _isTransferring = false;
        _journal.Note(now, "transfer-refused", $"REFER was answered with {status}.");
    }

    // Whoever asked for this call hears of its end.
    private void NotifyTransferEnd(Instant now)
    {
        if (_request?.TransferOf is not { } parent || _answeredAt is not null) return;

        _context.Transferred.Enqueue((parent, _status >= 300 ? _status : 503, _status >= 300 ? _reason : "Service Unavailable"));
    }

    private void Notify(Instant now, CallDialog dialog, string statusLine, bool isOver)
    {
        var notify = dialog.Dialog.CreateRequest(SipMethod.Notify);
        Send(now, dialog, RequestPurpose.Notify, notify with
        {
            Headers =
            [
                .. notify.Headers,
                new(SipHeader.Contact, CurrentContact),
                new(SipHeader.Event, $"refer;id={_referred}"),
                new(SipHeader.SubscriptionState, isOver ? "terminated;reason=noresource" : "active;expires=180"),
            ],
            ContentType = SipFragType,
            Body = Encoding.UTF8.GetBytes(SipText.OneLine(statusLine) + "\r\n"),
        });
    }

    // A digit, or nothing: some send an empty INFO to see whether we are there (RFC 6086 §4.2.2).
    private void HandleInfo(Instant now, TransactionEvent.Request request)
    {
        var message = request.Message;
        var type = message.Header(SipHeader.ContentType) ?? "";
        var isDigit = type.StartsWith("application/dtmf", StringComparison.OrdinalIgnoreCase);
        if (!isDigit)
        {
            Respond(now, request.Transaction, new(message.Body.Length == 0 ? 200 : 415));
            return;
        }

        Respond(now, request.Transaction, new(200));
        var text = Encoding.ASCII.GetString(message.Body.Span[..Math.Min(message.Body.Length, MaxFragment)]);
        var signal = text.Split('\n').Select(line => line.Split('=', 2, StringSplitOptions.TrimEntries)).FirstOrDefault(p => p[0].Equals("Signal", StringComparison.OrdinalIgnoreCase));
        var digit = (signal is [_, var value] ? value : text).Trim();
        if (digit.Length == 1 && "0123456789*#ABCD".Contains(digit, StringComparison.OrdinalIgnoreCase)) _journal.Note(now, "dtmf", $"key {digit}, by INFO.");
    }

    // RFC 3891 §3: the header part of a Refer-To.
    private static string? ReplacesOf(SipUri uri)
    {
        var question = uri.Text.IndexOf('?', StringComparison.Ordinal);
        if (question < 0) return null;

        foreach (var field in uri.Text[(question + 1)..].Split('&'))
        {
            if (field.Split('=', 2) is [var name, var value] && name.Equals("Replaces", StringComparison.OrdinalIgnoreCase)) return SipText.OneLine(Uri.UnescapeDataString(value));
        }

        return null;
    }
}
