using SipNat.Simulation.Recorder;

namespace SipNat.Tests.Endpoint.Diagnosis;

internal static class FindingAssert
{
    /// <summary>All that was found of a session, word for word and in order; where it differs the whole of it is shown.</summary>
    public static void Are(IReadOnlyList<string> expected, RecordedSession session)
    {
        if (!expected.SequenceEqual(session.FindingTexts)) Assert.Fail($"Found was:\n{string.Join('\n', session.FindingTexts)}\nand not:\n{string.Join('\n', expected)}");
    }
}
