using SipNat.Bench.Audio;
using SipNat.Bench.Siprec;

namespace SipNat.Bench.Verification;

/// <summary>What was sent of one stream, as companded bytes per segment.</summary>
public sealed record SentAudio(string Label, G711Variant Codec, IReadOnlyList<SentRun> Runs)
{
    private const int SamplesPerFrame = 160;
    private const int SampleRate = 8000;

    /// <exception cref="InvalidDataException">The folder's document does not fit its files.</exception>
    public static IReadOnlyList<SentAudio> ReadAll(string directory)
    {
        var document = SentDocument.FromJson(File.ReadAllText(Path.Combine(directory, SentDocument.FileName)));
        return [.. document.Streams.Where(stream => stream.Packets > 0).Select(stream => Read(directory, stream))];
    }

    private static SentAudio Read(string directory, StreamSent stream)
    {
        var bytes = File.ReadAllBytes(Path.Combine(directory, stream.File ?? throw new InvalidDataException($"Stream {stream.Label} names no file.")));
        if (bytes.Length != stream.Segments.Sum(segment => segment.Frames) * SamplesPerFrame)
        {
            throw new InvalidDataException($"{stream.File} has {bytes.Length} bytes, its segments say otherwise.");
        }

        var runs = new List<SentRun>();
        var at = 0;
        foreach (var segment in stream.Segments)
        {
            runs.Add(new((int)Math.Round(segment.StartSeconds * SampleRate), bytes.AsMemory(at, segment.Frames * SamplesPerFrame)));
            at += segment.Frames * SamplesPerFrame;
        }

        return new(stream.Label, stream.Codec == "PCMA" ? G711Variant.Pcma : G711Variant.Pcmu, runs);
    }
}

/// <summary>An unbroken run; the start counts samples of RTP time from the stream's first frame.</summary>
public sealed record SentRun(int Start, ReadOnlyMemory<byte> Samples);
