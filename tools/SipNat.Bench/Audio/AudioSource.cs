namespace SipNat.Bench.Audio;

/// <summary>
/// An endless supply of G.711 samples: a file played in a loop, or a tone with seeded noise on it, so that
/// no two places of a recording look alike and one sample too many or too few is seen.
/// </summary>
public sealed class AudioSource
{
    private const int SampleRate = 8000;
    private const double ToneLevel = 6000;
    private const int NoiseLevel = 900;

    private readonly G711Variant _variant;
    private readonly byte[]? _samples;
    private readonly Random? _noise;
    private readonly double _frequency;
    private long _position;

    private AudioSource(G711Variant variant, byte[]? samples, Random? noise, double frequency) =>
        (_variant, _samples, _noise, _frequency) = (variant, samples, noise, frequency);

    /// <summary>Length of one round of the file; null for generated sound.</summary>
    public TimeSpan? Length => _samples is null ? null : TimeSpan.FromSeconds((double)_samples.Length / SampleRate);

    /// <summary>The same seed and stream give the same bytes.</summary>
    public static AudioSource Generate(G711Variant variant, int seed, int stream) =>
        new(variant, null, new Random(HashSeed(seed, stream)), 330 * (1 + (stream * 0.5)));

    /// <exception cref="InvalidDataException">The file is not 8 kHz mono.</exception>
    public static AudioSource FromFile(G711Variant variant, string path)
    {
        var wav = WavFile.Read(path);
        if (wav.SampleRate != SampleRate || wav.Channels != 1 || wav.Frames == 0)
        {
            throw new InvalidDataException(
                $"{path}: {wav.SampleRate} Hz, {wav.Channels} channels, {wav.Frames} samples; wanted 8000 Hz mono. " +
                "Convert it with: sox IN.wav -r 8000 -c 1 -b 16 OUT.wav");
        }

        return new(variant, [.. wav.Channel(0).Select(value => Convert(variant, wav.Format, value))], null, 0);
    }

    /// <summary>Fills the whole frame with the next samples.</summary>
    public void Read(Span<byte> frame)
    {
        for (var i = 0; i < frame.Length; i++, _position++)
        {
            frame[i] = _samples is not null ? _samples[_position % _samples.Length] : Generate();
        }
    }

    private byte Generate()
    {
        var tone = ToneLevel * Math.Sin(2 * Math.PI * _frequency * _position / SampleRate);
        return G711Codec.Encode(_variant, (short)(tone + _noise!.Next(-NoiseLevel, NoiseLevel + 1)));
    }

    private static byte Convert(G711Variant variant, WavFormat format, int value) => (format, variant) switch
    {
        (WavFormat.MuLaw, G711Variant.Pcmu) or (WavFormat.ALaw, G711Variant.Pcma) => (byte)value,
        (WavFormat.MuLaw, _) => G711Codec.Encode(variant, G711Codec.Decode(G711Variant.Pcmu, (byte)value)),
        (WavFormat.ALaw, _) => G711Codec.Encode(variant, G711Codec.Decode(G711Variant.Pcma, (byte)value)),
        _ => G711Codec.Encode(variant, (short)value),
    };

    private static int HashSeed(int seed, int stream) => unchecked((seed * 397) ^ (stream * 7919));
}
