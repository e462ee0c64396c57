using SipNat.Archive.Audio;
using SipNat.Archive.Documents;
using SipNat.Archive.Storage;
using SipNat.Endpoint.Siprec;
using SipNat.Media.Streams;

namespace SipNat.Server.Hosting;

/// <summary>Holds what a session should have brought, by its signalling and its packets, against what is in its files.</summary>
internal static class RecordingDocumentsAssurance
{
    // Every codec that is written has 8000 one-byte samples a second.
    private const double SamplesPerSecond = 8000;

    // A tenth of a sample: what rounding leaves is no reason.
    private const double Negligible = 0.00001;

    /// <param name="snapshot">The session.</param>
    /// <param name="leads">How long each stream was agreed on, and not held, before its first packet; by m-line index.</param>
    /// <param name="faults">What the disk did to its audio.</param>
    public static RecordingAssurance Of(RecordingSnapshot snapshot, IReadOnlyDictionary<int, TimeSpan> leads, IReadOnlyList<AudioFault> faults)
    {
        var reasons = new List<AssuranceReason>();
        var (expected, recorded, silence) = (0.0, 0.0, 0.0);
        foreach (var stream in snapshot.Streams)
        {
            var report = stream.Report?.Stream ?? new();
            var number = stream.Index + 1;
            var lead = leads.GetValueOrDefault(stream.Index).TotalSeconds;
            var notWritten = SecondsNotWritten(number, report, faults);
            var held = SecondsHeld(snapshot, report);

            expected += lead + report.Expected.TotalSeconds;
            recorded += report.Recorded.TotalSeconds - notWritten;
            silence += report.SilenceFilled.TotalSeconds + notWritten;
            Add(number, lead, RecordingAssurance.BeforeFirstPacket);
            Add(number, report.SilenceFilled.TotalSeconds - held, RecordingAssurance.NotReceived);
            Add(number, notWritten, RecordingAssurance.NotWritten);
            Add(number, (report.Expected - report.Duration).TotalSeconds + held, RecordingAssurance.SenderClock);
        }

        return new() { ExpectedSeconds = Round(expected), RecordedSeconds = Round(recorded), SilenceSeconds = Round(silence), Reasons = reasons };

        void Add(int stream, double seconds, string reason)
        {
            if (Math.Abs(seconds) > Negligible) reasons.Add(new(stream, Round(seconds), reason));
        }
    }

    /// <summary>The assurance of a document with what a fault told after it.</summary>
    public static RecordingAssurance? Add(RecordingDocument document, AudioFault fault)
    {
        var name = Path.GetFileName(fault.Path);
        var index = document.Streams.ToList().FindIndex(stream => stream.Files.Any(file => string.Equals(Path.GetFileName(file.File), name, StringComparison.Ordinal)));
        if (index < 0 || document.Assurance is not { } assurance || fault is not AudioFault.Resumed { Missing.Count: > 0 } resumed) return document.Assurance;

        var seconds = resumed.Missing.Sum(span => span.Length) / SamplesPerSecond;
        return assurance with
        {
            RecordedSeconds = Round(assurance.RecordedSeconds - seconds),
            SilenceSeconds = Round(assurance.SilenceSeconds + seconds),
            Reasons = [.. assurance.Reasons, new(index + 1, Round(seconds), RecordingAssurance.NotWritten)],
        };
    }

    // Silence of the file that stands for a hold: nothing was expected there.
    private static double SecondsHeld(RecordingSnapshot snapshot, StreamReport report)
    {
        var longer = (report.Duration - report.Expected).TotalSeconds;
        var held = snapshot.EndedAt - report.StartedAt is { } lasted ? (lasted - report.Expected).TotalSeconds : longer;
        return Math.Max(0, Math.Min(Math.Min(longer, held), report.SilenceFilled.TotalSeconds));
    }

    // What is missing for the disk's sake, without the silence in it that is there for want of packets.
    private static double SecondsNotWritten(int number, StreamReport report, IReadOnlyList<AudioFault> faults)
    {
        var samples = 0L;
        foreach (var fault in faults.OfType<AudioFault.Resumed>())
        {
            foreach (var file in report.Files)
            {
                if (!string.Equals(Path.GetFileName(fault.Path), RecordingStore.AudioName(number, file.Index + 1), StringComparison.Ordinal)) continue;

                samples += fault.Missing.Sum(span => span.Length - report.Gaps.Where(gap => gap.FileIndex == file.Index).Sum(gap => Overlap(span, gap)));
            }
        }

        return Math.Min(samples / SamplesPerSecond, report.Recorded.TotalSeconds);
    }

    private static long Overlap(AudioSpan span, StreamGap gap) =>
        Math.Max(0, Math.Min(span.To, gap.Start + gap.Length) - Math.Max(span.From, gap.Start));

    private static double Round(double seconds) => Math.Round(seconds, 6);
}
