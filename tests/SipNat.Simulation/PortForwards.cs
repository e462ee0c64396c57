using SipNat.Wire;

namespace SipNat.Simulation;

/// <summary>
/// The static forwards of a NAT. They let anybody in. What a forwarded host sends back to somebody who came in by the
/// forward leaves from the forwarded port; what it sends elsewhere does so only where the NAT maps by endpoint or
/// preserves ports, as kernels do.
/// </summary>
internal sealed class PortForwards(NatOptions options)
{
    private const int SessionsBeforeSweep = 4096;

    private readonly Dictionary<int, TransportAddress> _targets = [];
    private readonly Dictionary<TransportAddress, int> _portOf = [];
    private readonly Dictionary<NatBindingKey, Session> _sessions = [];

    public bool Has(int externalPort) => _targets.ContainsKey(externalPort);

    public void Add(int externalPort, TransportAddress target, int count)
    {
        for (var i = 0; i < count; i++)
        {
            _targets[externalPort + i] = target.WithPort(target.Port + i);
            _portOf[target.WithPort(target.Port + i)] = externalPort + i;
        }
    }

    public void ForgetSessions() => _sessions.Clear();

    /// <summary>The internal endpoint that an incoming packet is forwarded to; null when its port is not forwarded.</summary>
    public TransportAddress? HandleInbound(Instant now, Packet packet)
    {
        if (!_targets.TryGetValue(packet.To.Port, out var target)) return null;

        Sweep(now);
        _sessions[new(packet.Transport.IsReliable, target, packet.From)] = new(packet.To.Port, now + Lifetime(packet.Transport));
        return target;
    }

    /// <summary>The external port of an outgoing packet; null when the forwards say nothing about it.</summary>
    public int? HandleOutbound(Instant now, Packet packet)
    {
        var key = new NatBindingKey(packet.Transport.IsReliable, packet.From, packet.To);
        if (_sessions.TryGetValue(key, out var session) && now < session.Expires)
        {
            _sessions[key] = session with { Expires = now + Lifetime(packet.Transport) };
            return session.ExternalPort;
        }

        var isKept = options.Mapping is NatMapping.EndpointIndependent || options.PortAssignment is PortAssignment.Preserve;
        return isKept && _portOf.TryGetValue(packet.From, out var port) ? port : null;
    }

    private TimeSpan Lifetime(TransportProtocol transport) => transport.IsReliable ? options.TcpLifetime : options.EstablishedLifetime;

    private void Sweep(Instant now)
    {
        if (_sessions.Count < SessionsBeforeSweep) return;

        foreach (var (key, session) in _sessions)
        {
            if (now >= session.Expires) _sessions.Remove(key);
        }
    }

    private readonly record struct Session(int ExternalPort, Instant Expires);
}
