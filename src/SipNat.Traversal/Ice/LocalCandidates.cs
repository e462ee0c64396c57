using System.Globalization;
using SipNat.Wire;

namespace SipNat.Traversal.Ice;

/// <summary>The bases of an agent and the candidates that it tells (RFC 8445 §5.1.1).</summary>
internal sealed class LocalCandidates(bool isRelayOnly)
{
    /// <summary>Candidates beyond these are not taken; a machine has a few addresses.</summary>
    public const int MaxCandidates = 40;

    private readonly List<LocalBase> _bases = [];
    private readonly List<Candidate> _told = [];
    private readonly List<(CandidateType Type, TransportAddress Base, TransportAddress Server)> _foundations = [];

    public IReadOnlyList<LocalBase> Bases => _bases;

    public IReadOnlyList<Candidate> Told => _told;

    public LocalBase? FindBase(FlowId flow)
    {
        foreach (var local in _bases)
        {
            if (local.Flow == flow) return local;
        }

        return null;
    }

    /// <summary>The candidate with an address; null where there is none.</summary>
    public Candidate? Find(int component, TransportAddress address)
    {
        foreach (var candidate in _told)
        {
            if (candidate.Component == component && candidate.Address == address) return candidate;
        }

        return null;
    }

    /// <summary>Adds a socket; null where it is known, or must stay private.</summary>
    public LocalBase? AddHost(FlowId flow, int component, TransportAddress address, int localPreference)
    {
        if (isRelayOnly) return null;

        return AddBase(flow, CandidateType.Host, component, address, localPreference, server: default, related: default);
    }

    public LocalBase? AddRelayed(FlowId flow, int component, TransportAddress address, TransportAddress mapped, TransportAddress server, int localPreference) =>
        AddBase(flow, CandidateType.Relayed, component, address, localPreference, server, isRelayOnly ? default : mapped);

    public void AddServerReflexive(FlowId flow, TransportAddress mapped, TransportAddress server)
    {
        if (FindBase(flow) is not { } local || local.IsRelayed || _told.Count == MaxCandidates) return;
        // An address that is a base's own is redundant (RFC 8445 §5.1.3).
        if (Find(local.Component, mapped) is not null) return;

        var address = local.Candidate.Address;
        _told.Add(new(
            Foundation(CandidateType.ServerReflexive, address, server),
            local.Component,
            Candidate.PriorityOf(CandidateType.ServerReflexive, local.LocalPreference, local.Component),
            mapped,
            CandidateType.ServerReflexive,
            address));
    }

    /// <summary>The mapping of a socket has changed: what was told of it is wrong.</summary>
    public void RemoveServerReflexive(FlowId flow)
    {
        if (FindBase(flow) is { } local) _told.RemoveAll(candidate => candidate.Type is CandidateType.ServerReflexive && candidate.Related == local.Candidate.Address);
    }

    /// <summary>A socket or a relay is gone, with what was told of it.</summary>
    public void RemoveBase(FlowId flow)
    {
        if (FindBase(flow) is not { } local) return;

        RemoveServerReflexive(flow);
        _bases.Remove(local);
        _told.Remove(local.Candidate);
    }

    public void DropComponent(int component)
    {
        _bases.RemoveAll(local => local.Component == component);
        _told.RemoveAll(candidate => candidate.Component == component);
    }

    private LocalBase? AddBase(
        FlowId flow, CandidateType type, int component, TransportAddress address, int localPreference, TransportAddress server, TransportAddress related)
    {
        if (FindBase(flow) is not null || _told.Count == MaxCandidates) return null;

        var candidate = new Candidate(Foundation(type, address, server), component, Candidate.PriorityOf(type, localPreference, component), address, type, related);
        var local = new LocalBase(flow, candidate, localPreference);
        _bases.Add(local);
        _told.Add(candidate);
        return local;
    }

    // Equal for one type, one address of this machine and one server, whatever the ports (RFC 8445 §5.1.1.3).
    private string Foundation(CandidateType type, TransportAddress address, TransportAddress server)
    {
        var key = (type, address.WithPort(0), server.IsNone ? server : server.WithPort(0));
        var index = _foundations.IndexOf(key);
        if (index < 0)
        {
            index = _foundations.Count;
            _foundations.Add(key);
        }

        return (index + 1).ToString(CultureInfo.InvariantCulture);
    }
}
