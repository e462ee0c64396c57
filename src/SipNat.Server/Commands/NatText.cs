using System.Globalization;
using SipNat.Server.Hosting;
using SipNat.Traversal.Discovery;

namespace SipNat.Server.Commands;

/// <summary>A measurement for people: a table with a column for each address family, and a paragraph of advice.</summary>
internal static class NatText
{
    private static readonly (string Name, Func<NatMeasurement, string> Value)[] Rows =
    [
        ("Local address", measured => measured.Local.AddressText),
        ("UDP", measured => NatJson.Word(measured.UdpBlocked)),
        ("Seen from outside", measured => measured.External.IsNone ? "-" : measured.External.ToString()),
        ("Kind of NAT", measured => measured.Behaviour?.ClassicName ?? "-"),
        ("NATs on the way", measured => measured.Layers.Value switch { null => NatJson.Inconclusive, >= 2 => Verdict("2 or more", measured.Layers.Confidence), var layers => Verdict($"{layers}", measured.Layers.Confidence) }),
        ("Mapping", measured => Verdict(NatJson.Word(measured.Mapping), measured.Mapping.Confidence)),
        ("Filtering", measured => Verdict(NatJson.Word(measured.Filtering), measured.Filtering.Confidence)),
        ("Hairpin", measured => YesNo(measured.Hairpin)),
        ("Keeps the port", measured => YesNo(measured.PortPreservation)),
        ("Fragments, out", measured => YesNo(measured.FragmentsOut)),
        ("Fragments, in", measured => YesNo(measured.FragmentsIn)),
        ("Lifetime, fresh", measured => Seconds(measured.Lifetimes.Fresh)),
        ("Lifetime, established", measured => Seconds(measured.Lifetimes.Established)),
    ];

    public static void Print(TextWriter output, NatReport report)
    {
        var families = report.Families.ToList();
        var table = TextTable.Create(["", .. families.Select(family => family.Name)]);
        foreach (var (name, value) in Rows) TextTable.AddRow(table, [name, .. families.Select(family => value(family.Measured))]);
        if (report.Alg is { } alg) TextTable.AddRow(table, ["SIP ALG", .. families.Select((_, i) => i == 0 ? Verdict(NatJson.Word(alg), alg.IsPresent.Confidence) : "")]);
        foreach (var over in report.Turn.GroupBy(reach => reach.Target.Server.Transport))
        {
            var word = report.HasTurn(over.Key) switch { true => "lends a relay", false => "no answer", null => $"refused ({over.First(reach => reach.Code != 0).Code})" };
            TextTable.AddRow(table, [$"TURN over {over.Key.ToString().ToUpperInvariant()}", .. families.Select((_, i) => i == 0 ? word : "")]);
        }

        TextTable.Console(output).Write(table);
        output.WriteLine(string.Join(' ', NatAdvice.Of(report)));
    }

    private static string YesNo(Measured<bool> measured) =>
        Verdict(measured.Value switch { true => "yes", false => "no", null => NatJson.Inconclusive }, measured.Confidence);

    private static string Seconds(Measured<TimeSpan> measured) => measured.Value is { } lifetime
        ? Verdict(string.Create(CultureInfo.InvariantCulture, $"{lifetime.TotalSeconds:F0} s"), measured.Confidence)
        : "-";

    private static string Verdict(string verdict, double confidence) =>
        confidence == 0 ? verdict : string.Create(CultureInfo.InvariantCulture, $"{verdict} ({confidence * 100:F0}% sure)");
}
