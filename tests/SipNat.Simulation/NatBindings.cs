using SipNat.Wire;

namespace SipNat.Simulation;

/// <summary>The mappings of one NAT, by internal endpoint and by external port.</summary>
internal sealed class NatBindings
{
    private readonly NatOptions _options;
    private readonly PortForwards _forwards;
    private readonly Random _random;
    private readonly Dictionary<NatBindingKey, NatBinding> _byKey = [];
    private readonly Dictionary<(bool IsStream, int Port), NatBinding> _byPort = [];
    private readonly HashSet<(bool IsStream, int Port)> _reserved = [];
    private int _lastPort;

    public NatBindings(NatOptions options, PortForwards forwards, Random random)
    {
        (_options, _forwards, _random) = (options, forwards, random);
        _lastPort = options.FirstPort - 1;
    }

    public int Count(Instant now) => _byKey.Values.Count(binding => now < binding.Expires);

    public void Clear()
    {
        _byKey.Clear();
        _byPort.Clear();
    }

    public void ClearAndReserve(Instant now)
    {
        foreach (var (port, binding) in _byPort)
        {
            if (now < binding.Expires) _reserved.Add(port);
        }

        Clear();
    }

    /// <summary>The live mapping for a pair of endpoints; null when there is none.</summary>
    public NatBinding? Find(Instant now, TransportProtocol transport, TransportAddress source, TransportAddress remote)
    {
        var key = NatBindingKey.For(_options.Mapping, transport, source, remote);
        return _byKey.TryGetValue(key, out var binding) && now < binding.Expires ? binding : null;
    }

    /// <summary>Gives the external port of an outgoing packet, mapping it where need be; null when all ports are taken.</summary>
    public int? HandleOutbound(Instant now, Packet packet)
    {
        var binding = Find(now, packet.Transport, packet.From, packet.To);
        if (binding is null && !TryCreate(now, packet, out binding)) return null;

        binding!.HandleOutbound(now, packet.To);
        return binding.ExternalPort;
    }

    /// <summary>Gives the internal endpoint of an incoming packet, or why it is refused.</summary>
    public DropReason? HandleInbound(Instant now, Packet packet, out TransportAddress source)
    {
        source = default;
        if (!_byPort.TryGetValue((packet.Transport.IsReliable, packet.To.Port), out var binding) || now >= binding.Expires) return DropReason.NoMapping;
        if (!binding.TryHandleInbound(now, packet.From)) return DropReason.Filtered;

        source = binding.Key.Source;
        return null;
    }

    private bool TryCreate(Instant now, Packet packet, out NatBinding? binding)
    {
        binding = null;
        var key = NatBindingKey.For(_options.Mapping, packet.Transport, packet.From, packet.To);
        if (_byKey.TryGetValue(key, out var expired)) Remove(expired);
        if (FindFreePort(now, key) is not { } port) return false;

        binding = new(_options, key, port);
        _byKey.Add(key, binding);
        _byPort.Add((key.IsStream, port), binding);
        return true;
    }

    private int? FindFreePort(Instant now, NatBindingKey key)
    {
        var wanted = key.Source.Port;
        if (_options.PortAssignment is PortAssignment.Preserve && IsFree(now, key.IsStream, wanted)) return wanted;

        var step = _options.PortAssignment is PortAssignment.Parity ? 2 : 1;
        var ports = _options.LastPort - _options.FirstPort + 1;
        var start = _options.PortAssignment switch
        {
            PortAssignment.Preserve => wanted + 1,
            PortAssignment.Sequential => _lastPort + 1,
            PortAssignment.Random => _options.FirstPort + _random.Next(ports),
            _ => SameParity(_options.FirstPort + _random.Next(ports), wanted),
        };

        for (var i = 0; i < ports; i += step)
        {
            var port = _options.FirstPort + Wrap(start + i - _options.FirstPort, ports);
            if (step == 2 && (port & 1) != (wanted & 1)) port = SameParity(port, wanted);
            if (port > _options.LastPort || !IsFree(now, key.IsStream, port)) continue;

            return _lastPort = port;
        }

        return null;
    }

    private bool IsFree(Instant now, bool isStream, int port)
    {
        if (_reserved.Contains((isStream, port)) || _forwards.Has(port)) return false;
        if (!_byPort.TryGetValue((isStream, port), out var binding)) return true;
        if (now < binding.Expires) return false;

        Remove(binding);
        return true;
    }

    private void Remove(NatBinding binding)
    {
        _byKey.Remove(binding.Key);
        _byPort.Remove((binding.Key.IsStream, binding.ExternalPort));
    }

    private static int Wrap(int offset, int count) => ((offset % count) + count) % count;

    private static int SameParity(int port, int wanted) => (port & 1) == (wanted & 1) ? port : port ^ 1;
}
