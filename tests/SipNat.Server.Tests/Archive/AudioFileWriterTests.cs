using SipNat.Archive.Audio;
using SipNat.Media.Codecs;
using SipNat.Media.Streams;
using SipNat.Media.Wav;

namespace SipNat.Server.Tests.Archive;

public sealed class AudioFileWriterTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_closed_file_holds_its_buffers_at_their_places_whatever_their_order()
    {
        await using (var writer = new AudioFileWriter(new AudioFileWriterOptions()))
        {
            var file = writer.Open(_folder["a.wav"], AudioCodec.Pcmu);
            Assert.True(writer.TryWrite(file, Buffer(0, 1, 2, 3)));
            Assert.True(writer.TryWrite(file, Buffer(3, 4, 5, 6)));
            Assert.True(writer.TryWrite(file, Buffer(1, 9)));
            writer.Close(file, 6);
        }

        Assert.Equal(TemporaryFolder.Wav(AudioCodec.Pcmu, [1, 9, 3, 4, 5, 6]), await Read("a.wav"));
    }

    [Fact]
    public async Task What_is_missing_in_the_middle_or_at_the_end_is_the_codecs_silence()
    {
        await using (var writer = new AudioFileWriter(new AudioFileWriterOptions()))
        {
            var file = writer.Open(_folder["a.wav"], AudioCodec.Pcma);
            writer.TryWrite(file, Buffer(2, 7));
            writer.Close(file, 5);
        }

        Assert.Equal(TemporaryFolder.Wav(AudioCodec.Pcma, [0xD5, 0xD5, 7, 0xD5, 0xD5]), await Read("a.wav"));
    }

    [Fact]
    public async Task A_long_gap_is_filled_in_blocks()
    {
        const int Gap = 20_001;
        await using (var writer = new AudioFileWriter(new AudioFileWriterOptions()))
        {
            var file = writer.Open(_folder["a.wav"], AudioCodec.Pcmu);
            writer.TryWrite(file, Buffer(Gap, 7));
            writer.Close(file, 0);
        }

        Assert.Equal(TemporaryFolder.Wav(AudioCodec.Pcmu, [.. Enumerable.Repeat((byte)0xFF, Gap), 7]), await Read("a.wav"));
    }

    [Fact]
    public async Task A_file_that_was_opened_and_closed_is_an_empty_audio_file()
    {
        await using (var writer = new AudioFileWriter(new AudioFileWriterOptions()))
        {
            writer.Close(writer.Open(_folder["a.wav"], AudioCodec.Pcmu), 0);
        }

        Assert.Equal(TemporaryFolder.Wav(AudioCodec.Pcmu, []), await Read("a.wav"));
    }

    [Fact]
    public async Task A_reader_of_a_growing_file_sees_a_header_that_states_what_is_there()
    {
        await using var writer = new AudioFileWriter(new AudioFileWriterOptions());
        var file = writer.Open(_folder["a.wav"], AudioCodec.Pcmu);
        for (var length = 0; length < 1000; length += 160)
        {
            await writer.DrainAsync(Token);

            using var handle = WavFile.OpenRead(_folder["a.wav"]);
            Assert.Equal(WavHeader.Length + length, RandomAccess.GetLength(handle));
            Assert.True(WavFile.TryRead(handle, out var header, out var defect), defect.ToString());
            Assert.Equal(new WavHeader(WavFormat.Of(AudioCodec.Pcmu), WavHeader.Length, length, length), header);
            writer.TryWrite(file, Buffer(length, new byte[160]));
        }
    }

    [Fact]
    public async Task The_header_follows_within_its_interval_without_being_asked()
    {
        await using var writer = new AudioFileWriter(new AudioFileWriterOptions { HeaderInterval = TimeSpan.Zero, SyncInterval = TimeSpan.Zero });
        var file = writer.Open(_folder["a.wav"], AudioCodec.Pcmu);
        writer.TryWrite(file, Buffer(0, 1, 2));
        writer.TryWrite(file, Buffer(2, 3, 4));
        await writer.DrainAsync(Token);

        Assert.Equal(TemporaryFolder.Wav(AudioCodec.Pcmu, [1, 2, 3, 4]), await Read("a.wav"));
    }

    [Fact]
    public async Task A_file_that_exists_is_not_touched_and_is_a_fault()
    {
        await File.WriteAllTextAsync(_folder["a.wav"], "precious", Token);
        await using var writer = new AudioFileWriter(new AudioFileWriterOptions());

        var file = writer.Open(_folder["a.wav"], AudioCodec.Pcmu);
        await writer.DrainAsync(Token);
        var buffer = Buffer(0, 1);
        var written = writer.TryWrite(file, buffer);
        writer.Close(file, 1);
        await writer.DrainAsync(Token);

        Assert.False(written);
        Assert.Throws<ObjectDisposedException>(() => buffer.Written.Length);
        Assert.Equal(1, writer.Refused);
        Assert.Equal("precious", await File.ReadAllTextAsync(_folder["a.wav"], Token));
        Assert.Equal((_folder["a.wav"], "A file of that name is there already."), TakeEnded(writer));
    }

    [Fact]
    public async Task A_disk_that_refuses_stops_one_file_and_no_other_and_is_tried_again()
    {
        await File.WriteAllTextAsync(_folder["blocked"], "a file where a folder should be", Token);
        await using (var writer = new AudioFileWriter(new AudioFileWriterOptions()))
        {
            var bad = writer.Open(_folder["blocked/a.wav"], AudioCodec.Pcmu);
            var good = writer.Open(_folder["day/session/a.wav"], AudioCodec.Pcmu);
            writer.TryWrite(bad, Buffer(0, 3));
            writer.TryWrite(good, Buffer(0, 1, 2));
            await writer.DrainAsync(Token);

            Assert.Equal(0, writer.Refused);
            Assert.Equal(TemporaryFolder.Wav(AudioCodec.Pcmu, [1, 2]), await Read("day/session/a.wav"));
            File.Delete(_folder["blocked"]);
        }

        Assert.Equal(TemporaryFolder.Wav(AudioCodec.Pcmu, [3]), await Read("blocked/a.wav"));
    }

    [Fact]
    public async Task A_full_queue_refuses_the_buffer_and_disposes_of_it_but_closes_the_file()
    {
        using var gate = new ManualResetEventSlim();
        using var reached = new ManualResetEventSlim();
        var disk = new TestDisk
        {
            BeforeWrite = () =>
            {
                reached.Set();
                gate.Wait();
            },
        };
        await using (var writer = new AudioFileWriter(new AudioFileWriterOptions { QueueCapacity = 2 }, TimeProvider.System, disk))
        {
            var file = writer.Open("a.wav", AudioCodec.Pcmu);
            reached.Wait(Token);
            var refused = Buffer(2, 3);

            Assert.True(writer.TryWrite(file, Buffer(0, 1)));
            Assert.True(writer.TryWrite(file, Buffer(1, 2)));
            Assert.False(writer.TryWrite(file, refused));
            writer.Close(file, 3);
            Assert.Throws<ObjectDisposedException>(() => refused.Written.Length);
            Assert.Equal((1, 3), (writer.Refused, writer.Waiting));
            gate.Set();
            await writer.DisposeAsync();

            Assert.True(writer.TryTakeFault(out var fault));
            Assert.Equal("The disk is too slow: the memory for audio that waits for it is full.", Assert.IsType<AudioFault.Refused>(fault).Reason);
            Assert.True(writer.TryTakeFault(out fault));
            Assert.Equal([new AudioSpan(2, 3)], Assert.IsType<AudioFault.Resumed>(fault).Missing);
            Assert.False(writer.TryTakeFault(out _));
        }

        Assert.Equal(TemporaryFolder.Wav(AudioCodec.Pcmu, [1, 2, 0xFF]), disk["a.wav"]);
        Assert.Equal(0, disk.Open);
    }

    [Fact]
    public async Task A_writer_that_has_ended_refuses_everything_and_waits_for_nothing()
    {
        var writer = new AudioFileWriter(new AudioFileWriterOptions());
        var file = writer.Open(_folder["a.wav"], AudioCodec.Pcmu);
        await writer.DisposeAsync();
        var buffer = Buffer(0, 1);

        Assert.False(writer.TryWrite(file, buffer));
        Assert.Throws<ObjectDisposedException>(() => buffer.Written.Length);
        await writer.DrainAsync(Token);
        writer.Open(_folder["b.wav"], AudioCodec.Pcmu);
        Assert.Equal((_folder["b.wav"], "The writer is closed."), TakeEnded(writer));
    }

    [Fact]
    public async Task A_closed_file_takes_nothing_more()
    {
        await using var writer = new AudioFileWriter(new AudioFileWriterOptions());
        var file = writer.Open(_folder["a.wav"], AudioCodec.Pcmu);
        writer.Close(file, 1);

        Assert.False(writer.TryWrite(file, Buffer(0, 1)));
        await writer.DrainAsync(Token);
        Assert.Equal(TemporaryFolder.Wav(AudioCodec.Pcmu, [0xFF]), await Read("a.wav"));
    }

    [Fact]
    public async Task Files_left_open_are_closed_whole_when_the_writer_ends()
    {
        var writer = new AudioFileWriter(new AudioFileWriterOptions { Threads = 2 });
        var files = Enumerable.Range(0, 5).Select(i => writer.Open(_folder[$"{i}.wav"], AudioCodec.Pcmu)).ToList();
        foreach (var (index, file) in files.Index()) writer.TryWrite(file, Buffer(0, (byte)index, 1, 2));

        await writer.DisposeAsync();

        Assert.Equal(15, writer.BytesWritten);
        Assert.Equal(0, writer.Waiting);
        foreach (var index in Enumerable.Range(0, 5)) Assert.Equal(TemporaryFolder.Wav(AudioCodec.Pcmu, [(byte)index, 1, 2]), await Read($"{index}.wav"));
    }

    [Fact]
    public async Task Queueing_a_buffer_allocates_nothing()
    {
        await using var writer = new AudioFileWriter(new AudioFileWriterOptions());
        var file = writer.Open(_folder["a.wav"], AudioCodec.Pcmu);
        var buffers = Enumerable.Range(0, 64).Select(i => Buffer(i * 2, 1, 2)).ToArray();
        writer.TryWrite(file, buffers[0]);

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 1; i < buffers.Length; i++) writer.TryWrite(file, buffers[i]);

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public async Task Many_threads_write_many_files_and_every_byte_arrives()
    {
        const int Files = 16;
        const int Buffers = 100;
        await using (var writer = new AudioFileWriter(new AudioFileWriterOptions { Threads = 3, HeaderInterval = TimeSpan.FromMilliseconds(1) }))
        {
            await Task.WhenAll(Enumerable.Range(0, Files).Select(number => Task.Run(
                () =>
                {
                    var file = writer.Open(_folder[$"{number}.wav"], AudioCodec.Pcmu);
                    for (var i = 0; i < Buffers; i++) Assert.True(writer.TryWrite(file, Buffer(i * 2, (byte)number, (byte)i)));
                    writer.Close(file, Buffers * 2);
                },
                Token)));
        }

        foreach (var number in Enumerable.Range(0, Files))
        {
            var audio = Enumerable.Range(0, Buffers).SelectMany(i => new[] { (byte)number, (byte)i }).ToArray();
            Assert.Equal(TemporaryFolder.Wav(AudioCodec.Pcmu, audio), await Read($"{number}.wav"));
        }
    }

    private static (string Path, string Reason) TakeEnded(AudioFileWriter writer)
    {
        while (writer.TryTakeFault(out var fault))
        {
            if (fault is AudioFault.Ended) return (fault.Path, fault.Reason);
        }

        return ("", "");
    }

    private static WriteBuffer Buffer(long offset, params byte[] bytes)
    {
        var buffer = WriteBuffer.Rent(offset, bytes.Length, bytes.Length);
        bytes.CopyTo(buffer.Span);
        return buffer;
    }

    private async Task<byte[]> Read(string name)
    {
        using var handle = WavFile.OpenRead(_folder[name]);
        var bytes = new byte[RandomAccess.GetLength(handle)];
        await RandomAccess.ReadAsync(handle, bytes, 0, Token);
        return bytes;
    }
}
