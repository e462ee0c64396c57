using System.Reflection;
using SipNat.Endpoint.Diagnosis;

namespace SipNat.Tests.Endpoint.Diagnosis;

/// <summary>No kind of finding is without a test that makes its cause.</summary>
public sealed class FindingCodeTests
{
    // The disk belongs to the server: its findings have their tests in SipNat.Server.Tests, and a test there counts them.
    private static readonly FindingCode[] OfTheDisk = [FindingCode.AudioNotWritten, FindingCode.AudioWrittenAgain, FindingCode.AudioNotForced];

    [Fact]
    public void Every_code_has_a_test_that_plants_its_cause()
    {
        var planted = typeof(FindingCodeTests).Assembly.GetTypes()
            .SelectMany(type => type.GetMethods(BindingFlags.Instance | BindingFlags.Public))
            .SelectMany(method => method.GetCustomAttributes<PlantsAttribute>())
            .Select(plants => plants.Code);

        Assert.Equal(Enum.GetValues<FindingCode>(), planted.Concat(OfTheDisk).Distinct().Order());
    }

    [Fact]
    public void A_code_is_written_in_kebab_case() =>
        Assert.Equal(
            ["no-media", "unknown-payload-type", "audio-not-forced"],
            new[] { FindingCode.NoMedia, FindingCode.UnknownPayloadType, FindingCode.AudioNotForced }.Select(code => code.Text));
}
