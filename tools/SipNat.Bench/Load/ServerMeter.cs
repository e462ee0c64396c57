using System.Diagnostics;

namespace SipNat.Bench.Load;

/// <summary>What the recorder's process takes while every session of a run is up.</summary>
/// <param name="core">The core that it is held to; null where it is not.</param>
internal sealed class ServerMeter(ProcessMeter process, PacedSender sender, CoreMeter? core)
{
    private const double MegaByte = 1e6;

    /// <summary>With less time in which every session is up, what is divided by its packets says nothing.</summary>
    public static readonly TimeSpan ShortestWindow = TimeSpan.FromSeconds(2);

    private long _residentBefore;
    private long _residentAfter;
    private long _mostResident;
    private Reading _begun;
    private Reading _answered;
    private Reading _from;
    private Reading _to;

    /// <summary>Call it before the first INVITE.</summary>
    public void Begin() => (_begun, _residentBefore) = (Read(), process.Resident);

    /// <summary>Call it when the last INVITE has been answered.</summary>
    public void Answered() => _answered = Read();

    /// <summary>Call it when every session is up.</summary>
    public void AllUp() => _from = Read();

    /// <summary>Call it when the first session is over, while the recorder still runs.</summary>
    public void FirstOver() => (_to, _residentAfter, _mostResident) = (Read(), process.Resident, process.MostResident);

    /// <summary>Call it when all sessions are over, where the recorder still runs.</summary>
    public void AllOver() => _mostResident = process.MostResident;

    public ServerReport Report(int sessions)
    {
        var cpu = _to.Cpu - _from.Cpu;
        var lasted = Stopwatch.GetElapsedTime(_from.At, _to.At);
        var busy = lasted - (_to.Idle - _from.Idle);
        var packets = Math.Max(_to.Packets - _from.Packets, 1);
        var isMeasured = lasted >= ShortestWindow;
        return new(
            isMeasured ? Math.Round(cpu.TotalMicroseconds / packets, 2) : null,
            isMeasured ? Math.Round(100 * cpu / lasted, 1) : null,
            Math.Round(_residentAfter / MegaByte, 1),
            Math.Round(_mostResident / MegaByte, 1),
            Math.Round((_residentAfter - _residentBefore) / 1e3 / Math.Max(sessions, 1), 1))
        {
            MillisecondsPerSetUp = !isMeasured ? null : Math.Round(SetUpTime(cpu / packets).TotalMilliseconds / Math.Max(sessions, 1), 3),
            CoreMicrosecondsPerPacket = isMeasured && busy is { } time ? Math.Round(time.TotalMicroseconds / packets, 2) : null,
            CorePercent = isMeasured && busy is { } share ? Math.Round(100 * share / lasted, 1) : null,
        };
    }

    // Sessions that are up send already while the others are set up.
    private TimeSpan SetUpTime(TimeSpan perPacket) => _answered.Cpu - _begun.Cpu - (perPacket * (_answered.Packets - _begun.Packets));

    private Reading Read() => new(Stopwatch.GetTimestamp(), process.CpuTime, core?.IdleTime, sender.Packets);

    private readonly record struct Reading(long At, TimeSpan Cpu, TimeSpan? Idle, long Packets);
}
