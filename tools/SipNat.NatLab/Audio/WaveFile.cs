using System.Buffers.Binary;
using System.Text;

namespace SipNat.NatLab.Audio;

/// <summary>A WAV file of 16-bit samples, as the programs of the laboratory write them.</summary>
/// <param name="Rate">Samples per second.</param>
/// <param name="Channels">The samples of each channel, all of one length.</param>
public sealed record WaveFile(int Rate, IReadOnlyList<short[]> Channels)
{
    private const int HeaderLength = 44;
    private const int BytesPerSample = 2;

    /// <exception cref="InvalidDataException">The file is no WAV of 16-bit PCM.</exception>
    public static WaveFile Read(string path)
    {
        var bytes = File.ReadAllBytes(path);
        if (bytes.Length < 12 || Text(bytes, 0) != "RIFF" || Text(bytes, 8) != "WAVE") throw new InvalidDataException($"{path} is no WAV file.");

        var (rate, channels) = (0, 0);
        for (var at = 12; at + 8 <= bytes.Length;)
        {
            var length = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(at + 4));
            var body = at + 8;
            if (Text(bytes, at) == "fmt ")
            {
                channels = BinaryPrimitives.ReadInt16LittleEndian(bytes.AsSpan(body + 2));
                rate = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(body + 4));
                var bits = BinaryPrimitives.ReadInt16LittleEndian(bytes.AsSpan(body + 14));
                if (bits != 8 * BytesPerSample) throw new InvalidDataException($"{path} has {bits} bits per sample; wanted 16.");
            }

            // A file whose writer was ended has no length yet: what is there counts.
            if (Text(bytes, at) == "data") return new(rate, Split(bytes.AsSpan(body, length > 0 ? Math.Min(length, bytes.Length - body) : bytes.Length - body), channels));

            at = body + length + (length & 1);
        }

        throw new InvalidDataException($"{path} has no data.");
    }

    /// <summary>Writes one channel.</summary>
    public static void Write(string path, int rate, ReadOnlySpan<short> samples)
    {
        var bytes = new byte[HeaderLength + (samples.Length * BytesPerSample)];
        Encoding.ASCII.GetBytes("RIFF....WAVEfmt ", bytes);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(4), bytes.Length - 8);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(16), 16);
        BinaryPrimitives.WriteInt16LittleEndian(bytes.AsSpan(20), 1);
        BinaryPrimitives.WriteInt16LittleEndian(bytes.AsSpan(22), 1);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(24), rate);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(28), rate * BytesPerSample);
        BinaryPrimitives.WriteInt16LittleEndian(bytes.AsSpan(32), BytesPerSample);
        BinaryPrimitives.WriteInt16LittleEndian(bytes.AsSpan(34), 8 * BytesPerSample);
        Encoding.ASCII.GetBytes("data", bytes.AsSpan(36));
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(40), samples.Length * BytesPerSample);
        for (var at = 0; at < samples.Length; at++) BinaryPrimitives.WriteInt16LittleEndian(bytes.AsSpan(HeaderLength + (at * BytesPerSample)), samples[at]);
        File.WriteAllBytes(path, bytes);
    }

    private static short[][] Split(ReadOnlySpan<byte> data, int channels)
    {
        var split = new short[channels][];
        var frames = data.Length / (BytesPerSample * channels);
        for (var channel = 0; channel < channels; channel++)
        {
            split[channel] = new short[frames];
            for (var at = 0; at < frames; at++) split[channel][at] = BinaryPrimitives.ReadInt16LittleEndian(data[(((at * channels) + channel) * BytesPerSample)..]);
        }

        return split;
    }

    private static string Text(byte[] bytes, int at) => Encoding.ASCII.GetString(bytes, at, 4);
}
