using SipNat.Bench.Audio;
using SipNat.Bench.Rtp;

namespace SipNat.Bench.Siprec;

/// <summary>Writes what was sent: a file of bare samples per stream and <c>sent.json</c>.</summary>
internal static class SentFiles
{
    /// <summary>Gives the streams' reports with the names of their files; without a folder nothing is written.</summary>
    public static IReadOnlyList<StreamSent> Save(string? directory, string callId, IReadOnlyList<OutgoingStream> streams)
    {
        if (directory is null) return [.. streams.Select(stream => stream.Report(null))];

        Directory.CreateDirectory(directory);
        var saved = new List<StreamSent>();
        foreach (var stream in streams)
        {
            var file = $"stream-{saved.Count + 1}{stream.Codec.FileExtension}";
            File.WriteAllBytes(Path.Combine(directory, file), stream.SentPayload());
            saved.Add(stream.Report(file));
        }

        File.WriteAllText(Path.Combine(directory, SentDocument.FileName), new SentDocument(1, callId, saved).ToJson());
        return saved;
    }
}
