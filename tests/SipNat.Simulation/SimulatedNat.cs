using SipNat.Wire;

namespace SipNat.Simulation;

/// <summary>
/// A NAT with its firewall: one external address outside, an address space of its own inside. The mapping is a key
/// function, the filter is apart (RFC 4787 §4.1 and §5).
/// </summary>
public sealed class SimulatedNat
{
    private const int LargestUnfragmented = 1472;

    private readonly SimulatedNetwork _network;
    private readonly NatBindings _bindings;
    private readonly PortForwards _forwards;
    private Instant? _downUntil;

    internal SimulatedNat(SimulatedNetwork network, TransportAddress publicAddress, NatOptions options, Realm outer, Random random)
    {
        (_network, PublicAddress, Options, Outer) = (network, publicAddress.WithPort(0), options, outer);
        Inner = new(this);
        _forwards = new(options);
        _bindings = new(options, _forwards, random);
        outer.Add(PublicAddress, this);
    }

    /// <summary>The external address, with port 0. Behind another NAT it is an address of that one's inside.</summary>
    public TransportAddress PublicAddress { get; private set; }

    public NatOptions Options { get; }

    internal Realm Outer { get; }

    internal Realm Inner { get; }

    /// <summary>Forwards external ports, UDP and TCP, to an internal host: port by port upwards from each first one.</summary>
    /// <param name="externalPort">The first external port.</param>
    /// <param name="to">The internal host's address and first port; without a port it is the same as outside.</param>
    /// <param name="count">How many ports.</param>
    public void Forward(int externalPort, string to, int count = 1) =>
        _forwards.Add(externalPort, TransportAddress.Parse(to, externalPort), count);

    /// <summary>Gives the NAT another external address, as a provider does. Mappings are lost, forwards stay.</summary>
    public void Renumber(string publicAddress)
    {
        var address = TransportAddress.Parse(publicAddress).WithPort(0);
        Outer.Remove(PublicAddress);
        Outer.Add(address, this);
        PublicAddress = address;
        _bindings.Clear();
        _forwards.ForgetSessions();
    }

    /// <summary>
    /// Restarts the NAT: nothing passes during <paramref name="outage"/>, all mappings are lost, and the external ports
    /// that they had are taken by something else, so that the same mapping does not come back.
    /// </summary>
    public void Reboot(TimeSpan outage = default)
    {
        _downUntil = _network.Now + outage;
        _bindings.ClearAndReserve(_network.Now);
        _forwards.ForgetSessions();
    }

    /// <summary>How many mappings are alive.</summary>
    public int CountMappings() => _bindings.Count(_network.Now);

    /// <summary>
    /// The external address and port that a UDP packet from an internal endpoint to a destination would show, if it has
    /// a live mapping; none otherwise. Looking does not refresh it.
    /// </summary>
    public TransportAddress ExternalOf(TransportAddress source, TransportAddress destination) =>
        _bindings.Find(_network.Now, TransportProtocol.Udp, source, destination) is { } binding
            ? PublicAddress.WithPort(binding.ExternalPort)
            : default;

    internal DropReason? TranslateOutbound(Packet packet)
    {
        var now = _network.Now;
        if (now < _downUntil) return DropReason.NatDown;
        if (packet.To.HasSameAddress(PublicAddress) && !Options.Hairpin) return DropReason.HairpinRefused;
        if (Options.DropsFragmentsOut && IsFragmented(packet)) return DropReason.FragmentRefused;

        var source = packet.From;
        var port = _forwards.HandleOutbound(now, packet) ?? _bindings.HandleOutbound(now, packet);
        if (port is not { } externalPort) return DropReason.PortsExhausted;

        packet.From = PublicAddress.WithPort(externalPort);
        if (Options.SipAlg is not SipAlgKind.None && packet.IsDatagram) SipAlg.Rewrite(packet, source, packet.From, Options.SipAlg);
        return null;
    }

    internal DropReason? TranslateInbound(Packet packet)
    {
        var now = _network.Now;
        if (now < _downUntil) return DropReason.NatDown;
        if (Options.DropsFragmentsIn && IsFragmented(packet)) return DropReason.FragmentRefused;

        var external = packet.To;
        if (_forwards.HandleInbound(now, packet) is { } target)
        {
            packet.To = target;
        }
        else
        {
            var refused = _bindings.HandleInbound(now, packet, out var source);
            if (refused is not null) return refused;

            packet.To = source;
        }

        if (Options.SipAlg is SipAlgKind.BothWays or SipAlgKind.Thorough && packet.IsDatagram) SipAlg.Rewrite(packet, external, packet.To, Options.SipAlg);
        return null;
    }

    private static bool IsFragmented(Packet packet) => packet.IsDatagram && packet.Bytes.Length > LargestUnfragmented;
}
