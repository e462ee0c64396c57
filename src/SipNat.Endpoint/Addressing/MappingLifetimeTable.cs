using SipNat.Traversal.Discovery;
using SipNat.Traversal.Stun;
using SipNat.Wire;

namespace SipNat.Endpoint.Addressing;

/// <summary>
/// The NATs that local addresses of this machine are behind: how long each keeps a silent mapping, when that is to be
/// measured, and how often mappings are therefore kept alive.
/// </summary>
/// <param name="keepalive">The bound that is configured; a lifetime can only lower it.</param>
public sealed class MappingLifetimeTable(TimeSpan keepalive)
{
    /// <summary>Local addresses that are looked after; more have the bound that the others led to.</summary>
    public const int MaxNats = 8;

    /// <summary>Between the begins of two measurements of one NAT, however often its address changes.</summary>
    public static readonly TimeSpan Pause = TimeSpan.FromMinutes(10);

    /// <summary>After one that found nothing: packets may have been lost, or servers be out of order.</summary>
    public static readonly TimeSpan PauseAfterNothing = TimeSpan.FromHours(1);

    private readonly List<Nat> _nats = [];

    /// <summary>The longest time between two packets that keep a mapping alive.</summary>
    public TimeSpan Bound => Shortest is { } shortest ? KeepaliveInterval.BoundFor(shortest.Lifetime, keepalive) : keepalive;

    /// <summary>The shortest lifetime that was measured; <c>IsEnd</c> is false where mappings live longer. Null where none is known.</summary>
    public (TimeSpan Lifetime, bool IsEnd)? Shortest => _nats.Where(nat => nat.Lifetime is not null).MinBy(nat => nat.Lifetime) is { } nat
        ? (nat.Lifetime!.Value, nat.IsEnd)
        : null;

    /// <summary>When <see cref="TryTakeDue"/> has something next; null while nothing is to be measured.</summary>
    public Instant? Deadline
    {
        get
        {
            Instant? deadline = null;
            foreach (var nat in _nats) deadline = Instant.Earlier(deadline, nat.DueAt);
            return deadline;
        }
    }

    /// <summary>A STUN server sees a socket of a local address as <paramref name="mapped"/>.</summary>
    public void HandleMapping(Instant now, TransportAddress local, TransportAddress mapped)
    {
        var known = _nats.Find(nat => nat.Local.HasSameAddress(local));
        if (mapped.HasSameAddress(local))
        {
            if (known is not null) _nats.Remove(known);
            return;
        }

        if (known is null && _nats.Count < MaxNats) _nats.Add(new(local.WithPort(0)) { External = mapped, DueAt = now });
        if (known is null || known.External.HasSameAddress(mapped)) return;

        known.External = mapped;
        known.Begin(now);
    }

    /// <summary>This machine has these addresses now, or another way to the internet: a NAT may have come or gone.</summary>
    public void HandleNetworkChange(Instant now, IEnumerable<TransportAddress> locals)
    {
        var present = locals.ToList();
        _nats.RemoveAll(nat => !present.Exists(local => local.HasSameAddress(nat.Local)));
        foreach (var nat in _nats) nat.Begin(now);
    }

    /// <summary>Takes a local address, port 0, from which a measurement is to begin now; its result is awaited from then on.</summary>
    public bool TryTakeDue(Instant now, out TransportAddress local)
    {
        var due = _nats.Find(nat => nat.DueAt <= now);
        local = due?.Local ?? default;
        if (due is null) return false;

        (due.BegunAt, due.DueAt) = (now, null);
        return true;
    }

    /// <summary>What a measurement found. Where it found nothing, what was known goes on to count.</summary>
    public void HandleMeasured(TransportAddress local, MappingLifetimes found)
    {
        if (_nats.Find(nat => nat.Local == local) is not { } measured) return;

        if (found.Shorter is { } lifetime) (measured.Lifetime, measured.IsEnd) = (lifetime, found.IsEndSeen);
        else measured.DueAt ??= measured.BegunAt + PauseAfterNothing;
    }

    private sealed class Nat(TransportAddress local)
    {
        public TransportAddress Local { get; } = local;

        public required TransportAddress External { get; set; }

        public Instant? DueAt { get; set; }

        public Instant? BegunAt { get; set; }

        public TimeSpan? Lifetime { get; set; }

        public bool IsEnd { get; set; }

        public void Begin(Instant now) => DueAt = BegunAt + Pause is { } earliest && earliest > now ? earliest : now;
    }
}
