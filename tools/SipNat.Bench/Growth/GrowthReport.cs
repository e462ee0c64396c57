using System.Text.Json;
using System.Text.Json.Serialization;
using SipNat.Bench.Load;

namespace SipNat.Bench.Growth;

/// <summary>What a packet and a set-up cost at several sizes; the JSON document of <c>growth --json</c>.</summary>
public sealed record GrowthReport
{
    public int Schema { get; init; } = 1;

    /// <summary>How long each size was measured.</summary>
    public required double Seconds { get; init; }

    public required IReadOnlyList<GrowthRow> Rows { get; init; }

    public required MachineReport Machine { get; init; }

    /// <summary>Nothing was lost at any size that was measured.</summary>
    public bool IsWhole => Rows.All(row => row.Load is null or { IsWhole: true });

    public string ToJson() => JsonSerializer.Serialize(this, GrowthJson.Default.GrowthReport);
}

/// <param name="RtcpMux">RTCP shared the port of RTP.</param>
/// <param name="Load">What came of it; null where this size is more than the machine has room for.</param>
/// <param name="Note">Why it was not measured; empty where it was.</param>
public sealed record GrowthRow(int Streams, bool RtcpMux, LoadReport? Load, string Note);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(GrowthReport))]
internal sealed partial class GrowthJson : JsonSerializerContext;
