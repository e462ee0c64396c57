using System.Runtime.InteropServices;
using SipNat.Archive;
using SipNat.Archive.Documents;
using SipNat.Archive.Export;
using SipNat.Archive.Storage;
using SipNat.Media.Codecs;
using SipNat.Media.Wav;

namespace SipNat.Server.Tests.Archive;

public sealed class RecordingExporterTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly RecordingStore _store;
    private readonly RecordingExporter _exporter;

    public RecordingExporterTests()
    {
        _store = new RecordingStore(_folder.Recordings);
        _exporter = new RecordingExporter(_store);
    }

    private string Output => _folder["call.wav"];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Stereo_places_each_leg_where_it_began_and_pads_with_silence()
    {
        var document = TemporaryFolder.WithAudio(_store, TemporaryFolder.Document(), (AudioCodec.Pcmu, 0, [0x80, 0x00]), (AudioCodec.Pcma, 2 / 8000.0, [0xAA, 0xD5]));

        var result = Export(document);

        AssertOutput(2, [32124, 0, -32124, 0, 0, 32256, 0, 8]);
        Assert.Equal(0, result.OmittedStreams);
        var file = Assert.Single(result.Files);
        Assert.Equal((Output, 4 / 8000.0), (file.Path, file.Seconds));
        Assert.Equal(["1", "2"], file.Labels);
    }

    [Fact]
    public void Files_of_one_stream_are_joined_across_codecs_and_blocks()
    {
        var folder = _store.Create(TemporaryFolder.Id, TemporaryFolder.Start);
        var first = Enumerable.Range(0, 12_000).Select(i => (byte)i).ToArray();
        var second = Enumerable.Range(0, 9_000).Select(i => (byte)(i * 7)).ToArray();
        var document = TemporaryFolder.Document() with
        {
            Streams =
            [
                new RecordedStream
                {
                    Files =
                    [
                        TemporaryFolder.WriteAudio(_store, $"{folder}/stream-1.wav", AudioCodec.Pcmu, 0.5, first),
                        TemporaryFolder.WriteAudio(_store, $"{folder}/stream-1-2.wav", AudioCodec.Pcma, 2.25, second),
                    ],
                },
            ],
        };

        Export(document);

        short[] expected =
        [
            .. new short[4000],
            .. first.Select(code => G711.Decode(AudioCodec.Pcmu, code)),
            .. new short[2000],
            .. second.Select(code => G711.Decode(AudioCodec.Pcma, code)),
        ];
        AssertOutput(1, expected);
    }

    [Fact]
    public void Three_streams_give_two_channels_or_three_or_three_files()
    {
        var document = TemporaryFolder.WithAudio(_store, TemporaryFolder.Document(), (AudioCodec.Pcmu, 0, [0x80]), (AudioCodec.Pcmu, 0, [0x00]), (AudioCodec.Pcma, 0, [0xD5, 0x55]));

        Assert.Equal(1, Export(document).OmittedStreams);
        AssertOutput(2, [32124, -32124]);

        Assert.Equal(0, Export(document, new ExportOptions { Format = ExportFormat.Channels, Force = true }).OmittedStreams);
        AssertOutput(3, [32124, -32124, 8, 0, 0, -8]);

        var result = Export(document, new ExportOptions { Format = ExportFormat.Streams });
        Assert.Equal([_folder["call-1.wav"], _folder["call-2.wav"], _folder["call-3.wav"]], result.Files.Select(file => file.Path));
        Assert.Equal([8, -8], Read(_folder["call-3.wav"]).Samples);
    }

    [Theory]
    [InlineData("agent", -32124)] // by label
    [InlineData("1", -32124)] // a label is stronger than a number
    [InlineData("2", 0)]
    [InlineData("3", 32124)] // by number
    public void One_stream_is_chosen_by_its_label_or_its_number(string name, short sample)
    {
        var document = TemporaryFolder.WithAudio(_store, TemporaryFolder.Document(), (AudioCodec.Pcmu, 0, [0xFF]), (AudioCodec.Pcmu, 0, [0x00]), (AudioCodec.Pcmu, 0, [0x80]));
        string?[] labels = name == "agent" ? ["2", "agent", null] : ["2", "1", null];
        document = document with { Streams = [.. document.Streams.Zip(labels, (stream, label) => stream with { Label = label })] };

        Assert.Equal(2, Export(document, new ExportOptions { Stream = name }).OmittedStreams);

        AssertOutput(1, [sample]);
    }

    [Fact]
    public void An_unknown_or_ambiguous_stream_is_answered_with_those_there_are()
    {
        var document = TemporaryFolder.WithAudio(_store, TemporaryFolder.Document(), (AudioCodec.Pcmu, 0, [1]), (AudioCodec.Pcmu, 0, [2]));
        Assert.Equal(
            $"{TemporaryFolder.Id} has no stream 'x'. It has: 1 (label '1'), 2 (label '2').",
            Refused(document, new ExportOptions { Stream = "x" }));

        document = document with { Streams = [.. document.Streams.Select(stream => stream with { Label = "0" })] };
        Assert.Equal(
            $"{TemporaryFolder.Id} has 2 streams with the label '0': export all of them with the format 'streams'. It has: 1 (label '0'), 2 (label '0').",
            Refused(document, new ExportOptions { Stream = "0" }));
    }

    [Fact]
    public void An_output_that_exists_is_replaced_only_by_force()
    {
        var document = TemporaryFolder.WithAudio(_store, TemporaryFolder.Document(), (AudioCodec.Pcmu, 0, [0x80]));
        File.WriteAllText(Output, "precious");

        Assert.Equal($"{Output} exists already: choose another name, or give --force to replace it.", Refused(document));
        Assert.Equal("precious", File.ReadAllText(Output));

        Export(document, new ExportOptions { Force = true });
        Assert.Equal([32124], Read(Output).Samples);
        Assert.Equal(["call.wav"], Directory.EnumerateFiles(_folder.Path).Select(Path.GetFileName));
    }

    [Fact]
    public void An_output_that_cannot_be_written_says_why()
    {
        var document = TemporaryFolder.WithAudio(_store, TemporaryFolder.Document(), (AudioCodec.Pcmu, 0, [0x80]));

        Assert.Equal($"{_folder.Path} is a folder: name a file.", Refused(document, output: _folder.Path));
        Assert.Equal($"The folder {_folder["none"]} does not exist.", Refused(document, output: _folder["none/call.wav"]));
    }

    [Fact]
    public void A_recording_without_audio_or_with_a_lost_or_damaged_file_is_refused_and_leaves_nothing()
    {
        Assert.Equal($"{TemporaryFolder.Id} has no audio to export.", Refused(TemporaryFolder.Document()));

        var document = TemporaryFolder.WithAudio(_store, TemporaryFolder.Document(), (AudioCodec.Pcmu, 0, [0x80]));
        var file = document.Streams[0].Files[0];
        File.WriteAllText(_store.PathOf(file.File), "garbage instead of audio");
        Assert.Equal($"{file.File} cannot be exported: it is not a RIFF/WAVE file.", Refused(document));

        File.WriteAllBytes(_store.PathOf(file.File), PcmHeader());
        Assert.Equal($"{file.File} cannot be exported: it is not G.711 at 8000 Hz.", Refused(document));

        File.Delete(_store.PathOf(file.File));
        Assert.Equal($"{file.File} is not there: 'recordings verify' shows what is missing.", Refused(document));
        Assert.Empty(Directory.EnumerateFiles(_folder.Path));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(double.NaN)]
    [InlineData(1e300)]
    public void A_damaged_offset_never_fills_the_disk(double offset)
    {
        var document = TemporaryFolder.WithAudio(_store, TemporaryFolder.Document(), (AudioCodec.Pcmu, offset, [0x80]));

        Assert.EndsWith("session.json is damaged.", Refused(document), StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_whose_writer_was_cut_off_is_exported_to_its_end()
    {
        var document = TemporaryFolder.WithAudio(_store, TemporaryFolder.Document(), (AudioCodec.Pcmu, 0, [0x80, 0x00, 0xFF, 0x80]));
        using (var file = File.OpenWrite(_store.PathOf(document.Streams[0].Files[0].File)))
        {
            var header = new byte[WavHeader.Length];
            WavHeader.Write(header, WavFormat.Of(AudioCodec.Pcmu), 0);
            file.Write(header);
        }

        Export(document);

        Assert.Equal([32124, -32124, 0, 32124], Read(Output).Samples);
    }

    [Fact]
    public void A_cancelled_export_leaves_nothing_behind()
    {
        var document = TemporaryFolder.WithAudio(_store, TemporaryFolder.Document(), (AudioCodec.Pcmu, 0, [0x80]));
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();

        Assert.Throws<OperationCanceledException>(() => _exporter.Export(document, Output, new ExportOptions(), cancelled.Token));
        Assert.Empty(Directory.EnumerateFiles(_folder.Path));
    }

    [Fact]
    public void Memory_does_not_grow_with_the_length_of_a_recording()
    {
        var document = TemporaryFolder.WithAudio(_store, TemporaryFolder.Document(), (AudioCodec.Pcmu, 0, new byte[8000 * 60]), (AudioCodec.Pcma, 0, new byte[8000 * 60]));

        var before = GC.GetAllocatedBytesForCurrentThread();
        Export(document);

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 500_000);
        Assert.Equal(WavHeader.Length + (8000 * 60 * 4), new FileInfo(Output).Length);
    }

    [Fact]
    public void A_leg_that_is_kept_as_packets_is_silent_in_its_channel_and_told()
    {
        var packets = DumpFile.WithPackets(_store, TemporaryFolder.Document(), Enumerable.Range(0, 3));
        var audio = TemporaryFolder.WriteAudio(_store, packets.Streams[0].Files[0].File.Replace("stream-1.rtpdump", "stream-2.wav", StringComparison.Ordinal), AudioCodec.Pcmu, 0, [0x80, 0x00]);
        var document = packets with { Streams = [.. packets.Streams, new RecordedStream { Files = [audio] }] };

        var result = Export(document);

        AssertOutput(2, [0, 32124, 0, -32124]);
        Assert.Equal([new KeptPackets(1, "AMR", packets.Streams[0].Files[0].File)], result.Kept);

        var split = Export(document, new() { Format = ExportFormat.Streams }, _folder["leg.wav"]);
        Assert.Equal([_folder["leg-2.wav"]], split.Files.Select(file => file.Path));
        Assert.Equal((1, 1), (split.OmittedStreams, split.Kept.Count));
        Assert.Empty(Export(document, new() { Stream = "2", Force = true }).Kept);
        Assert.Contains("stream 1 is kept as packets of AMR in ", Refused(document, new() { Stream = "1", Force = true }), StringComparison.Ordinal);
    }

    private static byte[] PcmHeader()
    {
        var bytes = new byte[WavHeader.Length];
        WavHeader.Write(bytes, WavFormat.Pcm16(1, 8000), 0);
        return bytes;
    }

    private static (WavFormat Format, short[] Samples) Read(string path)
    {
        var bytes = File.ReadAllBytes(path);
        Assert.True(WavHeader.TryRead(bytes, bytes.Length, out var header, out var defect), defect.ToString());
        Assert.Equal(header.DeclaredLength, header.DataLength);
        return (header.Format, MemoryMarshal.Cast<byte, short>(bytes.AsSpan(header.DataOffset)).ToArray());
    }

    private void AssertOutput(int channels, short[] samples)
    {
        var (format, written) = Read(Output);
        Assert.Equal(WavFormat.Pcm16(channels, 8000), format);
        Assert.Equal(samples, written);
    }

    private ExportResult Export(RecordingDocument document, ExportOptions? options = null, string? output = null) =>
        _exporter.Export(document, output ?? Output, options ?? new ExportOptions(), TestContext.Current.CancellationToken);

    private string Refused(RecordingDocument document, ExportOptions? options = null, string? output = null) =>
        Assert.Throws<ArchiveException>(() => Export(document, options, output)).Message;
}
