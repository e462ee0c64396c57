using SipNat.Bench.Audio;

namespace SipNat.Bench.Verification;

/// <summary>
/// Finds each sent run in a recording and compares it sample by sample; all else must be silence. A run may stand
/// up to <see cref="MaxShift"/> away from its RTP time: after a hold a recorder may place by arrival.
/// </summary>
public static class RecordingComparison
{
    /// <summary>Samples that a run may stand away from its expected place: 1 s.</summary>
    public const int MaxShift = 8000;

    private const int ProbeLength = 160;

    // Linear values this small are silence: A-law has no zero.
    private const int QuietLimit = 8;

    public static ComparisonResult Compare(SentAudio sent, RecordedAudio recorded)
    {
        var raw = IsSameLaw(sent.Codec, recorded.Format);
        var samples = recorded.Samples;
        var covered = new bool[samples.Length];
        var runs = new List<RunResult>();
        int? lead = null;
        foreach (var run in sent.Runs)
        {
            var wanted = Values(sent.Codec, run.Samples.Span, raw);
            var found = Find(samples, wanted, run.Start + (lead ?? 0));
            lead ??= found - run.Start;
            runs.Add(Compare(samples, wanted, found, run.Start + lead.Value, covered));
        }

        return new(sent.Label, Path.GetFileName(recorded.File), samples.Length, runs)
        {
            LeadingSamples = Math.Max(lead ?? 0, 0),
            TrailingSamples = samples.Length - 1 - Array.LastIndexOf(covered, true),
            NoiseSamples = CountNoise(samples, covered, raw ? sent.Codec.Silence : null),
        };
    }

    private static bool IsSameLaw(G711Variant codec, WavFormat format) =>
        (codec, format) is (G711Variant.Pcmu, WavFormat.MuLaw) or (G711Variant.Pcma, WavFormat.ALaw);

    private static int[] Values(G711Variant codec, ReadOnlySpan<byte> bytes, bool raw)
    {
        var values = new int[bytes.Length];
        for (var i = 0; i < bytes.Length; i++) values[i] = raw ? bytes[i] : G711Codec.Decode(codec, bytes[i]);
        return values;
    }

    // The place nearest to the expected one where the run's beginning stands; where the beginning is lost, its middle
    // or end is looked for instead. Without any of them the expected place is as good as another.
    private static int Find(int[] samples, int[] wanted, int expected)
    {
        foreach (var probe in new[] { 0, wanted.Length / 2, Math.Max(wanted.Length - ProbeLength, 0) })
        {
            var piece = wanted.AsSpan(probe, Math.Min(ProbeLength, wanted.Length - probe));
            for (var shift = 0; shift <= MaxShift; shift++)
            {
                if (StandsAt(samples, piece, expected + probe + shift)) return expected + shift;
                if (StandsAt(samples, piece, expected + probe - shift)) return expected - shift;
            }
        }

        return expected;
    }

    private static bool StandsAt(int[] samples, ReadOnlySpan<int> piece, int at) =>
        at >= 0 && at + piece.Length <= samples.Length && samples.AsSpan(at, piece.Length).SequenceEqual(piece);

    private static RunResult Compare(int[] samples, int[] wanted, int at, int expected, bool[] covered)
    {
        var wrong = 0;
        int? first = null;
        for (var i = 0; i < wanted.Length; i++)
        {
            var inside = at + i >= 0 && at + i < samples.Length;
            if (inside) covered[at + i] = true;
            if (inside && samples[at + i] == wanted[i]) continue;

            wrong++;
            first ??= i;
        }

        return new(wanted.Length, at, at - expected, wrong, first);
    }

    private static int CountNoise(int[] samples, bool[] covered, int? silence)
    {
        var noise = 0;
        for (var i = 0; i < samples.Length; i++)
        {
            if (covered[i]) continue;
            if (silence is { } quiet ? samples[i] != quiet : Math.Abs(samples[i]) > QuietLimit) noise++;
        }

        return noise;
    }
}
