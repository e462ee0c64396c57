using System.Globalization;
using SipNat.Traversal.Stun;

namespace SipNat.Tests.Traversal.Stun;

/// <summary>Holds <see cref="StunAttributeType"/> against the registry's list in <c>tests/data/stun</c>.</summary>
public sealed class StunRegistryTests
{
    private static readonly List<string[]> Rows =
    [
        .. File.ReadLines(Path.Combine(AppContext.BaseDirectory, "data", "stun", "attributes.csv"))
            .Where(static line => !line.StartsWith('#'))
            .Select(static line => line.Split(',')),
    ];

    [Fact]
    public void Every_attribute_has_the_value_and_name_of_the_registry() =>
        Assert.Empty(Enum.GetValues<StunAttributeType>().Select(Text).Except(Rows.Select(Text), StringComparer.OrdinalIgnoreCase));

    [Fact]
    public void What_is_not_known_here_is_known_to_be_so() => Assert.Equal(
        [
            "0002 RESPONSEADDRESS", "0007 PASSWORD", "0010 BANDWIDTH", "001B ACCESSTOKEN", "0021 TIMERVAL", "002A CONNECTIONID",
            "8025 TRANSACTIONTRANSMITCOUNTER", "8027 CACHETIMEOUT", "802D ECNCHECKSTUN", "802E THIRDPARTYAUTHORIZATION", "8030 MOBILITYTICKET",
            "C000 CISCOSTUNFLOWDATA", "C001 ENFFLOWDESCRIPTION", "C002 ENFNETWORKSTATUS", "C003 CISCOWEBEXFLOWINFO",
            "C056 CITRIXTRANSACTIONID", "C057 GOOGNETWORKINFO", "C058 GOOGLASTICECHECKRECEIVED", "C059 GOOGMISCINFO", "C05A GOOGOBSOLETE1",
            "C05B GOOGCONNECTIONID", "C05C GOOGDELTA", "C05D GOOGDELTAACK", "C05E GOOGDELTASYNCREQ", "C060 GOOGMESSAGEINTEGRITY32",
        ],
        Rows.Select(Text).Except(Enum.GetValues<StunAttributeType>().Select(Text), StringComparer.OrdinalIgnoreCase));

    [Fact]
    public void The_lower_half_must_be_understood() => Assert.All(
        Rows,
        static row => Assert.Equal(row[2] == "required", Value(row).MustBeUnderstood));

    private static StunAttributeType Value(string[] row) =>
        (StunAttributeType)ushort.Parse(row[0].AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    private static string Text(string[] row) => $"{(ushort)Value(row):X4} {string.Concat(row[1].Where(char.IsAsciiLetterOrDigit))}";

    private static string Text(StunAttributeType type) => $"{(ushort)type:X4} {type}";
}
