using System.Text.Json;
using System.Text.Json.Serialization;
using SipNat.Bench.Load;

namespace SipNat.Bench.Soak;

/// <summary>The outcome of a soak; the JSON document of <c>soak --json</c>.</summary>
public sealed record SoakReport
{
    /// <summary>What resident memory may grow by, from the first quarter to the last.</summary>
    public const double MostGrowthPercent = 5;

    public int Schema { get; init; } = 1;

    public required double Minutes { get; init; }

    public required SoakSessions Sessions { get; init; }

    public required SoakRecordings Recordings { get; init; }

    public required PacketReport Packets { get; init; }

    public required FrameReport Frames { get; init; }

    /// <summary>Null where the run was too short for four samples.</summary>
    public MemoryReport? Memory { get; init; }

    /// <summary>CPU time of the recorder as a share of one core, over the whole run.</summary>
    public required double CpuPercentOfCore { get; init; }

    /// <summary>How many findings of each code the recordings have.</summary>
    public required IReadOnlyDictionary<string, int> Findings { get; init; }

    /// <summary>What went wrong, one sentence each, the first few.</summary>
    public required IReadOnlyList<string> Problems { get; init; }

    public required IReadOnlyList<SoakSample> Samples { get; init; }

    public required MachineReport Machine { get; init; }

    /// <summary>Every session was recorded, every frame stands at its place, nothing is left over, and memory is flat.</summary>
    public bool IsWhole =>
        Problems.Count == 0 && Recordings is { Missing: 0, Left: 0 } && Packets is { Lost: 0, NotSent: 0 } && Frames is { Elsewhere: 0, Missing: 0 }
        && Memory is null or { ChangePercent: <= MostGrowthPercent };

    public string ToJson() => JsonSerializer.Serialize(this, SoakJson.Default.SoakReport);
}

/// <param name="Wanted">At one time, on average.</param>
/// <param name="MeanUp">What it was, after the warm-up.</param>
/// <param name="Refused">Begun and not taken by the recorder.</param>
/// <param name="BrokenOff">Left without a BYE.</param>
public sealed record SoakSessions(int Wanted, double MeanUp, int Begun, int Refused, int BrokenOff);

/// <param name="Verified">Complete, compared frame by frame and deleted.</param>
/// <param name="Missing">Of sessions that the recorder took, and not complete in time.</param>
/// <param name="Left">In the catalogue when all of them should have been deleted.</param>
public sealed record SoakRecordings(int Verified, int Missing, int Left);

/// <summary>Memory of the recorder's process after the warm-up, means of the first and of the last quarter of the time.</summary>
/// <param name="FirstMegabytes">Resident, in the first quarter.</param>
/// <param name="LastMegabytes">Resident, in the last quarter.</param>
/// <param name="FirstAnonymousMegabytes">What of it is no file: heaps and stacks.</param>
/// <param name="LastAnonymousMegabytes">The same in the last quarter.</param>
public sealed record MemoryReport(
    double FirstMegabytes, double LastMegabytes, double ChangePercent, double FirstAnonymousMegabytes, double LastAnonymousMegabytes, double AnonymousChangePercent);

/// <param name="Seconds">Since the first session.</param>
/// <param name="Up">Sessions that were up.</param>
public sealed record SoakSample(double Seconds, int Up, double ResidentMegabytes, double AnonymousMegabytes);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(SoakReport))]
internal sealed partial class SoakJson : JsonSerializerContext;
