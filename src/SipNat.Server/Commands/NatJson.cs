using System.Text.Json;
using System.Text.Json.Serialization;
using SipNat.Endpoint.Diagnosis;
using SipNat.Server.Hosting;
using SipNat.Traversal.Discovery;
using SipNat.Wire;

namespace SipNat.Server.Commands;

/// <summary>What <c>nat --json</c> prints. What is not measured is null or inconclusive, never left out.</summary>
internal static class NatJson
{
    public const string Inconclusive = "inconclusive";

    public static void Print(TextWriter output, NatReport report)
    {
        var local = report.Families.First().Measured.Local;
        output.WriteLine(JsonSerializer.Serialize(
            new NatJsonReport(
                local.AddressText,
                report.IsUdpBlocked ? "blocked" : report.IsUnreachable ? Inconclusive : "open",
                Family(report.IPv4),
                Family(report.IPv6),
                new(report.HasTurn(TransportProtocol.Udp), report.HasTurn(TransportProtocol.Tcp), report.HasTurn(TransportProtocol.Tls)),
                Word(report.Alg),
                [.. (report.Alg?.Evidence ?? []).Select(NatAdvice.Explain)],
                NatAdvice.Of(report)),
            NatJsonContext.Default.NatJsonReport));
    }

    /// <summary>The word of RFC 4787, or <c>inconclusive</c>.</summary>
    public static string Word(Measured<EndpointDependence> measured) => measured.Value?.Word ?? Inconclusive;

    /// <summary>none, detected or inconclusive.</summary>
    public static string Word(SipAlgMeasurement? alg) => alg?.IsPresent.Value switch { true => "detected", false => "none", null => Inconclusive };

    /// <summary>open, blocked or inconclusive.</summary>
    public static string Word(Measured<bool> blocked) => blocked.Value switch { true => "blocked", false => "open", null => Inconclusive };

    private static NatJsonFamily? Family(NatMeasurement? measured) => measured is null ? null : new()
    {
        Udp = Word(measured.UdpBlocked),
        Mapping = Word(measured.Mapping),
        MappingVaries = measured.MappingVaries,
        Filtering = Word(measured.Filtering),
        External = measured.External.IsNone ? null : measured.External.ToString(),
        Hairpin = measured.Hairpin.Value,
        PortPreservation = measured.PortPreservation.Value,
        LifetimeSeconds = measured.Lifetimes.Fresh.Value?.TotalSeconds,
        EstablishedLifetimeSeconds = measured.Lifetimes.Established.Value?.TotalSeconds,
        NatLayers = measured.Layers.Value,
        Fragments = new(measured.FragmentsIn.Value, measured.FragmentsOut.Value),
        Confidence = ByProperty(measured, static (confidence, _) => confidence),
        Samples = ByProperty(measured, static (_, samples) => samples),
    };

    private static Dictionary<string, T> ByProperty<T>(NatMeasurement measured, Func<double, int, T> select) => new(StringComparer.Ordinal)
    {
        ["udp"] = select(measured.UdpBlocked.Confidence, measured.UdpBlocked.Samples),
        ["mapping"] = select(measured.Mapping.Confidence, measured.Mapping.Samples),
        ["filtering"] = select(measured.Filtering.Confidence, measured.Filtering.Samples),
        ["hairpin"] = select(measured.Hairpin.Confidence, measured.Hairpin.Samples),
        ["portPreservation"] = select(measured.PortPreservation.Confidence, measured.PortPreservation.Samples),
        ["lifetimeSeconds"] = select(measured.Lifetimes.Fresh.Confidence, measured.Lifetimes.Fresh.Samples),
        ["establishedLifetimeSeconds"] = select(measured.Lifetimes.Established.Confidence, measured.Lifetimes.Established.Samples),
        ["fragmentsIn"] = select(measured.FragmentsIn.Confidence, measured.FragmentsIn.Samples),
        ["fragmentsOut"] = select(measured.FragmentsOut.Confidence, measured.FragmentsOut.Samples),
        ["natLayers"] = select(measured.Layers.Confidence, measured.Layers.Samples),
    };
}

/// <param name="Udp">open, blocked or inconclusive.</param>
/// <param name="Alg">none, detected or inconclusive.</param>
/// <param name="AlgEvidence">What was seen of it, a sentence each.</param>
internal sealed record NatJsonReport(
    string Local,
    string Udp,
    [property: JsonPropertyName("ipv4")] NatJsonFamily? IPv4,
    [property: JsonPropertyName("ipv6")] NatJsonFamily? IPv6,
    NatJsonTurn Turn,
    string Alg,
    IReadOnlyList<string> AlgEvidence,
    IReadOnlyList<string> Advice)
{
    [JsonPropertyOrder(-1)]
    public int Schema => 1;
}

internal sealed record NatJsonFamily
{
    public required string Udp { get; init; }

    public required string Mapping { get; init; }

    /// <summary>Known also where the mapping's exact behaviour is not.</summary>
    public bool? MappingVaries { get; init; }

    public required string Filtering { get; init; }

    public string? External { get; init; }

    public bool? Hairpin { get; init; }

    public bool? PortPreservation { get; init; }

    public double? LifetimeSeconds { get; init; }

    public double? EstablishedLifetimeSeconds { get; init; }

    public int? NatLayers { get; init; }

    public required NatJsonFragments Fragments { get; init; }

    public required IReadOnlyDictionary<string, double> Confidence { get; init; }

    public required IReadOnlyDictionary<string, int> Samples { get; init; }
}

/// <summary>Whether a relay is lent over each transport; null where it was not asked for, or the server refused it.</summary>
internal sealed record NatJsonTurn(bool? Udp, bool? Tcp, bool? Tls);

internal sealed record NatJsonFragments(bool? In, bool? Out);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(NatJsonReport))]
internal sealed partial class NatJsonContext : JsonSerializerContext;
