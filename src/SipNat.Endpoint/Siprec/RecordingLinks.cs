using SipNat.Wire;

namespace SipNat.Endpoint.Siprec;

/// <summary>
/// Which recording sessions have named the same call. A name is remembered for a while after it was heard last, as a
/// call that is transferred may go on in another dialog when the first one is over.
/// </summary>
/// <param name="maxSessions">Sessions that there may be at one time: names are remembered for several times as many.</param>
internal sealed class RecordingLinks(int maxSessions)
{
    private const int LinksOfSession = 5;
    private const int MaxSessionsOfLink = 64;
    private static readonly TimeSpan Memory = TimeSpan.FromHours(1);

    private readonly int _maxLinks = LinksOfSession * maxSessions;
    private readonly Dictionary<RecordingLink, Named> _named = [];
    private readonly Queue<(RecordingLink Link, Instant At)> _order = new();

    /// <summary>Notes that a session has that name, and gives back the others that have it.</summary>
    public IReadOnlyList<SessionId> Add(Instant now, RecordingLink link, SessionId session)
    {
        Forget(now);
        if (!_named.TryGetValue(link, out var named)) _named.Add(link, named = new());

        named.LastAt = now;
        _order.Enqueue((link, now));
        IReadOnlyList<SessionId> others = [.. named.Sessions.Where(known => known != session)];
        if (named.Sessions.Count < MaxSessionsOfLink && !named.Sessions.Contains(session)) named.Sessions.Add(session);
        return others;
    }

    private void Forget(Instant now)
    {
        while (_order.TryPeek(out var oldest) && (_order.Count >= _maxLinks || oldest.At + Memory < now))
        {
            _order.Dequeue();
            if (_named.TryGetValue(oldest.Link, out var named) && named.LastAt == oldest.At) _named.Remove(oldest.Link);
        }
    }

    private sealed class Named
    {
        public List<SessionId> Sessions { get; } = [];

        public Instant LastAt { get; set; }
    }
}
