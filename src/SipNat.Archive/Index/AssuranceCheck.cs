using System.Globalization;
using SipNat.Archive.Audio;
using SipNat.Archive.Documents;
using SipNat.Archive.Storage;
using SipNat.Media.Codecs;

namespace SipNat.Archive.Index;

/// <summary>
/// Computes a recording's assurance again from its files: what they play has to be what is recorded and what is silent,
/// they must have as many silent samples as the document admits, and the reasons must explain the whole difference.
/// </summary>
internal sealed class AssuranceCheck(RecordingStore store)
{
    // Rounding to six digits, of each stream's parts.
    private const double TolerancePerStream = 0.001;
    private const int BlockLength = 64 * 1024;

    public IEnumerable<RecordingProblem> Verify(RecordingDocument document, string folder)
    {
        if (document.Assurance is not { } assurance) return [];

        var files = document.Streams.SelectMany(stream => stream.Files).Select(Measure).ToList();

        // Those that cannot be read are problems of their own.
        if (files.Contains(null)) return [];

        var tolerance = TolerancePerStream * Math.Max(document.Streams.Count, 1);
        var problems = new List<RecordingProblem>();
        void Add(string text) => problems.Add(new RecordingProblem(document.Id, folder, RecordingProblemKind.AssuranceDiffers, text));

        // What a file lacks that keeps packets cannot be told to the second.
        var keepsPackets = document.Streams.Select(stream => stream.Files.Any(file => file.KeepsPackets)).ToList();
        var isExact = !assurance.Reasons.Any(reason => reason.Reason == RecordingAssurance.NotWritten && keepsPackets.ElementAtOrDefault(reason.Stream - 1));
        var played = files.Sum(file => file!.Value.Seconds);
        if (isExact && Math.Abs(assurance.RecordedSeconds + assurance.SilenceSeconds - played) > tolerance)
        {
            Add($"{document.Id} assures {Seconds(assurance.RecordedSeconds)} s of audio and {Seconds(assurance.SilenceSeconds)} s of silence, and its files play {Seconds(played)} s.");
        }

        var silent = files.Sum(file => file!.Value.SilentSeconds);
        if (assurance.SilenceSeconds > silent + tolerance)
        {
            Add($"{document.Id} tells of {Seconds(assurance.SilenceSeconds)} s of silence, and its files have {Seconds(silent)} s.");
        }

        var missing = assurance.ExpectedSeconds - assurance.RecordedSeconds;
        var explained = assurance.Reasons.Sum(reason => reason.Seconds);
        if (Math.Abs(missing - explained) > tolerance)
        {
            Add($"{document.Id} lacks {Seconds(missing)} s of what was expected, and gives reasons for {Seconds(explained)} s.");
        }

        return problems;
    }

    // How long a file plays, or how much time its packets cover, and how much of it is silence; null where it cannot be read.
    private (double Seconds, double SilentSeconds)? Measure(RecordedFile file)
    {
        try
        {
            if (file.KeepsPackets) return PacketFile.Measure(store.PathOf(file.File)) is { } content ? (content.Packets.Covered.TotalSeconds, 0) : null;

            using var handle = WavFile.OpenRead(store.PathOf(file.File));
            if (!WavFile.TryRead(handle, out var header, out _) || header.Format.Codec is not { } codec) return null;

            var silent = 0L;
            var block = new byte[BlockLength];
            for (var at = 0L; at < header.DataLength; at += BlockLength)
            {
                var part = block.AsSpan(0, (int)Math.Min(BlockLength, header.DataLength - at));
                silent += part[..WavFile.Fill(handle, part, header.DataOffset + at)].Count(codec.Silence);
            }

            return (header.Seconds, header.Format.SecondsOf(silent));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArchiveException)
        {
            return null;
        }
    }

    private static string Seconds(double seconds) => seconds.ToString("F3", CultureInfo.InvariantCulture);
}
