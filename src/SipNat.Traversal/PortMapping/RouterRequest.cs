using SipNat.Wire;

namespace SipNat.Traversal.PortMapping;

/// <summary>One datagram to the router, sent again until it is answered or given up.</summary>
internal sealed class RouterRequest(Instant now, byte[] request, RouterSchedule schedule, Random random)
{
    private TimeSpan _wait = schedule.Initial;
    private int _sends;

    /// <summary>When <see cref="HandleTimeout"/> wants to run next.</summary>
    public Instant Deadline { get; private set; } = now;

    /// <summary>Sends what is due; true when the router has been given up.</summary>
    public bool HandleTimeout(Instant now, Outbox outbox, FlowId flow, TransportAddress router)
    {
        if (now < Deadline) return false;
        if (_sends == schedule.Sends) return true;

        outbox.Add(flow, router, request);
        _sends++;
        var wait = _wait * (1 + (schedule.Jitter * ((2 * random.NextDouble()) - 1)));
        // After a suspend the missed sends are skipped.
        Deadline = Deadline + wait > now ? Deadline + wait : now + wait;
        _wait = _wait * 2 < schedule.Max ? _wait * 2 : schedule.Max;
        return false;
    }
}
