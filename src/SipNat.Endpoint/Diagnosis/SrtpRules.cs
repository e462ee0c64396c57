using System.Globalization;

namespace SipNat.Endpoint.Diagnosis;

/// <summary>What is wrong with an encrypted stream. A pure function.</summary>
public static class SrtpRules
{
    /// <summary>Packets that fail before it is a finding, where others did not: fewer are a stray, or one that was under way.</summary>
    public const int MinFailed = 10;

    public static Finding? Find(StreamEvidence evidence)
    {
        ArgumentNullException.ThrowIfNull(evidence);
        if (evidence.Srtp is not { } srtp) return null;

        var failed = srtp.AuthenticationFailed + srtp.Refused;
        if (failed < (srtp.Accepted == 0 ? 1 : MinFailed)) return null;

        var why = srtp.Accepted == 0
            ? "No packet has passed: the peer sends under another key, suite or identifier (MKI) than its description says, or does not encrypt at all."
            : $"{srtp.Accepted} packets have passed: the peer began its roll-over counter anew, as some do after a re-INVITE or a change of address, or changed its key without a word, or somebody else sends to this port.";
        return new(
            FindingCode.SrtpAuthFailed,
            string.Create(CultureInfo.InvariantCulture, $"Stream {evidence.Index + 1}: {failed} packets fail authentication by {srtp.Suite} and are dropped, the last from {evidence.SrtpFailedFrom}. {why}"),
            evidence.At);
    }
}
