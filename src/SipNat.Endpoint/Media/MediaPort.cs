using SipNat.Traversal.Ice;
using SipNat.Traversal.Stun;
using SipNat.Wire;

namespace SipNat.Endpoint.Media;

/// <summary>
/// A bound pair of media sockets, and while ICE needs them further pairs on other addresses of this machine. It is opened
/// and mapped before a session needs it, and serves one session only.
/// </summary>
internal sealed class MediaPort
{
    private readonly List<MediaSocketPair> _pairs;
    private Instant _openedAt;
    private IceDescription? _told;
    private int _toldVersion;

    public MediaPort(Instant now, MediaSocketPair sockets) => (_pairs, _openedAt) = ([sockets], now);

    /// <summary>The sockets whose address is the one to tell a peer without ICE.</summary>
    public MediaPortFlows Flows => Main.Flows;

    /// <summary>Every pair of sockets, <see cref="Flows"/> first.</summary>
    public IReadOnlyList<MediaSocketPair> Pairs => _pairs;

    /// <summary>The session that owns the pair; null while it is spare.</summary>
    public MediaSession? Owner { get; set; }

    /// <summary>Its place among the ports of its owner.</summary>
    public int Index { get; set; }

    /// <summary>ICE and relays, where the session asked for them.</summary>
    public PathFinder? Paths { get; private set; }

    /// <summary>The longest time between two packets that keep the mapping of the RTP socket alive.</summary>
    public TimeSpan RtpKeepalive => Main.RtpKeepalive;

    /// <summary>The same for RTCP.</summary>
    public TimeSpan RtcpKeepalive => Main.RtcpKeepalive;

    /// <summary>Connections of its relays.</summary>
    public RelayFlows? Relays { get; private set; }

    /// <summary>Addresses on which sockets are being bound for ICE, with their local preference: what is told waits for them.</summary>
    public List<(TransportAddress Host, int LocalPreference)> AwaitedHosts { get; } = [];

    public Instant? Deadline
    {
        get
        {
            var deadline = Paths?.Deadline;
            foreach (var pair in _pairs) deadline = Instant.Earlier(deadline, pair.Deadline);
            return deadline;
        }
    }

    /// <summary>Whether a relay is of use to a peer that does without ICE: what STUN servers see is not, or not known.</summary>
    public bool IsHardToReach => Main.IsHardToReach;

    private MediaSocketPair Main => _pairs[0];

    /// <summary>What is known of the addresses. A description that lacks sockets which are being bound is not told.</summary>
    public MediaPortAddresses TellAddresses()
    {
        if (AwaitedHosts.Count == 0) (_told, _toldVersion) = (Paths?.Description, Paths?.Version ?? 0);
        return new(
            Main.AddressesOf(1, Paths?.RelayOf(1)),
            Main.AddressesOf(2, Paths?.RelayOf(2)),
            MappingAwaited: Main.IsMappingAwaited || Paths is { IsAsking: true },
            _openedAt,
            _told,
            _toldVersion);
    }

    /// <summary>Looks for more ways to the peer, or looks again.</summary>
    /// <param name="relays">Who opens the flows of relays; null where none is to be asked for.</param>
    public void Gather(Instant now, PathNeeds needs, MediaPlaneOptions options, RelayFlows? relays, Random random)
    {
        var isFirstRelay = needs.WantsRelay && Relays is null && relays is not null;
        if (Paths is { Description: not null } || (Paths is not null && needs.IceComponents == 0 && !isFirstRelay))
        {
            if (needs.IceComponents > 0) Paths.Restart(now);
            return;
        }

        // With neither there is one way, that of the description.
        if (Paths is null && needs.IceComponents == 0 && relays is null) return;

        var former = Paths;
        former?.ReleaseRelays(now);
        if (relays is not null) _openedAt = now;
        relays?.LimitKeepalive(ShorterKeepalive);
        (Relays, Paths) = (relays ?? Relays, new(now, needs, options, relays, random, (former?.Version ?? 0) + 1));
        if (former is not null) Paths.Outbox.TakeAllFrom(former.Outbox);
        foreach (var pair in _pairs) Introduce(now, pair, Paths);
    }

    public bool HasPairOn(TransportAddress host)
    {
        foreach (var pair in _pairs)
        {
            if (pair.Flows.LocalRtp.HasSameAddress(host)) return true;
        }

        return false;
    }

    /// <summary>Adds sockets on another address to those that ICE tries.</summary>
    /// <param name="localPreference">Its place among the addresses; the next free one below where another has it.</param>
    public void Add(Instant now, MediaSocketPair pair, int localPreference)
    {
        while (_pairs.Exists(p => p.LocalPreference == localPreference)) localPreference--;
        pair.LocalPreference = localPreference;
        _pairs.Add(pair);
        if (Paths is not null) Introduce(now, pair, Paths);
    }

    /// <summary>The place of the first pair among the addresses that ICE tells.</summary>
    public void SetLocalPreference(int localPreference) => Main.LocalPreference = localPreference;

    /// <summary>Gives up the pairs that no path needs and no check has proved; those that one has proved fall silent.</summary>
    public IReadOnlyList<MediaSocketPair> TakeUnneeded()
    {
        var unneeded = _pairs.FindAll(pair => pair != Main && !(Paths?.HasUseFor(pair.Flows) ?? false));
        foreach (var pair in unneeded)
        {
            _pairs.Remove(pair);
            Paths?.RemoveSockets(pair.Flows);
        }

        foreach (var pair in _pairs)
        {
            if (pair != Main && !(Paths?.IsOnPath(pair.Flows) ?? false)) pair.Rest();
        }

        return unneeded;
    }

    /// <summary>ICE begins anew: every address counts again.</summary>
    public void WakePairs(Instant now)
    {
        foreach (var pair in _pairs) pair.Wake(now);
    }

    /// <summary>Takes an answer of a STUN server, or a check of the peer; false leaves the datagram to somebody else.</summary>
    public bool TryHandle(Instant now, FlowId flow, TransportAddress from, ReadOnlySpan<byte> datagram)
    {
        foreach (var pair in _pairs)
        {
            if (pair.TryHandle(now, flow, from, datagram)) return true;
        }

        return Paths?.TryHandle(now, flow, from, datagram) is true;
    }

    public void HandleTimeout(Instant now, Outbox outbox)
    {
        if (Paths?.HandleTimeout(now) is true) Refresh(now);
        foreach (var pair in _pairs) pair.HandleTimeout(now, outbox);
        if (Paths is not null) outbox.TakeAllFrom(Paths.Outbox);
    }

    /// <summary>Which component a flow carries: 1 is RTP, 2 is RTCP; 0 for a flow of another port.</summary>
    public int ComponentOf(FlowId flow)
    {
        foreach (var pair in _pairs)
        {
            if (pair.ComponentOf(flow) is var component and > 0) return component;
        }

        return Paths?.ComponentOf(flow) ?? 0;
    }

    /// <summary>Whether the packets of the stream leave by a socket at this moment.</summary>
    public bool SendsMediaBy(FlowId flow) => flow == (Paths?.MediaFlow ?? Flows.Rtp);

    /// <summary>Asks how the sockets are seen at once.</summary>
    public void Refresh(Instant now)
    {
        foreach (var pair in _pairs) pair.Refresh(now);
    }

    /// <summary>The longest time between two packets that keep the mappings alive, as lifetimes were measured.</summary>
    public void LimitKeepalive(Instant now, TimeSpan bound)
    {
        foreach (var pair in _pairs) pair.LimitKeepalive(now, bound);
        Relays?.LimitKeepalive(ShorterKeepalive);
    }

    /// <summary>What was learned from a mapping that ended between two keepalives; null where none did since this was asked.</summary>
    public StunBindingEvent.MappingEnded? TakeEnded()
    {
        foreach (var pair in _pairs)
        {
            if (pair.TakeEnded() is not { } ended) continue;

            Relays?.LimitKeepalive(ShorterKeepalive);
            return ended;
        }

        return null;
    }

    /// <summary>Whether what is known of the addresses has changed; asking clears it.</summary>
    public bool TakeChanged(Instant now)
    {
        var changed = false;
        foreach (var pair in _pairs) changed |= pair.TakeChanged(now, Paths);
        return changed | Paths?.TakeChanged() is true;
    }

    private TimeSpan ShorterKeepalive => RtpKeepalive < RtcpKeepalive ? RtpKeepalive : RtcpKeepalive;

    private static void Introduce(Instant now, MediaSocketPair pair, PathFinder paths)
    {
        paths.AddSockets(now, pair.Flows, pair.LocalPreference);
        pair.Tell(now, paths);
    }
}
