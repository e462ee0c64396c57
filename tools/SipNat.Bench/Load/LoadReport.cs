using System.Text.Json;
using System.Text.Json.Serialization;

namespace SipNat.Bench.Load;

/// <summary>The outcome of a load run; the JSON document of <c>load --json</c>.</summary>
public sealed record LoadReport
{
    public int Schema { get; init; } = 1;

    public required int Sessions { get; init; }

    public required int Streams { get; init; }

    /// <summary>Length of each session's audio.</summary>
    public required double Seconds { get; init; }

    public required SetUpReport SetUp { get; init; }

    /// <summary>Null where the sessions were not ended by BYE.</summary>
    public TeardownReport? Teardown { get; init; }

    public required PacketReport Packets { get; init; }

    /// <summary>Null where the recorder's files were out of reach.</summary>
    public FrameReport? Frames { get; init; }

    /// <summary>Null where the recorder's files were out of reach.</summary>
    public SilenceReport? Silence { get; init; }

    /// <summary>Null where the recorder's process was not named.</summary>
    public ServerReport? Server { get; init; }

    /// <summary>Null where no checks were asked for.</summary>
    public ChecksReport? Checks { get; init; }

    public FloodReport? Flood { get; init; }

    /// <summary>Null where the recorder was not killed.</summary>
    public KilledReport? Killed { get; init; }

    /// <summary>How many findings of each code the sessions have.</summary>
    public required IReadOnlyDictionary<string, int> Findings { get; init; }

    /// <summary>What went wrong in signalling, one sentence each, the first few.</summary>
    public required IReadOnlyList<string> Problems { get; init; }

    public required MachineReport Machine { get; init; }

    /// <summary>Every session was recorded, every packet counted, and every frame that could be looked for stands at its place.</summary>
    public bool IsWhole => Killed is { } killed ? killed.IsWhole && killed.Interrupted == SetUp.Answered && SetUp.Failed == 0 : SetUp.Failed == 0 && Problems.Count == 0 && Packets.Lost == 0 && Packets.NotSent == 0 && Frames is null or { Elsewhere: 0, Missing: 0 } && (Checks is null || Checks.Answered == Checks.Sent);

    public string ToJson() => JsonSerializer.Serialize(this, LoadJson.Default.LoadReport);
}

/// <param name="RatePerSecond">Sessions answered a second, from the first INVITE to the last 200.</param>
/// <param name="Recorded">Sessions that are complete in the recorder's catalogue.</param>
public sealed record SetUpReport(int Answered, int Failed, int Recorded, double RatePerSecond, Percentiles InviteTo200Milliseconds)
{
    /// <summary>How many sessions <see cref="LastInviteTo200Milliseconds"/> is of, where there are as many.</summary>
    public const int Last = 200;

    /// <summary>The same of the last sessions alone, which are set up while all the others are up.</summary>
    public required Percentiles LastInviteTo200Milliseconds { get; init; }
}

/// <param name="Ended">Sessions whose BYE was answered with 200.</param>
/// <param name="Seconds">From the first BYE to the last answer.</param>
public sealed record TeardownReport(int Ended, double Seconds, Percentiles ByeTo200Milliseconds);

/// <summary>Values of a distribution by rank; all zero where nothing was measured.</summary>
public sealed record Percentiles(double P50, double P90, double P99, double Max)
{
    public static Percentiles Of(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return new(Rank(0.5), Rank(0.9), Rank(0.99), Rank(1));

        double Rank(double share) => sorted.Length == 0 ? 0 : Math.Round(sorted[(int)Math.Ceiling(share * sorted.Length) - 1], 2);
    }
}

/// <param name="Received">As the recorder counted them.</param>
/// <param name="NotSent">Refused by the kernel of this side.</param>
/// <param name="SentLateMilliseconds">The worst delay of a packet behind its time: a busy machine shows here.</param>
public sealed record PacketReport(long Sent, long Received, long Lost, long NotSent, double SentLateMilliseconds);

/// <summary>Frames as the files have them, companded byte by byte.</summary>
public sealed record FrameReport(long Sent, long InPlace, long Elsewhere, long Missing);

/// <summary>Silence that findings tell of, beside what is silent in the files where audio was sent.</summary>
/// <param name="Files">Files with any.</param>
/// <param name="ToldOtherwise">Files in which audio lacks elsewhere than the findings say, by more than a millisecond, or silence is told where audio is.</param>
public sealed record SilenceReport(int Files, double ToldSeconds, double FoundSeconds, int ToldOtherwise)
{
    internal SilenceReport With(SilenceReport more) => new(
        Files + more.Files, Math.Round(ToldSeconds + more.ToldSeconds, 3), Math.Round(FoundSeconds + more.FoundSeconds, 3), ToldOtherwise + more.ToldOtherwise);
}

/// <param name="CpuMicrosecondsPerPacket">CPU time of the whole process for each packet, while every session was up; null where that was for less than <see cref="ServerMeter.ShortestWindow"/>.</param>
/// <param name="CpuPercentOfCore">The same time as a share of one core.</param>
/// <param name="KilobytesPerSession">What resident memory grew by, from before the first INVITE to the last moment that every session was up.</param>
public sealed record ServerReport(double? CpuMicrosecondsPerPacket, double? CpuPercentOfCore, double ResidentMegabytes, double MostResidentMegabytes, double KilobytesPerSession)
{
    /// <summary>CPU time of the whole process for each session, from the first INVITE to the last 200, less that of the packets meanwhile; null as above.</summary>
    public double? MillisecondsPerSetUp { get; init; }

    /// <summary>Time in which its core was not idle, whoever ran there, for each packet; null where it was not held to one, and as above.</summary>
    public double? CoreMicrosecondsPerPacket { get; init; }

    /// <summary>The same as a share of the core.</summary>
    public double? CorePercent { get; init; }
}

/// <param name="Milliseconds">From a check to its answer, by the kernel's clock.</param>
public sealed record ChecksReport(long Sent, long Answered, Percentiles Milliseconds);

/// <param name="Answers">Responses by status.</param>
public sealed record FloodReport(long Invites, long Options, long Packets, double Seconds, IReadOnlyDictionary<int, long> Answers);

/// <param name="Interrupted">Sessions that the recorder tells as interrupted after its new start.</param>
/// <param name="Frames">Frames that stand at their place.</param>
/// <param name="Wrong">Frames in the files that are not what was sent there.</param>
/// <param name="MostMissingSeconds">The most audio that a stream lacks of what had been sent before the kill.</param>
public sealed record KilledReport(int Interrupted, long Frames, long Wrong, double MostMissingSeconds)
{
    /// <summary>A second is the promise.</summary>
    public bool IsWhole => Wrong == 0 && MostMissingSeconds <= 1;
}

public sealed record MachineReport(int Cores, string Kernel, string Runtime);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(LoadReport))]
internal sealed partial class LoadJson : JsonSerializerContext;
