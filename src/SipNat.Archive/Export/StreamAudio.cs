using SipNat.Archive.Documents;
using SipNat.Archive.Storage;
using SipNat.Media.Codecs;

namespace SipNat.Archive.Export;

/// <summary>What of a stream's files can be decoded, and which cannot.</summary>
internal sealed class StreamAudio : IDisposable
{
    /// <exception cref="ArchiveException">A file is missing or damaged.</exception>
    public StreamAudio(RecordingStore store, RecordedStream stream, int number, CodecRegistry codecs)
    {
        (Label, Number) = (stream.Label, number);
        var sources = new List<(double StartSeconds, IAudioSource Source)>();
        var kept = new List<KeptPackets>();
        foreach (var file in stream.Files)
        {
            CheckStart(file);
            var path = store.PathOf(file.File);
            if (!file.KeepsPackets)
            {
                sources.Add((file.StartOffsetSeconds, new WavAudio(path, file.File)));
                continue;
            }

            var decoded = PacketAudio.Inspect(path, file, codecs, out var isMostlyDecoded);
            if (!isMostlyDecoded) kept.Add(new(number, file.Codec, file.File));
            sources.AddRange(decoded.Select(source => (file.StartOffsetSeconds, (IAudioSource)source)));
        }

        (Sources, Kept) = (sources, kept);
    }

    public string? Label { get; }

    /// <summary>The stream's number in the session, from 1.</summary>
    public int Number { get; }

    /// <summary>With the seconds from the session's beginning to each.</summary>
    public IReadOnlyList<(double StartSeconds, IAudioSource Source)> Sources { get; }

    /// <summary>Files of packets of which most cannot be decoded.</summary>
    public IReadOnlyList<KeptPackets> Kept { get; }

    public void Dispose()
    {
        foreach (var (_, source) in Sources) source.Dispose();
    }

    private static void CheckStart(RecordedFile file)
    {
        if (!(file.StartOffsetSeconds >= 0 && file.StartOffsetSeconds <= StreamTrack.MaxOffset.TotalSeconds))
        {
            throw new ArchiveException($"{file.File} begins at {file.StartOffsetSeconds} s of its session, which cannot be: session.json is damaged.");
        }
    }
}
