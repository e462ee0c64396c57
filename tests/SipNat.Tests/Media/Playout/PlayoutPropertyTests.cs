using FsCheck;
using FsCheck.Fluent;
using SipNat.Media.Streams;

namespace SipNat.Tests.Media.Playout;

public sealed class PlayoutPropertyTests
{
    [Fact]
    public void Every_frame_that_came_in_time_is_played_once_and_in_order_and_no_time_is_lost()
    {
        var network = ArbMap.Default.ArbFor<int>().Generator
            .SelectMany(seed => Gen.Choose(0, 40).SelectMany(loss => Gen.Choose(0, 250).SelectMany(jitter => Gen.Choose(0, 20).Select(copies => new Network(seed, loss / 100.0, jitter, copies / 100.0)))));

        Prop.ForAll(network.ToArbitrary(), Holds).Check(Config.QuickThrowOnFailure.WithMaxTest(60).WithReplay(20261121, 7));
    }

    [Fact]
    public void Whatever_is_put_in_a_whole_block_comes_out_and_the_delay_stays_bounded()
    {
        for (var seed = 0; seed < 30; seed++)
        {
            var (stream, random) = (new PlayedStream(), new Random(seed));
            PayloadFormat[] formats = [PayloadFormat.Audio(default), PayloadFormat.ComfortNoise, PayloadFormat.TelephoneEvent, PayloadFormat.Packets("G722", 8000), PayloadFormat.Packets("L16", 48_000, 2), PayloadFormat.Packets("none", 1)];
            for (var i = 0; i < 400; i++)
            {
                if (random.Next(30) == 0) stream.Ssrc = (uint)random.Next(3);
                var payload = new byte[random.Next(0, 1000)];
                random.NextBytes(payload);
                stream.Send(
                    (i * 10) + random.Next(200),
                    formats[random.Next(formats.Length)],
                    random.Next(4) == 0 ? random.Next(60_000) : i,
                    random.Next(4) == 0 ? (uint)random.Next() : (uint)(i * 80),
                    payload);
            }

            stream.RunTo(5000);
            Assert.Equal(40_000, stream.Played.Count);
        }
    }

    private static bool Holds(Network network)
    {
        const int Frames = 400;
        var (stream, random) = (new PlayedStream(), new Random(network.Seed));
        var arrived = new HashSet<int>();
        for (var i = 0; i < Frames; i++)
        {
            if (i > 0 && random.NextDouble() < network.Loss) continue;

            arrived.Add(i);
            var copies = random.NextDouble() < network.Copies ? 2 : 1;
            for (var copy = 0; copy < copies; copy++) stream.Send((20 * i) + (random.NextDouble() * network.Jitter), i);
        }

        var end = (20 * Frames) + 1000;
        stream.RunTo(end);
        var played = stream.Find().Select(f => f.Index).ToList();
        var counts = stream.Buffer.Counts;
        // What came while something was made up in its place is played from there on, and not found whole.
        Assert.Equal(end * 8, stream.Played.Count);
        Assert.All(played.Zip(played.Skip(1)), p => Assert.True(p.First < p.Second));
        Assert.All(played, index => Assert.Contains(index, arrived));
        Assert.InRange(counts.Played - played.Count, 0, counts.ConcealedSamples);
        Assert.InRange(arrived.Count - counts.Played, 0, counts.Late);
        Assert.True(network.Jitter > 55 || played.Count == arrived.Count);
        return true;
    }

    private sealed record Network(int Seed, double Loss, int Jitter, double Copies);
}
