using System.Globalization;
using SipNat.Archive.Audio;
using SipNat.Archive.Documents;
using SipNat.Endpoint.Diagnosis;

namespace SipNat.Server.Hosting;

/// <summary>What the disk did to the audio of a session, as findings.</summary>
internal static class AudioFilesFindings
{
    // Every codec whose samples are written has 8000 of one byte a second.
    private const double BytesPerSecond = 8000;
    private const int MaxSpansNamed = 8;

    public static RecordingFinding Of(AudioFault fault)
    {
        var file = Path.GetFileName(fault.Path);
        var reason = fault.Reason.TrimEnd('.');
        return fault switch
        {
            AudioFault.Refused => new(
                FindingCode.AudioNotWritten.Text, $"{file} has not been written since {Time(fault.At)}: {reason}. Its audio waits in memory and is tried again every second.", fault.At),
            AudioFault.Resumed resumed => new(
                FindingCode.AudioWrittenAgain.Text,
                $"{file} was not written from {Time(resumed.Since)} to {Time(fault.At)} ({reason}); {Missing(file, resumed.Missing)}.",
                fault.At),
            AudioFault.Silenced silenced => new(
                FindingCode.AudioNotWritten.Text,
                $"{file} has been written in part only since {Time(silenced.Since)}: {reason}; {Missing(file, silenced.Missing)}.",
                fault.At),
            AudioFault.Ended => new(FindingCode.AudioNotWritten.Text, $"{file} is not written from {Time(fault.At)} on: {reason}.", fault.At),
            AudioFault.NotForced => new(
                FindingCode.AudioNotForced.Text, $"The medium did not confirm what was written to {file} before {Time(fault.At)}: {reason}. A power cut may cost it.", fault.At),
            _ => throw new System.Diagnostics.UnreachableException(),
        };
    }

    private static string Missing(string file, IReadOnlyList<AudioSpan> spans)
    {
        if (spans.Count == 0) return "all of its audio was kept and is in the file";
        if (RecordedFile.IsNamedAsPackets(file)) return $"{spans.Sum(span => span.Length)} bytes of packets are missing in it";

        var named = string.Join(", ", spans.Take(MaxSpansNamed).Select(span => $"from second {Seconds(span.From)} to {Seconds(span.To)}"));
        var more = spans.Count > MaxSpansNamed ? $" and {spans.Count - MaxSpansNamed} more" : "";
        return $"{Seconds(spans.Sum(span => span.Length))} s of it are silence in the file: {named}{more}";
    }

    private static string Seconds(long bytes) => (bytes / BytesPerSecond).ToString("F3", CultureInfo.InvariantCulture);

    private static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
}
