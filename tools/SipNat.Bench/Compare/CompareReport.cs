using System.Text.Json;
using System.Text.Json.Serialization;
using SipNat.Bench.Load;

namespace SipNat.Bench.Compare;

/// <summary>The outcome of a comparison; the JSON document of <c>compare --json</c>.</summary>
public sealed record CompareReport
{
    public int Schema { get; init; } = 1;

    public required int Streams { get; init; }

    /// <summary>How long each run was measured.</summary>
    public required double Seconds { get; init; }

    /// <summary>Each program as often as it was run.</summary>
    public required int Runs { get; init; }

    /// <summary>Whether the kernel's work of receiving was done on the core that is measured, and not in the time of the sender.</summary>
    public required bool IsAllIn { get; init; }

    /// <summary>What the packets went over.</summary>
    public required string Network { get; init; }

    public required IReadOnlyList<ComparedProgram> Programs { get; init; }

    public required MachineReport Machine { get; init; }

    public string ToJson() => JsonSerializer.Serialize(this, CompareJson.Default.CompareReport);
}

/// <summary>What one program came to; medians of its runs.</summary>
/// <param name="CpuMicrosecondsPerPacket">CPU time of its process for each packet that was sent; null where it could not be run.</param>
/// <param name="CpuPercentOfCore">The same as a share of one core.</param>
/// <param name="CoreMicrosecondsPerPacket">Time in which the core was not idle, whoever ran there; null where the program was not held to one.</param>
/// <param name="CorePercent">The same as a share of the core.</param>
/// <param name="RatioToLimit">To the C program: of the core's time in an all-in run, else of the process's.</param>
/// <param name="Received">The share of the packets that it says it has received, in the worst run; null where it does not say.</param>
/// <param name="ResidentMegabytes">At the end of the measuring.</param>
/// <param name="Note">Why it was not run, or what is to be known of it.</param>
public sealed record ComparedProgram(
    string Name, double? CpuMicrosecondsPerPacket, double? CpuPercentOfCore, double? CoreMicrosecondsPerPacket, double? CorePercent,
    double? RatioToLimit, double? Received, double? ResidentMegabytes, string Note);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(CompareReport))]
internal sealed partial class CompareJson : JsonSerializerContext;
