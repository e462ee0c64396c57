using FsCheck;
using FsCheck.Fluent;

namespace SipNat.Tests.Media.Streams;

public sealed class StreamPropertyTests
{
    [Fact]
    public void Every_frame_that_arrived_stands_at_its_place_and_all_else_is_silence()
    {
        var network = ArbMap.Default.ArbFor<uint>().Generator
            .SelectMany(seed => Gen.Choose(0, 40).SelectMany(loss => Gen.Choose(0, 90).Select(jitter => new Network(seed, loss / 100.0, jitter))));

        Prop.ForAll(network.ToArbitrary(), Holds).Check(Config.QuickThrowOnFailure.WithMaxTest(100).WithReplay(20261101, 15));
    }

    [Fact]
    public void Forged_and_mutated_packets_never_throw_and_never_grow_the_file_beyond_what_they_carry()
    {
        var random = new Random(99);
        for (var round = 0; round < 50; round++)
        {
            var stream = new StreamUnderTest();
            long carried = 0;
            for (var i = 0; i < 200; i++)
            {
                var payload = new byte[random.Next(0, 1200)];
                carried += payload.Length;
                stream.SendPayload(
                    i * 5,
                    random.Next(3) == 0 ? (ushort)random.Next() : (ushort)i,
                    random.Next(3) == 0 ? (uint)random.Next() : (uint)(i * 160),
                    payload,
                    (uint)random.Next(4),
                    random.Next(20),
                    random.Next(5) == 0 ? StreamUnderTest.Peer.WithPort(random.Next(65536)) : StreamUnderTest.Peer);
            }

            var report = stream.Finish(1000);

            // One second has passed; each of the files may have begun with 100 ms of tolerated jitter.
            Assert.InRange(report.Duration.TotalSeconds, 0, (carried / 8000.0) + 1 + (0.1 * report.Files.Count) + 2);
            Assert.Equal(report.Files.Sum(f => f.Length), stream.Files.Values.Sum(f => f.Count));
        }
    }

    [Fact]
    public void Report_of_any_traffic_adds_up()
    {
        var random = new Random(5);
        for (var round = 0; round < 30; round++)
        {
            var stream = new StreamUnderTest();
            var accepted = 0;
            for (var i = 0; i < 300; i++)
            {
                var copies = random.Next(8) switch { 0 => 0, 1 => 2, _ => 1 };
                for (var copy = 0; copy < copies; copy++) stream.Send((i * 20) + random.NextDouble(), i);
                if (copies > 0) accepted++;
            }

            var report = stream.Finish(6000);

            Assert.Equal(accepted, report.Packets);
            Assert.Equal(accepted * 0.02, report.Recorded.TotalSeconds, 6);
            Assert.Equal(report.Duration, report.Recorded + report.SilenceFilled);
            var atEnd = (long)(report.SilenceFilled.TotalSeconds * 8000) - report.Gaps.Sum(g => g.Length);
            if (report.GapCount == report.Gaps.Count) Assert.InRange(atEnd, 0, 1600);
        }
    }

    private static void Holds(Network network)
    {
        var random = new Random((int)network.Seed);
        var sequence = (ushort)random.Next(65536);
        var timestamp = (uint)random.NextInt64(1L << 32);
        var stream = new StreamUnderTest();

        var arrivals = new List<(double At, int Frame)> { (0, 0) };
        for (var frame = 1; frame < 400; frame++)
        {
            if (random.NextDouble() < network.Loss) continue;

            // The first frame had no delay of its own, so that none can come before the file's start.
            arrivals.Add(((frame * 20) + (random.NextDouble() * network.JitterMs), frame));
            if (random.Next(10) == 0) arrivals.Add(((frame * 20) + (random.NextDouble() * 300), frame));
        }

        foreach (var (at, frame) in arrivals.OrderBy(a => a.At)) stream.Send(at, frame, sequence, timestamp);

        var last = arrivals.Max(a => a.Frame);
        var report = stream.Finish(8000, 0);
        var arrived = arrivals.Select(a => a.Frame).ToHashSet();
        Assert.Equal(Enumerable.Range(0, last + 1).Select(f => arrived.Contains(f) ? f : -1), stream.Frames());
        Assert.Equal((arrived.Count, last + 1 - arrived.Count), (report.Packets, report.Lost));
        Assert.Equal((arrivals.Count - arrived.Count, 0, 0), (report.Duplicates, report.Unplaced, report.AnchorCount));
        Assert.Equal(TimeSpan.FromMilliseconds(20 * arrived.Count), report.Recorded);
    }

    private sealed record Network(uint Seed, double Loss, int JitterMs);
}
