using SipNat.Traversal.Stun;
using SipNat.Wire;

namespace SipNat.Traversal.Discovery;

/// <summary>
/// Measures how long a NAT keeps a silent UDP mapping, with a server that knows RESPONSE-PORT (RFC 5780 §4.6). Many
/// sockets fall silent at once, each for a different time; then one more socket asks the server to send to each of their
/// external ports. What arrives proves that the mapping lives, and nothing that the socket sends can have made it anew.
/// </summary>
/// <remarks>
/// Kernels keep a mapping that carried packets both ways for a while longer than one that carried a single exchange:
/// both are measured. The shell opens <see cref="SocketCount"/> UDP sockets on one local address; the measurement begins
/// with the last of them.
/// </remarks>
public sealed class MappingLifetimeProbe : IProtocolCore
{
    private const int Asker = 0;

    private readonly MappingLifetimeOptions _options;
    private readonly Random _random;
    private readonly List<(FlowId Flow, TransportAddress Local)> _sockets = [];
    private readonly List<LifetimeLane> _lanes = [];

    /// <param name="options">Whom to ask, and for how long to be silent.</param>
    /// <param name="random">Transaction ids come from it.</param>
    public MappingLifetimeProbe(MappingLifetimeOptions options, Random random)
    {
        (_options, _random) = (options, random);
        SocketCount = 1 + (2 * options.Silences.Count);
    }

    /// <summary>How many UDP sockets have to be opened for it.</summary>
    public int SocketCount { get; }

    /// <summary>What was found; null while it is being measured.</summary>
    public MappingLifetimes? Result { get; private set; }

    /// <summary>Sockets that are done, and all of them; for people who wait.</summary>
    public (int Done, int Known) Progress => (_lanes.Count(lane => lane.IsOver), _lanes.Count);

    public Outbox Outbox { get; } = new();

    public Instant? Deadline
    {
        get
        {
            if (Result is not null) return null;

            Instant? deadline = null;
            foreach (var lane in _lanes) deadline = Instant.Earlier(deadline, lane.Deadline);
            return deadline;
        }
    }

    public void HandleFlow(Instant now, FlowId flow, FlowChange change)
    {
        if (change.Kind is not FlowChangeKind.Opened || _sockets.Count == SocketCount) return;

        _sockets.Add((flow, change.Local));
        if (_sockets.Count < SocketCount) return;

        var start = now;
        var socket = Asker;
        foreach (var silence in _options.Silences)
        {
            foreach (var isEstablished in (bool[])[false, true])
            {
                _lanes.Add(new(_options, _sockets[++socket].Flow, _sockets[Asker].Flow, silence, isEstablished, start, _random));
                start += _options.Pace;
            }
        }
    }

    public void HandleDatagram(Instant now, FlowId flow, TransportAddress from, ReadOnlySpan<byte> datagram)
    {
        if (Result is not null || from != _options.Server) return;
        if (!StunMessage.TryRead(datagram, out var message, out _) || message.Method is not StunMethod.Binding) return;
        if (message.Class is not (StunClass.Success or StunClass.Error)) return;

        // The answer to a request with RESPONSE-PORT has come back to the port that asked: the server does not know it.
        if (flow == _sockets[Asker].Flow)
        {
            var id = message.TransactionId;
            if (_lanes.Exists(lane => lane.IsAwaitingEcho(id))) Result = MappingLifetimes.Inconclusive;
            return;
        }

        foreach (var lane in _lanes)
        {
            if (lane.Flow == flow) lane.HandleResponse(now, message);
        }

        CompleteIfClear();
    }

    public void HandleTimeout(Instant now)
    {
        if (Result is not null) return;

        foreach (var lane in _lanes) lane.HandleTimeout(now, Outbox);
        CompleteIfClear();
    }

    public bool TryTakeRequest(out FlowRequest request)
    {
        request = default;
        return false;
    }

    private void CompleteIfClear()
    {
        if (IsUnsupported())
        {
            Result = MappingLifetimes.Inconclusive;
            return;
        }

        var (fresh, established) = (Lanes(isEstablished: false), Lanes(isEstablished: true));
        if (!IsClear(fresh) || !IsClear(established)) return;

        Result = new(Estimate(fresh), Estimate(established)) { FreshAtLeast = LongestAlive(fresh), EstablishedAtLeast = LongestAlive(established) };
    }

    // The shortest silences outlive no mapping: where they bring nothing, it is the server or a firewall.
    private bool IsUnsupported() => _lanes.Count > 0 && _lanes[0].IsOver && _lanes[1].IsOver && !_lanes[0].IsAlive && !_lanes[1].IsAlive;

    private List<LifetimeLane> Lanes(bool isEstablished) => [.. _lanes.Where(lane => lane.IsEstablished == isEstablished)];

    // Clear when enough of the next longer silences than the longest survived one brought nothing, or when all are over.
    private static bool IsClear(List<LifetimeLane> lanes) =>
        lanes.TrueForAll(lane => lane.IsOver)
        || (lanes.FindLastIndex(lane => lane.IsAlive) is >= 0 and var alive && DeadAfter(lanes, alive).Count() >= MappingLifetimes.DeadLanes);

    private static TimeSpan LongestAlive(List<LifetimeLane> lanes) => lanes.FindLast(lane => lane.IsAlive)?.Silence ?? default;

    // What arrived is a fact; a shorter silence that brought nothing was a loss.
    private static Measured<TimeSpan> Estimate(List<LifetimeLane> lanes)
    {
        var alive = lanes.FindLastIndex(lane => lane.IsAlive);
        if (alive < 0) return default;

        var dead = DeadAfter(lanes, alive).ToList();
        if (dead.Count < MappingLifetimes.DeadLanes) return default;

        // The middle by ratio, as the silences grow by a ratio.
        var seconds = Math.Sqrt(lanes[alive].Silence.TotalSeconds * dead[0].Silence.TotalSeconds);
        return Measured<TimeSpan>.Of(TimeSpan.FromSeconds(Math.Round(seconds, 1)), dead.Count);
    }

    // The dead ones up to the first that is not over; a lane that found no beginning says nothing.
    private static IEnumerable<LifetimeLane> DeadAfter(List<LifetimeLane> lanes, int alive) =>
        lanes.Skip(alive + 1).TakeWhile(lane => lane.IsOver).Where(lane => lane.IsDead);
}

/// <summary>How long mappings live without a packet. Both are inconclusive where they outlive the longest silence.</summary>
/// <param name="Fresh">After one request and its answer.</param>
/// <param name="Established">After packets both ways for some seconds.</param>
public sealed record MappingLifetimes(Measured<TimeSpan> Fresh, Measured<TimeSpan> Established)
{
    /// <summary>Silences longer than the mapping that have to agree.</summary>
    internal const int DeadLanes = 3;

    public static MappingLifetimes Inconclusive { get; } = new(default, default);

    /// <summary>The longest silence that a fresh mapping was seen to outlive; zero where none was seen.</summary>
    public TimeSpan FreshAtLeast { get; init; }

    /// <summary>The same of an established one.</summary>
    public TimeSpan EstablishedAtLeast { get; init; }

    /// <summary>
    /// What keepalives have to reckon with: the shorter of both, of which nobody knows which one a flow has at a moment.
    /// Where no end was seen, the mapping was at least seen to live so long. Null where neither is known.
    /// </summary>
    public TimeSpan? Shorter => (Fresh.Value ?? FreshAtLeast, Established.Value ?? EstablishedAtLeast) switch
    {
        ({ Ticks: 0 }, { Ticks: 0 }) => null,
        (var fresh, { Ticks: 0 }) => fresh,
        ({ Ticks: 0 }, var established) => established,
        var (fresh, established) => fresh < established ? fresh : established,
    };

    /// <summary>Whether the end of a mapping that lives for <see cref="Shorter"/> was seen; else it lives longer.</summary>
    public bool IsEndSeen => Shorter is { } shorter && (Fresh.Value == shorter || Established.Value == shorter);
}
