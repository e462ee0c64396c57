using System.Globalization;
using SipNat.Sip.Messages;
using SipNat.Wire;

namespace SipNat.Endpoint.Sessions;

/// <summary>
/// The session timer of one dialog (RFC 4028). Whoever refreshes does so by UPDATE or re-INVITE; where no refresh
/// succeeds in time the session is over, on whichever side that was.
/// </summary>
public sealed class SessionTimer
{
    /// <summary>The shortest interval that we accept, and the shortest that anybody may demand (RFC 4028 §4).</summary>
    public static readonly TimeSpan MinimumInterval = TimeSpan.FromSeconds(90);

    private static readonly TimeSpan LongestInterval = TimeSpan.FromDays(1);
    private static readonly TimeSpan LongestMargin = TimeSpan.FromSeconds(32);

    // A refresh that could not be sent, or was refused, is tried again after this.
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(10);

    private TimeSpan _interval;
    private TimeSpan? _minimum;
    private Instant? _refreshAt;
    private Instant? _expiresAt;
    private bool _peerKnowsTimers;

    /// <summary>When we refresh, or when the session ends without a refresh, whichever is next; null where no timer runs.</summary>
    public Instant? Deadline => Instant.Earlier(_refreshAt, _expiresAt);

    /// <summary>Whether refreshing is our task.</summary>
    public bool WeRefresh { get; private set; }

    public bool IsRunning => _expiresAt is not null;

    /// <summary>Session-Expires of our answer to a request of the peer; null where none belongs into it.</summary>
    public string? AnswerValue => Value(WeRefresh ? "uas" : "uac");

    /// <summary>Session-Expires of a request of ours: the roles are those of that request (RFC 4028 §7.4).</summary>
    public string? RequestValue => Value(WeRefresh ? "uac" : "uas");

    /// <summary>Min-SE of a request of ours: what the peer asked for by 422 (RFC 4028 §7.3); null where it did not.</summary>
    public string? MinimumValue => _minimum is { } minimum ? string.Create(CultureInfo.InvariantCulture, $"{(long)minimum.TotalSeconds}") : null;

    /// <summary>"Require: timer" belongs into an answer that makes the other side refresh (RFC 4028 §9).</summary>
    public bool RequiresTimer => IsRunning && !WeRefresh && _peerKnowsTimers;

    /// <summary>Session-Expires of an INVITE of ours that begins a session, where a 422 has asked for more than we proposed; else null.</summary>
    public string? Proposal { get; private set; }

    /// <summary>
    /// Whether a request asks for an interval below <see cref="MinimumInterval"/>: the answer is 422 with Min-SE. A peer
    /// that does not know timers could do nothing with that; a proxy put the header there (RFC 4028 §9).
    /// </summary>
    public static bool IsTooSmall(string? sessionExpires, bool peerKnowsTimers) =>
        peerKnowsTimers && sessionExpires is not null && TryRead(sessionExpires, out var interval, out _) && interval < MinimumInterval;

    /// <summary>The answer to a request that asks for too short an interval; null where it does not.</summary>
    internal static SipResponse? Refuse(StoredSipMessage request) => IsTooSmall(request.Header(SipHeader.SessionExpires), KnowsTimers(request))
        ? new(422) { Headers = [new(SipHeader.MinSE, $"{(int)MinimumInterval.TotalSeconds}")] }
        : null;

    /// <summary>What a 2xx answer says, the timer with it.</summary>
    internal IReadOnlyList<SipHeaderField> AnswerHeaders(IReadOnlyList<SipHeaderField> capabilities)
    {
        if (AnswerValue is not { } expires) return capabilities;

        SipHeaderField timer = new(SipHeader.SessionExpires, expires);
        return RequiresTimer ? [.. capabilities, timer, new(SipHeader.Require, "timer")] : [.. capabilities, timer];
    }

    /// <summary>Takes a request of the peer, as it is answered with 2xx.</summary>
    internal void Negotiate(Instant now, StoredSipMessage request) => Negotiate(now, request.Header(SipHeader.SessionExpires), KnowsTimers(request));

    /// <summary>Takes a request of the peer that starts or refreshes the session, as it is answered with 2xx.</summary>
    /// <param name="sessionExpires">Session-Expires of the request; null where it has none, which ends the timer.</param>
    /// <param name="peerKnowsTimers">Whether Supported of the request names <c>timer</c>.</param>
    public void Negotiate(Instant now, string? sessionExpires, bool peerKnowsTimers)
    {
        if (sessionExpires is null || !TryRead(sessionExpires, out var interval, out var refresher))
        {
            (_refreshAt, _expiresAt) = (null, null);
            return;
        }

        _peerKnowsTimers = peerKnowsTimers;
        WeRefresh = !peerKnowsTimers || refresher is "uas";
        SetInterval(interval);
        Restart(now);
    }

    /// <summary>Takes the 2xx answer to a request of ours; it says how the session goes on (RFC 4028 §7.2).</summary>
    /// <param name="sessionExpires">Session-Expires of the answer; without it a peer that knows no timers was refreshed by us.</param>
    public void TakeAnswer(Instant now, string? sessionExpires)
    {
        if (!IsRunning) return;

        if (sessionExpires is not null && TryRead(sessionExpires, out var interval, out var refresher))
        {
            WeRefresh = refresher is not "uas";
            SetInterval(interval);
        }

        Restart(now);
    }

    /// <summary>
    /// Takes the 2xx answer to an INVITE of ours that begins a session (RFC 4028 §7.2). Where it names no interval, the
    /// other side knows of no timers, and none runs.
    /// </summary>
    public void Begin(Instant now, string? sessionExpires)
    {
        if (sessionExpires is null || !TryRead(sessionExpires, out var interval, out var refresher)) return;

        WeRefresh = refresher is not "uas";
        SetInterval(interval);
        Restart(now);
    }

    /// <summary>
    /// Takes a 422 answer to an INVITE of ours that begins a session: the next one proposes what is wanted. False where that
    /// is nothing that we could give.
    /// </summary>
    /// <param name="minimum">Min-SE of the answer.</param>
    public bool TryPropose(string? minimum)
    {
        if (minimum is null || !TryRead(minimum, out var interval, out _) || interval <= _minimum || interval > LongestInterval) return false;

        _minimum = interval;
        Proposal = MinimumValue;
        return true;
    }

    /// <summary>
    /// Takes a 422 answer to our refresh (RFC 4028 §7.3): the next one asks for what the peer wants. False where that is
    /// nothing that we could give.
    /// </summary>
    /// <param name="minimum">Min-SE of the answer.</param>
    public bool TryRaise(string? minimum)
    {
        if (!IsRunning || minimum is null || !TryRead(minimum, out var interval, out _) || interval <= _interval || interval > LongestInterval) return false;

        (_interval, _minimum) = (interval, interval);
        return true;
    }

    /// <summary>Whether our refresh is to be sent; asking moves it, so that an attempt that fails is made again.</summary>
    public bool TakeRefreshDue(Instant now)
    {
        if (!(_refreshAt <= now)) return false;

        _refreshAt = now + RetryAfter;
        return true;
    }

    /// <summary>Moves a refresh of ours that met glare.</summary>
    public void Postpone(Instant until)
    {
        if (_refreshAt is not null) _refreshAt = until;
    }

    /// <summary>The session was not refreshed in time.</summary>
    public bool HasExpired(Instant now) => _expiresAt <= now;

    private void SetInterval(TimeSpan interval) =>
        _interval = interval < MinimumInterval ? MinimumInterval : interval > LongestInterval ? LongestInterval : interval;

    // Half of the interval until the refresh; the end comes a little before the interval does (RFC 4028 §10).
    private void Restart(Instant now)
    {
        var margin = _interval / 3 < LongestMargin ? _interval / 3 : LongestMargin;
        _refreshAt = WeRefresh ? now + (_interval / 2) : null;
        _expiresAt = now + (_interval - margin);
    }

    private string? Value(string refresher) => !IsRunning ? null
        : string.Create(CultureInfo.InvariantCulture, $"{(long)_interval.TotalSeconds};refresher={refresher}");

    // Session-Expires = delta-seconds *(SEMI se-params); se-params = refresher=("uas" / "uac") / generic-param. Min-SE alike.
    private static bool KnowsTimers(StoredSipMessage request) => request.HasToken(SipHeader.Supported, "timer");

    private static bool TryRead(string value, out TimeSpan interval, out string? refresher)
    {
        (interval, refresher) = (default, null);
        var parts = value.Split(';', StringSplitOptions.TrimEntries);
        if (!uint.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) || seconds == 0) return false;

        interval = TimeSpan.FromSeconds(seconds);
        foreach (var part in parts.Skip(1))
        {
            if (part.ToLowerInvariant().Split('=', 2, StringSplitOptions.TrimEntries) is ["refresher", var who]) refresher = who;
        }

        return true;
    }
}
