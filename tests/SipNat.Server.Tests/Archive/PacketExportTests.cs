using System.Buffers.Binary;
using System.Runtime.InteropServices;
using SipNat.Archive;
using SipNat.Archive.Documents;
using SipNat.Archive.Export;
using SipNat.Archive.Storage;
using SipNat.Media.Codecs;
using SipNat.Media.Wav;
using SipNat.Server.Codecs;

namespace SipNat.Server.Tests.Archive;

/// <summary>Export of streams that were kept as packets. The G.722 is ffmpeg's (<c>tests/data/codecs</c>).</summary>
public sealed class PacketExportTests : IDisposable
{
    private const int FrameBytes = 160;

    private readonly TemporaryFolder _folder = new();
    private readonly RecordingStore _store;
    private readonly string _session;

    public PacketExportTests()
    {
        _store = new RecordingStore(_folder.Recordings);
        _session = _store.Create(TemporaryFolder.Id, TemporaryFolder.Start);
    }

    private static byte[] Encoded => File.ReadAllBytes(Path.Combine(Repository.Root, "tests/data/codecs/source.g722"));

    private static short[] Decoded => MemoryMarshal.Cast<byte, short>(File.ReadAllBytes(Path.Combine(Repository.Root, "tests/data/codecs/source.g722.s16"))).ToArray();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(9)]
    [InlineData(104)] // a dynamic type, known as that of the file's first packet
    public void Kept_G722_is_exported_at_16_kHz_where_it_began(int payloadType)
    {
        var file = DumpFile.Write(_store, _session, 1, "G722", G722(payloadType)) with { StartOffsetSeconds = 0.25 };

        var (result, format, samples) = Export(file);

        Assert.Equal(WavFormat.Pcm16(1, 16_000), format);
        Assert.Equal([.. new short[4000], .. Decoded], samples);
        Assert.Empty(result.Kept);
        Assert.Equal(0.75, result.Files[0].Seconds);
    }

    [Fact]
    public void Overtaken_packets_are_put_in_order_and_lost_ones_are_silent()
    {
        var packets = G722(9).ToList();
        (packets[3], packets[5]) = ((packets[3].Milliseconds, packets[5].Packet), (packets[5].Milliseconds, packets[3].Packet));
        packets.RemoveAt(packets.Count - 2);

        var (_, _, samples) = Export(DumpFile.Write(_store, _session, 1, "G722", packets));

        // After a loss the decoder needs a while to be again what the encoder was.
        var lost = Decoded.Length - (4 * FrameBytes);
        Assert.Equal(Decoded.Length, samples.Length);
        Assert.Equal(Decoded[..lost], samples[..lost]);
        Assert.Equal(new short[2 * FrameBytes], samples[lost..(lost + (2 * FrameBytes))]);
    }

    [Fact]
    public void A_telephone_leg_and_a_wideband_leg_come_into_one_file_at_the_higher_rate()
    {
        var tone = Enumerable.Range(0, 4000).Select(i => (short)(8000 * Math.Sin(2 * Math.PI * 500 * i / 8000))).ToArray();
        var encoded = new byte[tone.Length];
        G711.Encode(AudioCodec.Pcma, tone, encoded);
        var narrow = TemporaryFolder.WriteAudio(_store, $"{_session}/stream-2.wav", AudioCodec.Pcma, 0, encoded);

        var (_, format, samples) = Export(DumpFile.Write(_store, _session, 1, "G722", G722(9)), narrow);

        Assert.Equal(WavFormat.Pcm16(2, 16_000), format);
        Assert.Equal(Decoded, samples.Where((_, i) => i % 2 == 0));
        var right = samples.Where((_, i) => i % 2 == 1).ToArray();
        var error = Enumerable.Range(1000, 6000).Max(i => Math.Abs(right[i] - (8000 * Math.Sin(2 * Math.PI * 500 * i / 16_000))));
        Assert.InRange(error, 0, 300); // A-law's step at that level is 256
    }

    [Fact]
    public void Kept_L16_is_decoded_by_the_rate_and_the_channels_of_its_rtpmap()
    {
        var payload = new byte[640 * 2];
        for (var i = 0; i < 640; i++) BinaryPrimitives.WriteInt16BigEndian(payload.AsSpan(2 * i), (short)(i % 2 == 0 ? 1000 : -400));
        var file = DumpFile.Write(_store, _session, 1, "L16", [(0, DumpFile.Packet(97, 0, 0, payload)), (60, DumpFile.Packet(97, 3, 960, payload))]);

        var (_, format, samples) = Export(file with { ClockRate = 16_000, Channels = 2 });

        short[] frame = [.. Enumerable.Repeat((short)300, 320)];
        Assert.Equal(WavFormat.Pcm16(1, 16_000), format);
        Assert.Equal([.. frame, .. new short[640], .. frame], samples);
        Assert.Contains("is kept as packets of L16", Assert.Throws<ArchiveException>(() => Export(file)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void G711_is_found_among_packets_of_whatever_codec()
    {
        byte[] audio = [.. Enumerable.Range(0, 160).Select(i => (byte)i)];
        var file = DumpFile.Write(_store, _session, 1, "unknown", [(0, DumpFile.Packet(8, 0, 0, audio)), (20, DumpFile.Packet(101, 1, 160, [1, 2, 3, 4])), (40, DumpFile.Packet(0, 2, 320, audio))]);

        var (result, format, samples) = Export(file);

        Assert.Equal(8000, format.SampleRate);
        Assert.Equal([.. audio.Select(code => G711.Decode(AudioCodec.Pcma, code)), .. new short[160], .. audio.Select(code => G711.Decode(AudioCodec.Pcmu, code))], samples);
        Assert.Empty(result.Kept);
    }

    [Fact]
    public void Times_that_cannot_be_never_fill_the_disk()
    {
        var file = DumpFile.Write(_store, _session, 1, "G722", [.. G722(9), (-1, DumpFile.Packet(9, 99, 0, new byte[160]))]);

        Assert.Equal(Decoded, Export(file).Samples);
    }

    [Fact]
    public void A_file_that_is_not_there_or_is_none_is_told()
    {
        var file = DumpFile.Write(_store, _session, 1, "G722", G722(9));
        File.WriteAllText(_store.PathOf(file.File), "garbage");
        Assert.Contains("is kept as packets of G722", Assert.Throws<ArchiveException>(() => Export(file)).Message, StringComparison.Ordinal);

        File.Delete(_store.PathOf(file.File));
        Assert.Equal($"{file.File} is not there: 'recordings verify' shows what is missing.", Assert.Throws<ArchiveException>(() => Export(file)).Message);
    }

    [Theory]
    [InlineData("opus", 48_000, 2, 111, 3)]
    [InlineData("G729", 8000, 1, 18, 2)]
    public void Kept_packets_of_codecs_that_libraries_bring_are_exported_where_these_are(string name, int clockRate, int channels, int payloadType, double leastDecibel)
    {
        Assert.False(NativeCodecs.IsMissing(name), $"{NativeCodecs.LibraryOf(name)} is not installed");
        using var encoder = NativeCodecs.Registry.TryCreateEncoder(name, clockRate, channels)!;
        var (rate, frame) = (encoder.SampleRate, encoder.SampleRate / 50);
        var said = Enumerable.Range(0, rate).Select(i => (short)(4000 * (Math.Sin(Math.Tau * 300 * i / rate) + Math.Sin(Math.Tau * 700 * i / rate)))).ToArray();
        var payload = new byte[encoder.MaxPayload(frame)];
        var packets = Enumerable.Range(0, 50).Select(i => (i * 20, DumpFile.Packet(payloadType, i, i * clockRate / 50, payload.AsSpan(0, encoder.Encode(said.AsSpan(i * frame, frame), payload))))).ToList();
        var file = DumpFile.Write(_store, _session, 1, name, packets) with { ClockRate = clockRate, Channels = channels };

        Assert.Contains($"is kept as packets of {name}", Assert.Throws<ArchiveException>(() => Export(file)).Message, StringComparison.Ordinal);
        var (result, format, samples) = Export(NativeCodecs.Registry, file);

        Assert.Empty(result.Kept);
        Assert.Equal((WavFormat.Pcm16(1, rate), rate), (format, samples.Length));
        var best = Enumerable.Range(0, rate / 50).Max(offset => Decibel(said.AsSpan(rate / 4, rate / 2), samples.AsSpan((rate / 4) + offset, rate / 2)));
        Assert.InRange(best, leastDecibel, 60);
    }

    // Frames of 20 ms that arrive a little late.
    private static IEnumerable<(int Milliseconds, byte[] Packet)> G722(int payloadType) =>
        Encoded.Chunk(FrameBytes).Select((frame, i) => ((i * 20) + (i % 3), DumpFile.Packet(payloadType, i, i * FrameBytes, frame)));

    private static double Decibel(ReadOnlySpan<short> said, ReadOnlySpan<short> heard)
    {
        var (signal, error) = (1e-9, 1e-9);
        for (var i = 0; i < said.Length; i++)
        {
            signal += (double)said[i] * said[i];
            error += Math.Pow((double)said[i] - heard[i], 2);
        }

        return 10 * Math.Log10(signal / error);
    }

    private (ExportResult Result, WavFormat Format, short[] Samples) Export(params RecordedFile[] files) => Export(CodecRegistry.BuiltIn, files);

    private (ExportResult Result, WavFormat Format, short[] Samples) Export(CodecRegistry codecs, params RecordedFile[] files)
    {
        var document = TemporaryFolder.Document() with { Streams = [.. files.Select(file => new RecordedStream { Files = [file] })] };
        var result = new RecordingExporter(_store).Export(document, _folder["call.wav"], new() { Force = true, Codecs = codecs }, TestContext.Current.CancellationToken);
        var bytes = File.ReadAllBytes(_folder["call.wav"]);
        Assert.True(WavHeader.TryRead(bytes, bytes.Length, out var header, out var defect), defect.ToString());
        return (result, header.Format, MemoryMarshal.Cast<byte, short>(bytes.AsSpan(header.DataOffset)).ToArray());
    }
}
