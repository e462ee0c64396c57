using SipNat.Server.Hosting;

namespace SipNat.Server.Tests.Hosting;

public sealed class LoadWatchTests
{
    private const long Plenty = 1L << 30;
    private const string Disk = "The disk is behind with audio, and half of the memory for what waits is used (Recording:WriteMemory)";
    private const string Memory = "Less than 64 MiB of memory are left";
    private const string Processor = "Media sockets wait longer than 2 s to be looked at: the processor has no time left";

    [Fact]
    public void Nothing_is_short_of_an_empty_queue_much_memory_and_a_thread_in_time()
    {
        var watch = new LoadWatch();

        Assert.Equal((null, null, false), (watch.Look(0, Plenty, TimeSpan.Zero), watch.Look(0.49, null, LoadWatch.LongestDelay), watch.IsOverloaded));
    }

    [Fact]
    public void A_disk_that_is_behind_is_caught_up_with_when_a_quarter_of_the_memory_is_used()
    {
        var watch = new LoadWatch();
        double[] fullness = [0.4, 0.5, 1.2, 0.3, 0.25, 0.24, 0.49, 0.5];

        Assert.Equal([null, Disk, Disk, Disk, Disk, null, null, Disk], fullness.Select(full => watch.Look(full, Plenty, TimeSpan.Zero)));
        Assert.True(watch.IsOverloaded);
    }

    [Fact]
    public void Memory_that_was_short_is_enough_again_when_half_as_much_more_is_free()
    {
        var watch = new LoadWatch();
        long?[] free = [64 << 20, (64 << 20) - 1, 96 << 20, 64 << 20, (96 << 20) - 1, (64 << 20) - 1, null];

        Assert.Equal([null, Memory, null, null, null, Memory, null], free.Select(memory => watch.Look(0, memory, TimeSpan.Zero)));
    }

    [Fact]
    public void A_media_thread_that_is_late_by_more_than_two_seconds_has_no_time_until_the_next_look()
    {
        var watch = new LoadWatch();

        Assert.Equal(
            [Processor, null],
            new[] { 2001, 2000 }.Select(late => watch.Look(0, Plenty, TimeSpan.FromMilliseconds(late))));
    }

    [Fact]
    public void Of_several_reasons_the_disk_is_told_first()
    {
        Assert.Equal((Disk, Memory), (new LoadWatch().Look(1, 0, TimeSpan.FromHours(1)), new LoadWatch().Look(0, 0, TimeSpan.FromHours(1))));
    }
}
