using System.Globalization;
using SipNat.Simulation.Ice.Topologies;

namespace SipNat.NatLab.Commands;

/// <summary>What many topologies came to; the wrong ones are printed as they come.</summary>
internal sealed class SimulationSum(TextWriter output, bool showsAll)
{
    private readonly Lock _gate = new();
    private readonly int[] _sessions = new int[Enum.GetValues<PathClass>().Length];
    private long _packets;
    private int _healed;
    private IceTopologyResult? _slowest;

    public int Count { get; private set; }

    public int Wrong { get; private set; }

    public void Add(IceTopologyResult result)
    {
        lock (_gate)
        {
            Count++;
            if (!result.IsRight) Wrong++;
            for (var i = 0; i < _sessions.Length; i++) _sessions[i] += result.Sessions[i];
            _packets += result.Packets;
            _healed += result.Healed;
            if (_slowest is null || result.SlowestConnection > _slowest.SlowestConnection) _slowest = result;
            if (showsAll || !result.IsRight) output.WriteLine(result.Describe());
        }
    }

    public void Print(int from, TimeSpan elapsed, TimeSpan processor)
    {
        lock (_gate)
        {
            var line = new FormattableString[]
            {
                $"{Count} topologies from seed {from}: {Count - Wrong} right, {Wrong} wrong.",
                $"{_sessions.Sum()} sessions: {_sessions[0]} between own addresses, {_sessions[1]} through NATs, {_sessions[2]} by a relay, {_sessions[3]} impossible; {_healed} healed after they had lost their path.",
                $"{_packets} packets; the slowest connection took {_slowest?.SlowestConnection.TotalSeconds ?? 0:F1} s (seed {_slowest?.Topology.Seed ?? 0}).",
                $"{elapsed.TotalSeconds:F1} s, CPU {processor.TotalSeconds:F1} s: {processor.TotalMilliseconds / Math.Max(Count, 1):F2} ms for each.",
            };
            foreach (var text in line) output.WriteLine(text.ToString(CultureInfo.InvariantCulture));
        }
    }
}
