using System.Buffers.Binary;
using SipNat.Bench.Audio;
using SipNat.Bench.Verification;

namespace SipNat.Lab.Tests.Bench;

/// <summary>The judge must be strict: what it calls exact is exact.</summary>
public sealed class RecordingComparisonTests
{
    private const int FrameSamples = 160;

    [Fact]
    public void Recording_of_everything_sent_is_exact()
    {
        var sent = Sent(G711Variant.Pcmu, 0, 800);

        var result = RecordingComparison.Compare(sent, Recorded(WavFormat.MuLaw, Bytes(sent)));

        Assert.Equal(new RunResult(800, 0, 0, 0, null), Assert.Single(result.Runs));
        Assert.Equal((true, 0, 0, 0), (result.IsExact, result.LeadingSamples, result.TrailingSamples, result.NoiseSamples));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(399)]
    [InlineData(799)]
    public void One_other_sample_is_found(int position)
    {
        var sent = Sent(G711Variant.Pcmu, 0, 800);
        var bytes = Bytes(sent);
        bytes[position] ^= 1;

        var result = RecordingComparison.Compare(sent, Recorded(WavFormat.MuLaw, bytes));

        Assert.False(result.IsExact);
        Assert.Equal(new RunResult(800, 0, 0, 1, position), Assert.Single(result.Runs));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(400)]
    [InlineData(640)]
    public void Lost_frame_is_found_whether_it_is_padded_or_not(int position)
    {
        var sent = Sent(G711Variant.Pcmu, 0, 800);
        var bytes = Bytes(sent);
        byte[] cut = [.. bytes[..position], .. bytes[(position + FrameSamples)..]];
        bytes.AsSpan(position, FrameSamples).Fill(0xFF);

        Assert.Equal(FrameSamples, Assert.Single(RecordingComparison.Compare(sent, Recorded(WavFormat.MuLaw, bytes)).Runs).Wrong);
        Assert.False(RecordingComparison.Compare(sent, Recorded(WavFormat.MuLaw, cut)).IsExact);
    }

    [Fact]
    public void Silence_around_is_reported_and_noise_around_is_an_error()
    {
        var sent = Sent(G711Variant.Pcma, 0, 800);
        byte[] padded = [.. Enumerable.Repeat((byte)0xD5, 320), .. Bytes(sent), .. Enumerable.Repeat((byte)0xD5, 80)];

        var quiet = RecordingComparison.Compare(sent, Recorded(WavFormat.ALaw, padded));
        padded[5] = 0x2A;
        var noisy = RecordingComparison.Compare(sent, Recorded(WavFormat.ALaw, padded));

        Assert.Equal((true, 320, 80), (quiet.IsExact, quiet.LeadingSamples, quiet.TrailingSamples));
        Assert.Equal((false, 1), (noisy.IsExact, noisy.NoiseSamples));
    }

    [Fact]
    public void Second_run_may_stand_where_it_arrived()
    {
        var source = AudioSource.Generate(G711Variant.Pcmu, 5, 0);
        var (first, second) = (Read(source, 800), Read(source, 800));
        var sent = new SentAudio("1", G711Variant.Pcmu, [new(0, first), new(4000, second)]);
        byte[] bytes = [.. first, .. Enumerable.Repeat((byte)0xFF, 3200 + 37), .. second];

        var result = RecordingComparison.Compare(sent, Recorded(WavFormat.MuLaw, bytes));

        Assert.True(result.IsExact);
        Assert.Equal([0, 37], result.Runs.Select(run => run.Shift));
    }

    [Fact]
    public void Export_in_linear_samples_is_compared_after_decoding()
    {
        var sent = Sent(G711Variant.Pcma, 0, 800);
        int[] linear = [.. Bytes(sent).Select(value => (int)G711Codec.Decode(G711Variant.Pcma, value))];

        Assert.True(RecordingComparison.Compare(sent, new("export.wav", WavFormat.Pcm16, linear)).IsExact);
    }

    [Theory]
    [InlineData(G711Variant.Pcmu)]
    [InlineData(G711Variant.Pcma)]
    public void Each_code_decodes_to_a_value_that_encodes_to_it_again(G711Variant variant)
    {
        // µ-law has two zeros; the negative one encodes to the positive.
        for (var code = 0; code < 256; code++)
        {
            var again = G711Codec.Encode(variant, G711Codec.Decode(variant, (byte)code));
            Assert.Equal(variant is G711Variant.Pcmu && code == 0x7F ? 0xFF : code, again);
        }
    }

    [Fact]
    public void Every_cut_of_a_wav_file_is_read_or_refused()
    {
        var file = Wav(AudioSource.Generate(G711Variant.Pcmu, 1, 0), 160);
        for (var length = 0; length <= file.Length; length++)
        {
            var readable = WavFile.TryParse(file.AsMemory(0, length), out var wav, out var problem);
            Assert.Equal(length >= 44, readable);
            Assert.Equal(readable ? "" : problem, problem);
            if (readable) Assert.Equal(length - 44, wav!.Frames);
        }
    }

    private static SentAudio Sent(G711Variant codec, int start, int samples) =>
        new("1", codec, [new(start, Read(AudioSource.Generate(codec, 5, 0), samples))]);

    private static byte[] Read(AudioSource source, int samples)
    {
        var bytes = new byte[samples];
        source.Read(bytes);
        return bytes;
    }

    private static byte[] Bytes(SentAudio sent) => sent.Runs[0].Samples.ToArray();

    private static RecordedAudio Recorded(WavFormat format, byte[] bytes) => new("recorded.wav", format, [.. bytes.Select(value => (int)value)]);

    private static byte[] Wav(AudioSource source, int samples)
    {
        var file = new byte[44 + samples];
        "RIFF"u8.CopyTo(file);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(4), file.Length - 8);
        "WAVEfmt "u8.CopyTo(file.AsSpan(8));
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(16), 16);
        BinaryPrimitives.WriteInt16LittleEndian(file.AsSpan(20), 7);
        BinaryPrimitives.WriteInt16LittleEndian(file.AsSpan(22), 1);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(24), 8000);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(28), 8000);
        BinaryPrimitives.WriteInt16LittleEndian(file.AsSpan(32), 1);
        BinaryPrimitives.WriteInt16LittleEndian(file.AsSpan(34), 8);
        "data"u8.CopyTo(file.AsSpan(36));
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(40), samples);
        source.Read(file.AsSpan(44));
        return file;
    }
}
