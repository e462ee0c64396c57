using SipNat.Bench.Audio;

namespace SipNat.Bench.Verification;

/// <summary>One channel of a recorded file.</summary>
public sealed record RecordedAudio(string File, WavFormat Format, int[] Samples)
{
    private const int SampleRate = 8000;

    /// <exception cref="InvalidDataException">A file is not an 8 kHz WAV file.</exception>
    public static IReadOnlyList<RecordedAudio> ReadAll(IEnumerable<string> files) => [.. files.SelectMany(Read)];

    public static IEnumerable<RecordedAudio> Read(string file)
    {
        var wav = WavFile.Read(file);
        if (wav.SampleRate != SampleRate) throw new InvalidDataException($"{file}: {wav.SampleRate} Hz, wanted 8000.");

        return Enumerable.Range(0, wav.Channels).Select(channel => new RecordedAudio(file, wav.Format, wav.Channel(channel)));
    }
}
