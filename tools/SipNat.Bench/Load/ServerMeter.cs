using System.Diagnostics;

namespace SipNat.Bench.Load;

/// <summary>What the recorder's process takes while every session of a run is up.</summary>
/// <param name="core">The core that it is held to; null where it is not.</param>
internal sealed class ServerMeter(ProcessMeter process, PacedSender sender, CoreMeter? core)
{
    private const double MegaByte = 1e6;

    private long _residentBefore;
    private long _residentAfter;
    private Reading _from;
    private Reading _to;

    /// <summary>Call it before the first INVITE.</summary>
    public void Begin() => _residentBefore = process.Resident;

    /// <summary>Call it when every session is up.</summary>
    public void AllUp() => _from = Read();

    /// <summary>Call it when the first session is over.</summary>
    public void FirstOver() => (_to, _residentAfter) = (Read(), process.Resident);

    public ServerReport Report(int sessions)
    {
        var cpu = _to.Cpu - _from.Cpu;
        var lasted = Stopwatch.GetElapsedTime(_from.At, _to.At);
        var busy = lasted - (_to.Idle - _from.Idle);
        var packets = Math.Max(_to.Packets - _from.Packets, 1);
        return new(
            Math.Round(cpu.TotalMicroseconds / packets, 2),
            Math.Round(100 * cpu / lasted, 1),
            Math.Round(_residentAfter / MegaByte, 1),
            Math.Round(process.MostResident / MegaByte, 1),
            Math.Round((_residentAfter - _residentBefore) / 1e3 / Math.Max(sessions, 1), 1))
        {
            CoreMicrosecondsPerPacket = busy is { } time ? Math.Round(time.TotalMicroseconds / packets, 2) : null,
            CorePercent = busy is { } share ? Math.Round(100 * share / lasted, 1) : null,
        };
    }

    private Reading Read() => new(Stopwatch.GetTimestamp(), process.CpuTime, core?.IdleTime, sender.Packets);

    private readonly record struct Reading(long At, TimeSpan Cpu, TimeSpan? Idle, long Packets);
}
