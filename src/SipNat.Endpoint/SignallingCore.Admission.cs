using SipNat.Endpoint.Sessions;
using SipNat.Endpoint.Siprec;
using SipNat.Sip.Messages;
using SipNat.Sip.Transactions;
using SipNat.Wire;

namespace SipNat.Endpoint;

/// <summary>Whether one more session is begun. Where none is, the answer and the log have the reason.</summary>
public sealed partial class SignallingCore
{
    private const string Draining = "The server is being stopped";
    private const string NoPorts = "No media ports left";

    private static readonly TimeSpan RetryAfterFull = TimeSpan.FromSeconds(30);

    // After many refusals of ports nobody else is let try for so long: each try is a session that begins and ends.
    private static readonly TimeSpan PauseWithoutPorts = TimeSpan.FromSeconds(1);

    // Of a flood the log says its first refusal, and then how many there were.
    private static readonly TimeSpan BetweenNotices = TimeSpan.FromSeconds(10);

    private readonly RateLimit _portRefusals = new();
    private Instant _portsRefusedUntil;
    private Instant _toldUntil;
    private int _turnedAway;
    private string? _overload;
    private bool _draining;

    /// <summary>From here on no new session begins; OPTIONS is answered with 503, so that peers move on.</summary>
    public void Drain() => _draining = true;

    /// <summary>
    /// Something that running sessions need is short: as long as that is so no session begins, and OPTIONS is answered with
    /// 503. Those that run go on.
    /// </summary>
    /// <param name="reason">What the answers say, as a sentence without its full stop; null where sessions are taken again.</param>
    public void SetOverload(string? reason) => _overload = reason;

    private string? WhyFull(Instant now) => _draining ? Draining
        : _overload is { } reason ? reason
        : _sessions.Count >= _context.Options.MaxSessions ? $"As many sessions are open as may be: {_context.Options.MaxSessions} (Sip:MaxSessions)"
        : now < _portsRefusedUntil ? NoPorts
        : null;

    private string? WhyFullFor(TransportAddress peer)
    {
        var (count, options) = (_sessions.OfPeer(peer), _context.Options);
        return count.All >= options.MaxSessionsPerPeer ? $"As many sessions of this address are open as may be: {options.MaxSessionsPerPeer} (Sip:MaxSessionsPerPeer)"
            : count.Unacknowledged >= options.MaxUnacknowledgedPerPeer ? $"As many sessions of this address were never acknowledged as may be: {options.MaxUnacknowledgedPerPeer}"
            : null;
    }

    private void TurnAway(Instant now, TransactionEvent.Request request, string reason)
    {
        _context.Counters.Overloaded++;
        _turnedAway++;
        if (now >= _toldUntil)
        {
            _context.Tell(new SignallingNotice.TurnedAway(request.From, _turnedAway, reason));
            (_toldUntil, _turnedAway) = (now + BetweenNotices, 0);
        }

        Dismiss(request, Unavailable(reason));
    }

    private SipResponse AnswerOptions(Instant now) => WhyFull(now) is { } reason
        ? Unavailable(reason)
        : new(200) { Headers = RecorderHeaders.Capabilities };

    private SipResponse Unavailable(string reason) => new(503)
    {
        Headers = [RecorderHeaders.RetryAfter((int)RetryAfterFull.TotalSeconds), RecorderHeaders.Warning(399, _context.Options.ServerName, reason)],
    };

    private void HandleOutOfPorts(Instant now, string reason)
    {
        if (!_portRefusals.TryTake(now)) _portsRefusedUntil = now + PauseWithoutPorts;
        _context.Tell(new SignallingNotice.OutOfPorts(reason));
    }
}
