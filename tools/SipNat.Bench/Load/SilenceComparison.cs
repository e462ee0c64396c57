using System.Globalization;
using System.Text.RegularExpressions;

namespace SipNat.Bench.Load;

/// <summary>Holds what findings say of silence in a file against the file and what was sent: two stories of the same hole.</summary>
internal static partial class SilenceComparison
{
    private const byte Silence = 0xFF;
    private const double BytesPerSecond = 8000;

    // Findings have milliseconds; and the random byte before a hole, or after it, may be that of silence.
    private const int Tolerance = 16;

    // What was sent is random: so much of one byte is in none of it.
    private const int ShortestHole = 64;

    /// <param name="findings">The texts of all findings of the session.</param>
    /// <param name="audio">The file's audio.</param>
    /// <param name="stream">The stream's number in the run, of which its frames are made.</param>
    /// <param name="frames">Frames that were sent.</param>
    public static SilenceReport Compare(IEnumerable<string> findings, string file, ReadOnlySpan<byte> audio, int stream, int frames)
    {
        List<(long From, long To)> told = [];
        var (toldSeconds, areNamed) = (0.0, true);
        audio = audio[..Math.Min(audio.Length, frames * FrameContent.Length)];
        foreach (var text in findings.Where(text => text.StartsWith(file, StringComparison.Ordinal)))
        {
            if (Told().Match(text) is not { Success: true } match) continue;

            toldSeconds += Number(match.Groups["sum"].Value);
            areNamed &= !match.Groups["more"].Success;
            told.AddRange(Span().Matches(text).Select(span => (Bytes(span.Groups["from"].Value), Bytes(span.Groups["to"].Value))));
        }

        // From the last frame to the BYE there is silence too, which nobody lacks.
        var end = audio.Length;
        told = [.. told.Select(span => (span.From, Math.Min(span.To, end))).Where(span => span.From < span.Item2)];
        if (areNamed) toldSeconds = told.Sum(span => span.To - span.From) / BytesPerSecond;
        var holes = Holes(audio);
        var found = holes.Sum(hole => hole.To - hole.From) / BytesPerSecond;
        if (toldSeconds == 0 && holes.Count == 0) return new(0, 0, 0, IsAsSent(audio, holes, stream, frames) ? 0 : 1);

        var isAsTold = Math.Abs(toldSeconds - found) * BytesPerSecond <= Tolerance * Math.Max(holes.Count, 1)
            && (!areNamed || Agree(told, holes))
            && IsAsSent(audio, holes, stream, frames);
        return new(1, Math.Round(toldSeconds, 3), Math.Round(found, 3), isAsTold ? 0 : 1);
    }

    // One hole may be told in two findings, the first of which ends where the second begins.
    private static bool Agree(List<(long From, long To)> told, List<(long From, long To)> holes)
    {
        List<(long From, long To)> joined = [];
        foreach (var span in told.Order())
        {
            if (joined.Count > 0 && span.From - joined[^1].To <= Tolerance) joined[^1] = (joined[^1].From, span.To);
            else joined.Add(span);
        }

        return joined.Count == holes.Count
            && joined.Zip(holes).All(pair => Math.Abs(pair.First.From - pair.Second.From) <= Tolerance && Math.Abs(pair.First.To - pair.Second.To) <= Tolerance);
    }

    private static List<(long From, long To)> Holes(ReadOnlySpan<byte> audio)
    {
        List<(long From, long To)> holes = [];
        for (var at = 0; at < audio.Length;)
        {
            var next = audio[at..].IndexOf(Silence);
            if (next < 0) break;

            at += next;
            var length = audio[at..].IndexOfAnyExcept(Silence);
            if (length < 0) length = audio.Length - at;
            if (length >= ShortestHole) holes.Add((at, at + length));
            at += length;
        }

        return holes;
    }

    // Every byte outside the holes, and none that was not sent.
    private static bool IsAsSent(ReadOnlySpan<byte> audio, List<(long From, long To)> holes, int stream, int frames)
    {
        if (audio.Length != (long)frames * FrameContent.Length) return false;

        Span<byte> frame = stackalloc byte[FrameContent.Length];
        var hole = 0;
        for (var i = 0; i < frames; i++)
        {
            FrameContent.Fill(frame, stream, i);
            var at = i * FrameContent.Length;
            for (var j = 0; j < frame.Length; j++)
            {
                while (hole < holes.Count && holes[hole].To <= at + j) hole++;
                if (audio[at + j] != frame[j] && (hole == holes.Count || at + j < holes[hole].From)) return false;
            }
        }

        return true;
    }

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);

    private static long Bytes(string seconds) => (long)Math.Round(Number(seconds) * BytesPerSecond);

    [GeneratedRegex(@"(?<sum>\d+\.\d+) s of it are silence in the file: .*?(?<more> and \d+ more)?\.$", RegexOptions.CultureInvariant)]
    private static partial Regex Told();

    [GeneratedRegex(@"from second (?<from>\d+\.\d+) to (?<to>\d+\.\d+)", RegexOptions.CultureInvariant)]
    private static partial Regex Span();
}
