using System.Globalization;
using SipNat.Media.Streams;

namespace SipNat.Endpoint.Diagnosis;

/// <summary>What is wrong with a stream that brings packets. Pure functions: what was said before is the caller's to know.</summary>
public static class StreamRules
{
    /// <summary>Holes of a stream that are found, the first ones.</summary>
    public const int MaxInterruptionsFound = 8;

    /// <summary>The least share of packets lost that is a finding: where G.711 with silence in their place begins to crackle.</summary>
    public const double LossShare = 0.01;

    // A peer that moves its media goes on from the old address until it has our answer.
    private static readonly TimeSpan MoveAllowance = TimeSpan.FromSeconds(1);

    // A single packet of a short call is no share.
    private const long MinLost = 10;

    // Every format that is recorded as audio has 8000 samples a second.
    private const int SamplesPerSecond = 8000;
    private const long InterruptionSamples = SamplesPerSecond;

    /// <summary>Findings of which one of each kind is enough.</summary>
    public static IReadOnlyList<Finding> Find(StreamEvidence evidence)
    {
        ArgumentNullException.ThrowIfNull(evidence);
        Finding?[] found = [Strays(evidence), SecondSource(evidence), PayloadType(evidence), Elsewhere(evidence), Loss(evidence), SrtpRules.Find(evidence)];
        return [.. found.OfType<Finding>()];
    }

    /// <summary>The first holes of a second and more that the network made: the sender's numbers went on meanwhile.</summary>
    public static IReadOnlyList<Finding> FindInterruptions(StreamEvidence evidence)
    {
        ArgumentNullException.ThrowIfNull(evidence);
        return [.. evidence.Report.Gaps.Where(gap => gap.IsLoss && gap.Length >= InterruptionSamples).Take(MaxInterruptionsFound).Select(gap => Interruption(evidence, gap))];
    }

    private static Finding? Strays(StreamEvidence e)
    {
        if (e.Report.Strays == 0) return null;

        var peer = e.Described.IsNone ? e.SignallingSource.AddressText : $"{e.SignallingSource.AddressText} and said {e.Described}";
        var fix = e.Latch is LatchPolicy.Allowed ? "put their network into Sip:AllowedNetworks" : "set Media:Latch to Allowed and put their network into Sip:AllowedNetworks";
        return Found(e, FindingCode.StrayMedia, $"packets came from {SilenceDiagnosis.Name(e.Report.Sources.Where(s => s.Verdict is LatchVerdict.Stray))} and are not part of the stream, as Media:Latch is {e.Latch} and the peer signals from {peer}. If they are the peer's, {fix}.");
    }

    private static Finding? SecondSource(StreamEvidence e)
    {
        var others = e.Report.Sources.Where(s => s.Verdict is not LatchVerdict.Stray && !e.Report.Ssrcs.Contains(s.Ssrc)).ToList();
        if (e.Report.Secondary == 0 || others.Count == 0) return null;

        var named = string.Join(", ", others.Take(2).Select(s => $"SSRC {s.Ssrc:x8} of {s.Address}"));
        return Found(e, FindingCode.SecondSource, $"{named} sent while SSRC {string.Join(", ", e.Report.Ssrcs.Select(s => s.ToString("x8", CultureInfo.InvariantCulture)))} was recorded; {e.Report.Secondary} packets were kept apart and not mixed in. Two senders were told the same port: give each its own.");
    }

    private static Finding? PayloadType(StreamEvidence e)
    {
        if (e.Report.UnexpectedPayloadType is not { } type) return null;

        var recorded = KeepsPackets(e) ? "kept with the other packets of the stream"
            : e.Report.UnknownPayloads < e.Report.UnexpectedPayloads ? "recorded as what RFC 3551 makes of their number" : "not recorded, as nothing says what they are";
        return Found(e, FindingCode.UnknownPayloadType, $"{e.Report.UnexpectedPayloads} packets with a payload type that was not agreed on, the last with {type}; agreed on were {string.Join(", ", e.Agreed)}. They are {recorded}. Compare the codecs of the two legs at the peer.");
    }

    private static Finding? Elsewhere(StreamEvidence e)
    {
        var elsewhere = e.Report.Sources.FirstOrDefault(s => s.Verdict is LatchVerdict.Accept or LatchVerdict.TookOver && s.Address != e.Described && s.Last - e.DescribedAt > MoveAllowance);
        return !e.Described.IsNone && !elsewhere.Address.IsNone
            ? Found(e, FindingCode.MediaFromElsewhere, $"media comes from {elsewhere.Address}; the peer said {e.Described}. It is recorded; a NAT before the peer is the usual reason.")
            : null;
    }

    private static Finding? Loss(StreamEvidence e)
    {
        var (lost, sent) = (e.Report.Lost - e.LostInHolds, e.Report.Packets + e.Report.Lost - e.LostInHolds);
        return lost >= MinLost && lost >= sent * LossShare
            ? Found(e, FindingCode.PacketsLost, $"{lost} of {sent} packets were lost on the way ({100.0 * lost / sent:F1} %); {(KeepsPackets(e) ? "nothing" : "silence")} stands in their place. Look for an overloaded link between the peer and this machine.")
            : null;
    }

    private static bool KeepsPackets(StreamEvidence e) => e.Report.Files is [.., { Codec.IsPackets: true }];

    private static Finding Interruption(StreamEvidence e, StreamGap gap) => Found(
        e,
        FindingCode.MediaInterrupted,
        $"{(double)gap.Length / SamplesPerSecond:F3} s of audio are missing from second {(double)gap.Start / SamplesPerSecond:F3} of file {gap.FileIndex + 1} on: the sender's numbers went on, and nothing arrived. The path was interrupted.");

    private static Finding Found(StreamEvidence e, FindingCode code, FormattableString text) =>
        new(code, string.Create(CultureInfo.InvariantCulture, $"Stream {e.Index + 1}: {text.ToString(CultureInfo.InvariantCulture)}"), e.At);
}
