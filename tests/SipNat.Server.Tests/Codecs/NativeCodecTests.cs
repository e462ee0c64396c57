using SipNat.Media.Playout;
using SipNat.Media.Streams;
using SipNat.Server.Codecs;
using SipNat.Server.Options;
using SipNat.Wire;

namespace SipNat.Server.Tests.Codecs;

/// <summary>Codecs of the system's libraries, which the laboratory's packages bring.</summary>
public sealed class NativeCodecTests
{
    [Theory]
    [InlineData("opus", 48_000, 2, 20, 4)]
    [InlineData("OPUS", 48_000, 2, 60, 4)]
    [InlineData("G729", 8000, 1, 20, 2)]
    public void What_is_encoded_is_decoded_to_the_same_sound(string name, int clockRate, int channels, int milliseconds, double leastDecibel)
    {
        Skip(name);
        using var encoder = NativeCodecs.Registry.TryCreateEncoder(name, clockRate, channels)!;
        using var decoder = NativeCodecs.Registry.TryCreateDecoder(name, clockRate, channels)!;
        var said = Vowels(encoder.SampleRate, 3);
        var frame = encoder.SampleRate * milliseconds / 1000;
        Assert.True(encoder.CanEncode(frame));
        var heard = new List<short>();
        var (payload, samples) = (new byte[encoder.MaxPayload(frame)], new short[frame]);
        for (var at = 0; at + frame <= said.Length; at += frame)
        {
            var length = encoder.Encode(said.AsSpan(at, frame), payload);
            Assert.Equal(frame, decoder.SamplesOf(payload.AsSpan(0, length)));
            Assert.Equal(frame, decoder.Decode(payload.AsSpan(0, length), samples));
            heard.AddRange(samples);
        }

        // These codecs keep what is heard, and the waveform not so well.
        Assert.InRange(BestDecibel(said.AsSpan(encoder.SampleRate, encoder.SampleRate), [.. heard], encoder.SampleRate), leastDecibel, 60);
    }

    [Theory]
    [InlineData("opus", 48_000, 2)]
    [InlineData("G729", 8000, 1)]
    public void No_payload_makes_a_decoder_throw_or_give_more_than_it_said(string name, int clockRate, int channels)
    {
        Skip(name);
        using var decoder = NativeCodecs.Registry.TryCreateDecoder(name, clockRate, channels)!;
        var random = new Random(4);
        var samples = new short[5760];
        for (var i = 0; i < 5000; i++)
        {
            var payload = new byte[random.Next(0, 80)];
            random.NextBytes(payload);
            var expected = decoder.SamplesOf(payload);
            Assert.InRange(expected, 0, samples.Length);
            if (expected > 0) Assert.InRange(decoder.Decode(payload, samples), 0, expected);
            if (i % 10 == 0) Assert.InRange(decoder.Conceal(random.Next(2) == 0 ? [] : payload, samples.AsSpan(0, random.Next(1000))), 0, 1000);
        }
    }

    [Theory]
    [InlineData("opus", 48_000, 2, 48_000)]
    [InlineData("G729", 8000, 1, 8000)]
    public void A_stream_with_losses_is_played_in_its_time(string name, int clockRate, int channels, int sampleRate)
    {
        Skip(name);
        using var encoder = NativeCodecs.Registry.TryCreateEncoder(name, clockRate, channels)!;
        using var buffer = new PlayoutBuffer(NativeCodecs.Registry, sampleRate, new());
        var (frame, random) = (sampleRate / 50, new Random(5));
        var said = Vowels(sampleRate, 8);
        var (payload, block, heard) = (new byte[encoder.MaxPayload(frame)], new short[frame], new List<short>());
        for (var i = 0; (i + 1) * frame <= said.Length; i++)
        {
            var now = new Instant(i * 200_000L);
            var length = encoder.Encode(said.AsSpan(i * frame, frame), payload);
            if (i < 10 || random.Next(20) != 0) buffer.Put(Frame(now, i, name, clockRate, channels, payload.AsSpan(0, length)));
            buffer.Take(now, block);
            heard.AddRange(block);
        }

        Assert.Equal(0, buffer.Counts.Late);
        Assert.InRange(buffer.Counts.ConcealedSamples, 5 * frame, 40 * frame);
        short[] all = [.. heard];
        var second = sampleRate;
        Assert.InRange(BestDecibel(said.AsSpan(6 * second, second), all.AsSpan(6 * second, 2 * second), sampleRate), 1, 60);
    }

    [Fact]
    public void Noise_of_a_pause_that_g729_describes_goes_on_until_speech_comes() // Annex B
    {
        Skip(NativeCodecs.G729);
        using var buffer = new PlayoutBuffer(NativeCodecs.Registry, 8000, new());
        using var encoder = NativeCodecs.Registry.TryCreateEncoder("G729", 8000, 1)!;
        var (payload, block) = (new byte[20], new short[160]);
        var said = Vowels(8000, 2);
        for (var i = 0; i < 150; i++)
        {
            var now = new Instant(i * 200_000L);
            if (i < 50 || i > 100) encoder.Encode(said.AsSpan(i % 50 * 160, 160), payload);
            if (i < 50 || i > 100) buffer.Put(Frame(now, i < 50 ? i : i - 50, "G729", 8000, 1, payload, i));
            else if (i == 50) buffer.Put(Frame(now, i, "G729", 8000, 1, [0x3A, 0x5C], i));
            buffer.Take(now, block);
            if (i is > 60 and < 100) Assert.InRange(AudioLevel.Of(block), -80, -10);
        }

        Assert.Equal(0, buffer.Counts.ConcealedSamples);
    }

    [Theory]
    [InlineData("opus", 48_000, 2)]
    [InlineData("G729", 8000, 1)]
    public void Encoding_and_decoding_take_no_memory(string name, int clockRate, int channels)
    {
        Skip(name);
        using var encoder = NativeCodecs.Registry.TryCreateEncoder(name, clockRate, channels)!;
        using var decoder = NativeCodecs.Registry.TryCreateDecoder(name, clockRate, channels)!;
        var frame = encoder.SampleRate / 50;
        var (samples, payload) = (new short[frame], new byte[encoder.MaxPayload(frame)]);
        var least = long.MaxValue;
        for (var round = 0; round < 5; round++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < 20; i++)
            {
                var length = encoder.Encode(samples, payload);
                decoder.Decode(payload.AsSpan(0, length), samples);
                decoder.Conceal([], samples);
            }

            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.Equal(0, least);
    }

    [Fact]
    public void Settings_can_name_them()
    {
        Skip(NativeCodecs.Opus);
        Assert.Equal(["opus", "PCMU", "CN", "telephone-event"], CodecNames.FormatsOf(["Opus", "PCMU"]).Select(f => f.Name));
    }

    private static void Skip(string name) => Assert.False(NativeCodecs.IsMissing(name), $"{NativeCodecs.LibraryOf(name)} is not installed");

    private static ReceivedFrame Frame(Instant now, int sequence, string name, int clockRate, int channels, ReadOnlySpan<byte> payload, int? place = null) => new()
    {
        Arrival = now,
        Ssrc = 1,
        Sequence = 65_536 + sequence,
        Run = 0,
        Timestamp = (uint)((place ?? sequence) * (clockRate / 50)),
        Format = PayloadFormat.Packets(name, clockRate, channels),
        Payload = payload,
        Packet = payload,
    };

    private static short[] Vowels(int sampleRate, int seconds) =>
        [.. Enumerable.Range(0, sampleRate * seconds).Select(i => (double)i / sampleRate).Select(t =>
        {
            var phase = (Math.Tau * 120 * t) - (3 * Math.Cos(Math.Tau * 0.9 * t));
            return (short)(3500 * (0.6 + (0.4 * Math.Sin(Math.Tau * 2 * t))) * (Math.Sin(phase) + (0.8 * Math.Sin(4 * phase)) + (0.3 * Math.Sin(9 * phase))));
        })];

    private static double BestDecibel(ReadOnlySpan<short> said, ReadOnlySpan<short> heard, int sampleRate)
    {
        var best = double.MinValue;
        var start = heard.Length > 2 * said.Length ? sampleRate : 0;
        for (var offset = 0; offset < sampleRate / 8 && start + offset + said.Length <= heard.Length; offset++)
        {
            var (signal, error) = (1e-9, 1e-9);
            for (var i = 0; i < said.Length; i += 5)
            {
                signal += (double)said[i] * said[i];
                error += Math.Pow((double)said[i] - heard[start + offset + i], 2);
            }

            best = Math.Max(best, 10 * Math.Log10(signal / error));
        }

        return best;
    }
}
