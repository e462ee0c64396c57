using SipNat.Media.Rtp;

namespace SipNat.Tests.Media.Rtp;

public sealed class SequenceTrackerTests // RFC 3550 §A.1
{
    [Fact]
    public void Numbers_go_on_over_their_wrap()
    {
        var tracker = new SequenceTracker();
        var extended = new List<long>();

        foreach (var number in (ushort[])[65533, 65534, 65535, 0, 1, 2]) extended.Add(Track(tracker, number).Extended);

        Assert.Equal([0, 1, 2, 3, 4, 5], extended.Select(e => e - extended[0]));
        Assert.Equal(0x1_0002u, tracker.ReportedHighest);
        Assert.Equal((6, 6, 0), (tracker.Expected, tracker.Received, tracker.Lost));
    }

    [Fact]
    public void Missing_numbers_are_lost_until_they_come_late()
    {
        var tracker = new SequenceTracker();

        Assert.Equal(SequenceVerdict.InOrder, Track(tracker, 10).Verdict);
        Assert.Equal(SequenceVerdict.InOrder, Track(tracker, 13).Verdict);
        Assert.Equal(2, tracker.Lost);

        Assert.Equal(SequenceVerdict.Reordered, Track(tracker, 11).Verdict);
        Assert.Equal(SequenceVerdict.Duplicate, Track(tracker, 11).Verdict);
        Assert.Equal(SequenceVerdict.Duplicate, Track(tracker, 13).Verdict);
        Assert.Equal((4, 3, 1, 2, 1), (tracker.Expected, tracker.Received, tracker.Lost, tracker.Duplicates, tracker.Reordered));
    }

    [Fact]
    public void Packet_from_before_the_first_one_moves_the_start()
    {
        var tracker = new SequenceTracker();
        var first = Track(tracker, 0).Extended;

        Assert.Equal((SequenceVerdict.Reordered, first - 1), Track(tracker, 65535));
        Assert.Equal((2, 2, 0), (tracker.Expected, tracker.Received, tracker.Lost));
    }

    [Fact]
    public void Single_stray_number_is_suspect_and_changes_nothing()
    {
        var tracker = new SequenceTracker();
        Track(tracker, 100);

        Assert.Equal(SequenceVerdict.Suspect, Track(tracker, 40000).Verdict);
        Assert.Equal(SequenceVerdict.Duplicate, Track(tracker, 40000).Verdict);
        Assert.Equal(SequenceVerdict.InOrder, Track(tracker, 101).Verdict);
        Assert.Equal(SequenceVerdict.Suspect, Track(tracker, 40001).Verdict);

        Assert.Equal((2, 2, 0), (tracker.Expected, tracker.Received, tracker.Restarts));
    }

    [Theory]
    [InlineData(40000, 40001)]
    [InlineData(40000, 40003)]
    [InlineData(40001, 40000)]
    public void Two_packets_at_the_same_far_place_are_a_restart(ushort first, ushort second)
    {
        var tracker = new SequenceTracker();
        var before = Track(tracker, 100).Extended;
        Assert.Equal(SequenceVerdict.Suspect, Track(tracker, first).Verdict);

        var (verdict, extended) = Track(tracker, second);

        Assert.Equal(SequenceVerdict.Restarted, verdict);
        Assert.Equal(second - first, extended - tracker.RestartedAt);
        Assert.True(extended > before);
        Assert.Equal(1, tracker.Restarts);
        Assert.Equal(3, tracker.Received);
        Assert.Equal(Math.Abs(second - first) - 1, tracker.Lost);
    }

    [Theory]
    [InlineData(SequenceTracker.MaxDropout - 1, SequenceVerdict.InOrder)]
    [InlineData(SequenceTracker.MaxDropout, SequenceVerdict.Suspect)]
    [InlineData(-SequenceTracker.MaxMisorder + 1, SequenceVerdict.Reordered)]
    [InlineData(-SequenceTracker.MaxMisorder, SequenceVerdict.Suspect)]
    public void Loss_and_lateness_end_where_jumps_begin(int step, SequenceVerdict expected)
    {
        var tracker = new SequenceTracker();
        Track(tracker, 30000);

        Assert.Equal(expected, Track(tracker, (ushort)(30000 + step)).Verdict);
    }

    [Fact]
    public void Sender_that_begins_anew_inside_its_old_numbers_is_told_by_its_timestamps()
    {
        var tracker = new SequenceTracker();
        for (ushort i = 0; i < 500; i++) Track(tracker, i);

        tracker.Track(200, isContinuous: false, out _);

        Assert.Equal(SequenceVerdict.Restarted, tracker.Track(201, isContinuous: false, out _));
        Assert.Equal((0, 1), (tracker.Duplicates, tracker.Restarts));
    }

    [Fact]
    public void Source_is_valid_after_two_packets_in_sequence()
    {
        var tracker = new SequenceTracker();

        Track(tracker, 5);
        Assert.False(tracker.IsValid);
        Track(tracker, 9);
        Assert.False(tracker.IsValid);
        Track(tracker, 10);
        Assert.True(tracker.IsValid);
    }

    [Fact]
    public void Random_loss_doubling_and_disorder_are_counted_exactly()
    {
        var random = new Random(7);
        for (var round = 0; round < 20; round++)
        {
            var tracker = new SequenceTracker();
            var start = random.Next(65536);
            var seen = new HashSet<int>();
            var arrivals = Enumerable.Range(0, 2000)
                .SelectMany(i => Enumerable.Repeat(i, random.Next(10) switch { 0 => 0, 1 => 2, _ => 1 }))
                .OrderBy(i => i + (random.NextDouble() * 40))
                .ToList();

            long duplicates = 0;
            long origin = 0;
            foreach (var i in arrivals)
            {
                var isNew = seen.Add(i);
                if (!isNew) duplicates++;
                var (verdict, extended) = Track(tracker, (ushort)(start + i));
                Assert.Equal(isNew, verdict is not SequenceVerdict.Duplicate);
                if (seen.Count == 1 && isNew) origin = extended - i;
                if (isNew) Assert.Equal(origin + i, extended);
            }

            Assert.Equal(duplicates, tracker.Duplicates);
            Assert.Equal(seen.Count, tracker.Received);
            Assert.Equal(seen.Max() - seen.Min() + 1, tracker.Expected);
        }
    }

    private static (SequenceVerdict Verdict, long Extended) Track(SequenceTracker tracker, ushort number) =>
        (tracker.Track(number, isContinuous: true, out var extended), extended);
}
