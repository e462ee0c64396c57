using SipNat.Traversal.Ice;
using SipNat.Wire;

namespace SipNat.Endpoint.Media;

/// <summary>
/// The sockets that ICE checks from: those of the description, and on this machine's other addresses some more, until a
/// path is chosen.
/// </summary>
internal sealed partial class PathFinder
{
    // A controlling peer that nominates whatever works first takes less to nominate the best.
    private static readonly TimeSpan SettlingTime = TimeSpan.FromSeconds(5);

    private readonly List<MediaPortFlows> _sockets = [];
    private readonly Dictionary<FlowId, TransportAddress> _mapped = [];
    private Instant? _settleAt;
    private bool _isSettled;
    private bool _wantsSockets;

    /// <summary>The socket or relay of RTP's path; null while ICE has none.</summary>
    public FlowId? MediaFlow => HasAgent ? _agent!.PathOf(1)?.Flow : null;

    /// <summary>A pair of sockets is there.</summary>
    public void AddSockets(Instant now, MediaPortFlows flows, int localPreference)
    {
        _sockets.Add(flows);
        if (_agent is null) return;

        _agent.AddHost(now, flows.Rtp, 1, flows.LocalRtp, localPreference);
        if (_agent.Components > 1) _agent.AddHost(now, flows.Rtcp, 2, flows.LocalRtcp, localPreference);
    }

    /// <summary>A pair of sockets, for which there was no use, closes.</summary>
    public void RemoveSockets(MediaPortFlows flows)
    {
        _sockets.Remove(flows);
        _agent?.RemoveHost(flows.Rtp);
        _agent?.RemoveHost(flows.Rtcp);
        _mapped.Remove(flows.Rtp);
        _mapped.Remove(flows.Rtcp);
    }

    /// <summary>Whether ICE begins, or begins anew, so that every address of this machine counts; asking clears it.</summary>
    public bool TakeWantsSockets()
    {
        var wants = _wantsSockets && HasAgent;
        _wantsSockets = false;
        return wants;
    }

    /// <summary>Whether ICE has ended, for better or worse, and sockets may close; asking clears it.</summary>
    public bool TakeSettled()
    {
        var isSettled = _isSettled;
        _isSettled = false;
        return isSettled;
    }

    /// <summary>Whether a path begins at one of two sockets.</summary>
    public bool IsOnPath(MediaPortFlows flows) => IsOnPath(flows.Rtp) || IsOnPath(flows.Rtcp);

    /// <summary>The same, or a check has proved one, so that a path that dies has another to take its place.</summary>
    public bool HasUseFor(MediaPortFlows flows) =>
        IsOnPath(flows) || (HasAgent && (_agent!.HasProved(flows.Rtp) || _agent.HasProved(flows.Rtcp)));

    /// <summary>How a STUN server sees a socket.</summary>
    public void SetMapping(Instant now, FlowId flow, TransportAddress mapped, TransportAddress server)
    {
        if (_agent is null) return;

        var isKnown = _mapped.TryGetValue(flow, out var known);
        _mapped[flow] = mapped;
        if (known == mapped) return;

        _agent.SetServerReflexive(flow, mapped, server);
        if (isKnown && HasAgent && IsThroughNat(flow))
        {
            _events.Enqueue(new PathEvent.MappingChanged(mapped));
            Restart(now);
        }
        else
        {
            // RTP and RTCP hear of a new address one after the other: a peer that was told of the first alone is told again.
            if (isKnown && _agent.State is IceState.New) Version++;
            NoteCandidates(now);
        }
    }

    private bool IsOnPath(FlowId flow) => HasAgent && (_agent!.PathOf(1)?.Flow == flow || _agent.PathOf(2)?.Flow == flow);

    private bool IsOfRelay(FlowId flow) => SocketComponentOf(flow) == 0;

    // 0 for what is no socket of this port.
    private int SocketComponentOf(FlowId flow)
    {
        foreach (var sockets in _sockets)
        {
            if (flow == sockets.Rtp) return 1;
            if (flow == sockets.Rtcp) return 2;
        }

        return 0;
    }

    // A path that ends at our own socket, or begins at a relay, does not depend on the mapping.
    private bool IsThroughNat(FlowId flow)
    {
        var path = _agent!.PathOf(Math.Min(SocketComponentOf(flow), _agent.Components));
        return _agent.State is not IceState.New && (path is null || (path.Flow == flow && path.Local.Type is not CandidateType.Host));
    }

    private void SettleBy(Instant at) => _settleAt = at;

    private void Settle(Instant now)
    {
        if (_settleAt is null || _settleAt > now) return;

        (_settleAt, _isSettled) = (null, true);
    }
}
