using SipNat.Traversal.Stun;
using SipNat.Wire;

namespace SipNat.Endpoint.Diagnosis;

/// <summary>
/// Looks for a SIP ALG between this host and a SIP server: something on the way that writes addresses into SIP. Each of
/// several sockets asks a STUN server how it is seen and sends the SIP server an OPTIONS; what comes back is held against
/// what was sent.
/// </summary>
/// <remarks>
/// A gateway that translates the answers back leaves Via and Contact as they were. It gives itself away by translating
/// too much: <c>received</c> becomes our own private address, which no server on the internet can have seen, or From
/// gains a port. The shell opens <see cref="SocketCount"/> UDP sockets on one local address, the first on port 5060 where
/// that is free; the measurement begins with the last of them.
/// </remarks>
public sealed class SipAlgProbe : IProtocolCore
{
    /// <summary>How many UDP sockets have to be opened for it.</summary>
    public const int SocketCount = 3;

    /// <summary>More STUN servers are not asked.</summary>
    public const int MaxServers = 2;

    private readonly SipAlgProbeOptions _options;
    private readonly Random _random;
    private readonly List<SipAlgLane> _lanes = [];

    /// <param name="options">Whom to ask.</param>
    /// <param name="random">Tags, branches and transaction ids come from it.</param>
    public SipAlgProbe(SipAlgProbeOptions options, Random random) => (_options, _random) = (options, random);

    /// <summary>What was found; null until everything has been answered or given up.</summary>
    public SipAlgMeasurement? Result { get; private set; }

    /// <summary>Sockets that are done, and all of them; for people who wait.</summary>
    public (int Done, int Known) Progress => (_lanes.Count(lane => lane.IsOver), SocketCount);

    public Outbox Outbox { get; } = new();

    public Instant? Deadline
    {
        get
        {
            Instant? deadline = null;
            foreach (var lane in _lanes) deadline = Instant.Earlier(deadline, lane.Deadline);
            return deadline;
        }
    }

    public void HandleFlow(Instant now, FlowId flow, FlowChange change)
    {
        if (change.Kind is not FlowChangeKind.Opened || _lanes.Count == SocketCount) return;

        _lanes.Add(new(_options, flow, change.Local, _random));
        if (_lanes.Count < SocketCount) return;

        var start = now;
        foreach (var lane in _lanes)
        {
            lane.Start(start, _random);
            start += _options.Pace;
        }
    }

    public void HandleDatagram(Instant now, FlowId flow, TransportAddress from, ReadOnlySpan<byte> datagram)
    {
        if (_lanes.Count < SocketCount || _lanes.Find(lane => lane.Flow == flow) is not { } lane) return;

        if (StunMessage.LooksLikeStun(datagram)) lane.HandleStun(from, datagram);
        else lane.HandleSip(from, datagram);
        CompleteIfOver();
    }

    public void HandleTimeout(Instant now)
    {
        if (_lanes.Count < SocketCount) return;

        foreach (var lane in _lanes) lane.HandleTimeout(now, Outbox);
        CompleteIfOver();
    }

    public bool TryTakeRequest(out FlowRequest request)
    {
        request = default;
        return false;
    }

    private void CompleteIfOver()
    {
        if (Result is null && _lanes.TrueForAll(lane => lane.IsOver)) Result = SipAlgMeasurement.Of(_lanes);
    }
}
