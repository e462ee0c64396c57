using SipNat.Archive.Audio;
using SipNat.Archive.Documents;
using SipNat.Endpoint.Siprec;
using SipNat.Media.Streams;

namespace SipNat.Server.Hosting;

/// <summary>Holds what a session should have brought, by its signalling and its packets, against what is in its files.</summary>
internal static class RecordingDocumentsAssurance
{
    // Every codec whose samples are written has 8000 of one byte a second.
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
            var notKept = SecondsNotKept(number, report, faults);
            var notWritten = SecondsNotWritten(number, report, faults) + notKept;
            var held = SecondsHeld(snapshot, report);

            expected += lead + report.Expected.TotalSeconds;
            recorded += report.Recorded.TotalSeconds - notWritten;
            silence += report.SilenceFilled.TotalSeconds + notWritten - notKept;
            Add(number, lead, RecordingAssurance.BeforeFirstPacket);
            var keepsPackets = report.Files.Any(file => file.Codec.IsPackets);

            // Packets are counted by their arrival: no clock but ours is in it, and nothing stands for what did not come.
            Add(number, keepsPackets ? (report.Expected - report.Recorded).TotalSeconds : report.SilenceFilled.TotalSeconds - held, RecordingAssurance.NotReceived);
            Add(number, notWritten, RecordingAssurance.NotWritten);
            Add(number, keepsPackets ? 0 : (report.Expected - report.Duration).TotalSeconds + held, RecordingAssurance.SenderClock);
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

        // How much time the bytes of missing packets stood for is not known any more: the finding tells their number.
        if (RecordedFile.IsNamedAsPackets(fault.Path)) return assurance;

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
                if (file.Codec.IsPackets || !IsOf(fault, number, file)) continue;

                samples += fault.Missing.Sum(span => span.Length - report.Gaps.Where(gap => gap.FileIndex == file.Index).Sum(gap => Overlap(span, gap)));
            }
        }

        return Math.Min(samples / SamplesPerSecond, report.Recorded.TotalSeconds);
    }

    // Of packets that the disk had no room for only their bytes are known: their time is their share of the file's.
    private static double SecondsNotKept(int number, StreamReport report, IReadOnlyList<AudioFault> faults) =>
        (from fault in faults.OfType<AudioFault.Resumed>()
         from file in report.Files
         where file.Codec.IsPackets && file.Length > 0 && IsOf(fault, number, file)
         select file.Packets.Covered.TotalSeconds * Math.Min(1, (double)fault.Missing.Sum(span => span.Length) / file.Length)).Sum();

    private static bool IsOf(AudioFault fault, int number, StreamFile file) =>
        string.Equals(Path.GetFileName(fault.Path), RecordingDocuments.NameOf(number, file), StringComparison.Ordinal);

    private static long Overlap(AudioSpan span, StreamGap gap) =>
        Math.Max(0, Math.Min(span.To, gap.Start + gap.Length) - Math.Max(span.From, gap.Start));

    private static double Round(double seconds) => Math.Round(seconds, 6);
}
