using System.Text;
using SipNat.Sip.Dialogs;
using SipNat.Sip.Digest;
using SipNat.Sip.Messages;
using SipNat.Sip.Transactions;
using SipNat.Wire;

namespace SipNat.Endpoint.Accounts;

/// <summary>What becomes of an account by the answers of its registrar (RFC 3261 §10.2.4–10.2.8).</summary>
internal sealed partial class Account
{
    private const int MaxRedirects = 5;
    private const int MaxStaleNamed = 3;
    private static readonly TimeSpan LongestMinExpires = TimeSpan.FromDays(1);

    // Answers in a row that saw us elsewhere than the one before.
    private int _asymmetric;

    private void HandleRegistered(Instant now, TransactionEvent.Response response)
    {
        (_register, _patience) = (null, null);
        var answer = response.Message;
        Snapshot = Snapshot with { Status = answer.StatusCode, Reason = ReasonOf(answer), Received = answer.SeenAt };
        _requests.HandleAnswer(answer);
        if (State is AccountState.Unregistering)
        {
            HandleUnregistered(now, answer);
            return;
        }

        switch (answer.StatusCode)
        {
            case < 300:
                HandleAccepted(now, answer);
                break;
            case 301 or 302:
                HandleRedirect(now, answer);
                break;
            case 401 or 407:
                HandleChallenge(now, answer);
                break;
            case 423:
                HandleTooBrief(now, answer);
                break;
            case 403 or 404:
                // Known, and not wanted: another server of the same domain says the same.
                if (Target is { } unwilling) Rest(now, unwilling, wait: null);
                Fail(now, answer.StatusCode, Said(answer));
                break;
            default:
                TimeSpan? wait = RetryAfter.TryRead(answer.View, out var retry) ? retry.Delay : null;
                TryNext(now, answer.StatusCode, Said(answer), wait > RegistrationPace.LongestRetryAfter ? RegistrationPace.LongestRetryAfter : wait);
                break;
        }
    }

    private static string ReasonOf(StoredSipMessage answer) => SipText.Clean(Encoding.UTF8.GetString(answer.View.ReasonPhrase));

    private string Said(StoredSipMessage answer) => $"{Target?.Address} answered {answer.StatusCode} {ReasonOf(answer)}";

    private void HandleAccepted(Instant now, StoredSipMessage message)
    {
        var answer = RegistrationAnswer.Read(message, _requests.Contact);
        var lease = answer.Lease ?? Options.Expires;
        if (answer.Binding is null || lease <= TimeSpan.Zero)
        {
            TryNext(now, message.StatusCode, $"{Target?.Address} answered {message.StatusCode} without a binding of ours");
            return;
        }

        if (RegId > 1 && !answer.IsOutbound)
        {
            _expiresAt = now + lease;
            Remove(now, $"{Target?.Address} does not tell flows apart (RFC 5626), and would send each call by all of them; the binding is removed");
            return;
        }

        Flows.HandleAccepted(answer.IsOutbound, answer.Binding.PubGruu);
        (_failures, _redirects, _requests.Stale) = (0, 0, null);
        _context.Accounts.Failed.Remove(Target!.Server);
        _notBefore.Remove(Target.Address);
        HandleListedBy(Target.Address);
        _boundAt = answer.Binding.Uri.Text;
        _expiresAt = now + lease;
        _routes = RoutesOf(answer);
        _refreshAt = now + RegistrationPace.Refresh(lease, !_isSpread, _context.Random);
        var keepalive = _context.Accounts.Registrars.Join(now, this, _flow!.Value, Target.Address, new(answer.FlowTimer, answer.Keep, answer.IsOutbound), Snapshot.Received);
        Snapshot = Snapshot with
        {
            Bindings = [.. answer.Bindings.Select(static binding => binding.Uri.Text)],
            Path = answer.Path,
            ServiceRoute = answer.ServiceRoute,
            Lease = lease,
            Keepalive = keepalive,
        };
        var text = JudgeContact(now, answer, lease);
        // Not by the first of two, where the Contact is replaced at once.
        _isSpread = _register is null;
        Snapshot = Snapshot with { IsSettled = _register is null };
        Tell(now, AccountState.Registered, text);
    }

    // The outbound proxy is the first hop, and the registrar names what comes behind it (RFC 3608 §6.1); some name the proxy too.
    private IReadOnlyList<string> RoutesOf(RegistrationAnswer answer)
    {
        if (answer.ServiceRoute.Count == 0 || Options.OutboundProxy is not { } proxy) return [.. _requests.Routes, .. answer.ServiceRoute];

        var isNamed = NameAddress.TryRead(Encoding.UTF8.GetBytes(answer.ServiceRoute[0]), out var first)
            && SipUri.TryRead(first.Uri, out var uri)
            && uri.Host.Equals(proxy.Host, StringComparison.OrdinalIgnoreCase)
            && uri.Port == proxy.Port;
        return isNamed ? answer.ServiceRoute : [.. _requests.Routes, .. answer.ServiceRoute];
    }

    // Whether those who call find us where the Contact says: what the registrar saw decides, once.
    private string JudgeContact(Instant now, RegistrationAnswer answer, TimeSpan lease)
    {
        var (seen, used, target) = (Snapshot.Received, Snapshot.Contact, Target!);
        var lasts = $"registered at {target.Address} for {lease.TotalSeconds:F0} s";
        if (answer.Stale.Count > 0) lasts += $"; the registrar still sends calls to {string.Join(", ", answer.Stale.Take(MaxStaleNamed).Select(static contact => contact.Uri.Host))}, where we were before";
        if (target.Transport.IsReliable) return lasts;

        switch (ContactRules.Judge(used, seen, target.Address, _context.Advisor.LocalNetworks, _wasReplaced))
        {
            case ContactVerdict.Replace:
                (_wasReplaced, _requests.LearnedContact) = (true, seen);
                if (!answer.IsOutbound) _requests.Stale = _requests.ContactUri;
                Register(now, _flow!.Value);
                return $"{lasts}; seen at {seen} and not at {used}, which is registered now";
            case ContactVerdict.Asymmetric:
                // A router may have been restarted between two answers: tried again, ever less often.
                _requests.LearnedContact = seen;
                _refreshAt = Instant.Earlier(_refreshAt, now + RegistrationPace.Asymmetric(_asymmetric++));
                return $"{lasts}; seen at {seen} although {used} was seen before: the NAT maps each flow anew, or several hosts answer; calls may not arrive";
            case ContactVerdict.Keep:
                Snapshot = Snapshot with { IsAltered = IsAltered(seen, target) };
                return Snapshot.IsAltered ? $"{lasts}; it says that it sees our private address {seen}, although it is on the internet: a SIP ALG is on the way" : lasts;
            default:
                (_wasReplaced, _asymmetric) = (false, 0);
                return lasts;
        }
    }

    private bool IsAltered(TransportAddress seen, SipTarget target) => seen.IsPrivate && !target.Address.IsPrivate;

    private void HandleChallenge(Instant now, StoredSipMessage answer)
    {
        var defect = _requests.HandleChallenge(answer);
        if (defect is DigestDefect.None)
        {
            Register(now, _flow!.Value);
            return;
        }

        Forget();
        Tell(now, AccountState.Refused, $"{Said(answer)}: {defect.Explain()}");
    }

    private void HandleTooBrief(Instant now, StoredSipMessage answer)
    {
        var least = answer.Seconds(SipHeader.MinExpires);
        if (least is { } seconds && seconds <= LongestMinExpires && seconds > (_requests.MinExpires ?? TimeSpan.Zero))
        {
            _requests.MinExpires = seconds;
            Register(now, _flow!.Value);
        }
        else
        {
            TryNext(now, answer.StatusCode, Said(answer));
        }
    }

    private void HandleRedirect(Instant now, StoredSipMessage answer)
    {
        if (answer.Uri(SipHeader.Contact) is { Scheme: not SipUriScheme.Other } uri && ++_redirects <= MaxRedirects)
        {
            _requests.RedirectedTo = uri;
            Locate(now, $"is sent to {uri.Host}");
        }
        else
        {
            _requests.RedirectedTo = null;
            TryNext(now, answer.StatusCode, Said(answer));
        }
    }

    private void HandleUnregistered(Instant now, StoredSipMessage answer)
    {
        if (answer.StatusCode is 401 or 407 && _flow is { } flow && Target is { } target && _requests.HandleChallenge(answer) is DigestDefect.None)
        {
            Send(now, flow, target, TimeSpan.Zero);
            return;
        }

        _expiresAt = now;
        Tell(now, AccountState.Unregistered, answer.StatusCode < 300 ? "The binding is removed" : Said(answer));
    }
}
