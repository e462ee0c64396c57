using System.Globalization;
using SipNat.Wire;

namespace SipNat.Endpoint.Siprec;

/// <summary>
/// The session timer of one dialog (RFC 4028), seen from the side that answers. Whoever refreshes does so by UPDATE or
/// re-INVITE; when the other side fails to, the session is over.
/// </summary>
public sealed class SessionTimer
{
    /// <summary>The shortest interval that we accept, and the shortest that anybody may demand (RFC 4028 §4).</summary>
    public static readonly TimeSpan MinimumInterval = TimeSpan.FromSeconds(90);

    private static readonly TimeSpan LongestInterval = TimeSpan.FromDays(1);
    private static readonly TimeSpan LongestMargin = TimeSpan.FromSeconds(32);

    private TimeSpan _interval;
    private bool _peerKnowsTimers;

    /// <summary>When we refresh, or, where the peer does, when it has failed to; null where no timer runs.</summary>
    public Instant? Deadline { get; private set; }

    /// <summary>Whether refreshing is our task.</summary>
    public bool WeRefresh { get; private set; }

    public bool IsRunning => Deadline is not null;

    /// <summary>Session-Expires of the answer, or null where none belongs into it.</summary>
    public string? HeaderValue => !IsRunning ? null
        : string.Create(CultureInfo.InvariantCulture, $"{(long)_interval.TotalSeconds};refresher={(WeRefresh ? "uas" : "uac")}");

    /// <summary>"Require: timer" belongs into an answer that makes the other side refresh (RFC 4028 §9).</summary>
    public bool RequiresTimer => IsRunning && !WeRefresh && _peerKnowsTimers;

    /// <summary>
    /// Reads a request that starts or refreshes the session. False where the interval is below
    /// <see cref="MinimumInterval"/>: the answer is 422 with Min-SE.
    /// </summary>
    /// <param name="sessionExpires">Session-Expires of the request; null where it has none, which ends the timer.</param>
    /// <param name="peerKnowsTimers">Whether Supported of the request names <c>timer</c>.</param>
    public bool TryNegotiate(Instant now, string? sessionExpires, bool peerKnowsTimers)
    {
        if (sessionExpires is null || !TryRead(sessionExpires, out var interval, out var refresher))
        {
            Deadline = null;
            return true;
        }

        if (interval < MinimumInterval && peerKnowsTimers) return false;

        _interval = interval < MinimumInterval ? MinimumInterval : interval > LongestInterval ? LongestInterval : interval;
        _peerKnowsTimers = peerKnowsTimers;
        WeRefresh = !peerKnowsTimers || refresher is "uas";
        Restart(now);
        return true;
    }

    /// <summary>The session was refreshed, by whom it may.</summary>
    public void Restart(Instant now)
    {
        var margin = _interval / 3 < LongestMargin ? _interval / 3 : LongestMargin;
        Deadline = now + (WeRefresh ? _interval / 2 : _interval - margin);
    }

    /// <summary>Our refresh is under way: it is due again later, unless the answer restarts the timer first.</summary>
    public void Postpone(Instant now) => Deadline = now + (_interval / 2);

    // Session-Expires = delta-seconds *(SEMI se-params); se-params = refresher=("uas" / "uac") / generic-param.
    private static bool TryRead(string value, out TimeSpan interval, out string? refresher)
    {
        (interval, refresher) = (default, null);
        var parts = value.Split(';', StringSplitOptions.TrimEntries);
        if (!uint.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) || seconds == 0) return false;

        interval = TimeSpan.FromSeconds(seconds);
        foreach (var part in parts.Skip(1))
        {
            if (part.Split('=', 2, StringSplitOptions.TrimEntries) is ["refresher", var who]) refresher = who.ToLowerInvariant();
        }

        return true;
    }
}
