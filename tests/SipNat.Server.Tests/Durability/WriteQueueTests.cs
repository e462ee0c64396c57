using SipNat.Archive.Audio;
using SipNat.Media.Codecs;
using SipNat.Media.Streams;
using SipNat.Server.Tests.Archive;

namespace SipNat.Server.Tests.Durability;

/// <summary>What waits for a writer's thread: whose turn it is, what goes together, and what finds no room.</summary>
public sealed class WriteQueueTests
{
    private readonly VirtualTime _clock = new();
    private readonly WriteJob[] _jobs = new WriteJob[WriteRun.MaxJobs];

    [Fact]
    public void Files_take_turns_by_what_has_waited_longest_and_each_gets_all_that_has_gathered_in_its_order()
    {
        var queue = Queue();
        var (a, b, c) = (File("a"), File("b"), File("c"));
        foreach (var (file, page) in (ReadOnlySpan<(AudioFile, int)>)[(b, 0), (a, 0), (a, 1), (c, 0), (b, 1), (a, 2)]) queue.TryAdd(Page(file, page));

        Assert.Equal(["b0", "b1"], Take(queue));
        queue.TryAdd(Page(b, 2));
        Assert.Equal(["a0", "a1", "a2"], Take(queue));
        Assert.Equal(["c0"], Take(queue));
        Assert.Equal(["b2"], Take(queue));
        Assert.Equal([], Take(queue));
        Assert.Equal(0, queue.Count);
    }

    [Fact]
    public void A_file_with_more_than_one_write_takes_goes_on_when_the_others_have_had_their_turn()
    {
        var queue = Queue();
        var (a, b) = (File("a"), File("b"));
        for (var page = 0; page < 20; page++) queue.TryAdd(Page(a, page));
        queue.TryAdd(Page(b, 0));

        Assert.Equal(Enumerable.Range(0, 16).Select(page => $"a{page}"), Take(queue));
        Assert.Equal(["b0"], Take(queue));
        Assert.Equal(["a16", "a17", "a18", "a19"], Take(queue));
    }

    [Fact]
    public void A_drain_waits_for_all_that_was_queued_before_it()
    {
        var queue = Queue();
        var (a, b) = (File("a"), File("b"));
        for (var page = 0; page < 40; page++) queue.TryAdd(Page(a, page));
        queue.TryAddAlways(new WriteJob(WriteJobKind.Drain, Drained: new()));
        queue.TryAdd(Page(b, 0));

        Assert.Equal([16, 1, 16, 8], Enumerable.Range(0, 4).Select(_ => Take(queue).Count));
        Assert.Equal(["Drain"], Take(queue));
        Assert.Equal([], Take(queue));
    }

    [Fact]
    public void A_full_queue_takes_nothing_until_a_quarter_of_it_is_free_but_always_closes_a_file()
    {
        var queue = Queue(capacity: 8);
        var files = Enumerable.Range(0, 8).Select(i => File($"{i}")).ToList();
        Assert.All(files, file => Assert.True(queue.TryAdd(Page(file, 0))));
        Assert.False(queue.TryAdd(Page(files[0], 1)));
        Take(queue);
        Assert.False(queue.TryAdd(Page(files[0], 2)));
        Assert.True(queue.TryAddAlways(new WriteJob(WriteJobKind.Close, files[7])));
        Take(queue);
        Assert.False(queue.TryAdd(Page(files[0], 3)));
        Take(queue);

        Assert.True(queue.TryAdd(Page(files[0], 4)));
        Assert.True(queue.TryAdd(Page(files[0], 5)));
        Assert.False(queue.TryAdd(Page(files[0], 6)));
    }

    [Fact]
    public void Buffers_that_the_disk_has_not_taken_count_as_if_they_were_in_the_queue()
    {
        var queue = Queue(capacity: 8);
        queue.Held = 8;
        Assert.False(queue.TryAdd(Page(File("a"), 0)));
        queue.Held = 6;
        Assert.True(queue.TryAdd(Page(File("a"), 0)));
        Assert.Equal(7, queue.Count);
    }

    [Fact]
    public void One_write_is_what_follows_each_other_up_to_64_KiB()
    {
        var file = File("a");
        WriteJob[] pages = [.. Enumerable.Range(0, 17).Select(page => Page(file, page))];
        Assert.Equal(16, WriteRun.CountOf(pages));

        // What is late for its page is written over it, so that the order has to stay.
        Assert.Equal(3, WriteRun.CountOf([pages[0], pages[1], pages[2], pages[1], pages[3]]));
        Assert.Equal(1, WriteRun.CountOf([pages[0], pages[2]]));
        Assert.Equal(1, WriteRun.CountOf([pages[0], new WriteJob(WriteJobKind.Close, file)]));
        Assert.Equal(1, WriteRun.CountOf([new WriteJob(WriteJobKind.Open, file), pages[0]]));
    }

    [Fact]
    public void Nothing_is_allocated_from_the_queue_to_the_file()
    {
        using var folder = new TemporaryFolder();
        var disk = new AudioDisk();
        var options = new AudioFileWriterOptions();
        var core = new WriterCore(options, _clock, disk, new(options, _clock, disk, _ => { }), _ => { });
        var queue = Queue();
        var file = new AudioFile(folder["a.wav"], new AudioFileFormat.Wave(AudioCodec.Pcmu), null, _clock);
        queue.TryAddAlways(new WriteJob(WriteJobKind.Open, file));
        WriteJob[] pages = [.. Enumerable.Range(0, 64).Select(page => Page(file, page))];
        Work(pages.AsSpan(0, 32));

        var before = GC.GetAllocatedBytesForCurrentThread();
        Work(pages.AsSpan(32));
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        core.End();

        void Work(ReadOnlySpan<WriteJob> jobs)
        {
            foreach (ref readonly var job in jobs) queue.TryAdd(job);
            while (queue.Take(0, _jobs, out _) is > 0 and var count) core.DoAll(_jobs.AsSpan(0, count));
        }
    }

    private static WriteQueue Queue(int capacity = 100) => new(capacity, TimeSpan.Zero);

    private static WriteJob Page(AudioFile file, int page) => new(WriteJobKind.Write, file, WriteBuffer.Rent(page * 4096, 4096, 4096));

    private AudioFile File(string path) => new(path, new AudioFileFormat.Wave(AudioCodec.Pcmu), null, _clock);

    private List<string> Take(WriteQueue queue)
    {
        var count = queue.Take(0, _jobs, out _);
        return [.. _jobs.Take(count).Select(job => job.Buffer is { } buffer ? $"{job.File!.Path}{buffer.Offset / 4096}" : $"{job.Kind}")];
    }
}
