using SipNat.Media.Codecs;
using SipNat.Media.Playout;
using SipNat.Media.Streams;
using SipNat.Wire;

namespace SipNat.Tests.Media.Playout;

public sealed class PlayoutBufferTests
{
    [Fact]
    public void A_clean_path_is_played_sample_by_sample_60_ms_late()
    {
        var stream = new PlayedStream();
        for (var i = 0; i < 3000; i++) stream.Send((20 * i) + 7, i, i % 50 > 35 ? PlayedStream.Silence(i) : null);
        stream.RunTo(60_000);

        var expected = Enumerable.Range(0, 2990).SelectMany(i => i % 50 > 35 ? PlayedStream.Silence(i) : PlayedStream.Voice(i));
        Assert.Equal(expected, stream.Played.Skip(8 * 67).Take(2990 * 160));
        Assert.Equal(new PlayoutCounts { Played = stream.Buffer.Counts.Played }, stream.Buffer.Counts);
        Assert.Equal(60, stream.Buffer.Delay.TotalMilliseconds);
    }

    [Fact]
    public void Jitter_within_the_delay_changes_nothing()
    {
        var (stream, random) = (new PlayedStream(), new Random(3));
        for (var i = 0; i < 1000; i++) stream.Send((20 * i) + random.Next(0, 58), i);
        stream.RunTo(20_000);

        var found = stream.Find();
        Assert.Equal(Enumerable.Range(0, found.Count), found.Select(f => f.Index));
        Assert.InRange(found.Count, 990, 1000);
        Assert.All(found.Zip(found.Skip(1)), p => Assert.Equal(160, p.Second.Place - p.First.Place));
        Assert.Equal((0L, 0L), (stream.Buffer.Counts.Late, stream.Buffer.Counts.ConcealedSamples));
    }

    [Fact]
    public void Jitter_beyond_the_delay_lengthens_it_at_once_and_calm_shortens_it_in_silence()
    {
        var (stream, random) = (new PlayedStream(), new Random(4));
        for (var i = 0; i < 3000; i++)
        {
            var jitter = i is > 100 and < 1000 ? random.Next(0, 140) : 0;
            stream.Send((20 * i) + jitter, i, i % 50 > 35 ? PlayedStream.Silence(i) : null);
        }

        stream.RunTo(19_000);
        Assert.InRange(stream.Buffer.Delay.TotalMilliseconds, 130, 200);
        var (late, concealed) = (stream.Buffer.Counts.Late, stream.Buffer.Counts.ConcealedSamples);
        Assert.InRange(late, 1, 5);

        stream.RunTo(60_000);
        Assert.InRange(stream.Buffer.Delay.TotalMilliseconds, 60, 90);
        Assert.Equal((late, concealed), (stream.Buffer.Counts.Late, stream.Buffer.Counts.ConcealedSamples));
        Assert.All(stream.Find().Zip(stream.Find().Skip(1)), p => Assert.True(p.Second.Index > p.First.Index));
    }

    [Fact]
    public void What_is_lost_is_made_up_and_moves_nothing()
    {
        var (stream, random) = (new PlayedStream(), new Random(5));
        var lost = new HashSet<int>();
        for (var i = 0; i < 1000; i++)
        {
            if (i > 10 && random.Next(10) == 0) lost.Add(i);
            else stream.Send(20 * i, i);
        }

        stream.RunTo(19_900);
        var found = stream.Find();
        Assert.Equal(Enumerable.Range(0, found[^1].Index + 1).Where(i => !lost.Contains(i)), found.Select(f => f.Index));
        Assert.All(found, f => Assert.Equal(found[0].Place + (160 * f.Index), f.Place));
        Assert.Equal(160 * lost.Count(i => i < found[^1].Index), stream.Buffer.Counts.ConcealedSamples);
    }

    [Fact]
    public void What_is_made_up_goes_on_as_the_voice_did_and_is_gone_after_60_ms()
    {
        var stream = new PlayedStream();
        short[] Vowel(int index) => [.. Enumerable.Range(0, 160).Select(i => (short)(6000 * Math.Sin(Math.Tau * 125 * ((index * 160) + i) / 8000)))];
        for (var i = 0; i < 100; i++)
        {
            if (i is < 50 or > 59) stream.Send(20 * i, i, Vowel(i));
        }

        stream.RunTo(2000);
        var start = (8 * 60) + (50 * 160);
        var expected = Enumerable.Range(0, 3).SelectMany(k => Vowel(50 + k)).ToArray();
        var played = stream.Played.Skip(start).ToArray();
        for (var i = 0; i < 80; i++) Assert.InRange(played[i] - expected[i], -600, 600);
        Assert.InRange(AudioLevel.Of(played.AsSpan(240, 80)), AudioLevel.Of(expected.AsSpan(240, 80)) - 10, AudioLevel.Of(expected.AsSpan(240, 80)) - 3);
        Assert.All(played[480..1600], sample => Assert.Equal(0, sample));
    }

    [Fact]
    public void Packets_that_overtook_each_other_are_played_in_order_and_duplicates_once()
    {
        var stream = new PlayedStream();
        for (var i = 0; i < 500; i++)
        {
            stream.Send((20 * i) + (i % 7 == 3 ? 45 : 0), i);
            if (i % 5 == 0) stream.Send((20 * i) + 30, i);
        }

        stream.RunTo(9_900);
        var found = stream.Find();
        Assert.Equal(Enumerable.Range(0, found.Count), found.Select(f => f.Index));
        Assert.Equal(0, stream.Buffer.Counts.ConcealedSamples);
    }

    [Fact]
    public void Another_ssrc_or_timestamps_that_jump_go_on_without_a_gap()
    {
        var stream = new PlayedStream();
        for (var i = 0; i < 300; i++)
        {
            if (i == 100) (stream.Ssrc, stream.TimestampOffset) = (2, 5);
            if (i == 200) stream.TimestampOffset += 1_000_000_000;
            stream.Send(20 * i, i, sequence: i >= 100 && i < 200 ? i - 90 : i);
            if (i is 99 or 199) stream.RunTo((20 * i) + 1);
        }

        stream.RunTo(5_900);
        var found = stream.Find();
        Assert.Equal(Enumerable.Range(0, found.Count), found.Select(f => f.Index));
        Assert.All(found, f => Assert.InRange(f.Place - found[0].Place - (160 * f.Index), -8, 8));
        Assert.Equal(2, stream.Buffer.Counts.Restarts);
    }

    [Fact]
    public void Comfort_noise_fills_what_its_sender_leaves_out() // RFC 3389
    {
        var stream = new PlayedStream();
        for (var i = 0; i < 50; i++) stream.Send(20 * i, i);
        stream.Send(1000, PayloadFormat.ComfortNoise, 50, stream.TimestampOffset + (50 * 160), [50]);
        for (var i = 0; i < 50; i++) stream.Send(3000 + (20 * i), 150 + i, sequence: 51 + i);
        stream.RunTo(4000);

        var found = stream.Find();
        Assert.Equal([.. Enumerable.Range(0, 50), .. Enumerable.Range(150, found.Count - 50)], found.Select(f => f.Index));
        Assert.All(found, f => Assert.Equal(found[0].Place + (160 * f.Index), f.Place));
        var noise = stream.Played.Skip(found[49].Place + 400).Take(15_000).ToArray();

        // −50 dBov: 32768 / 316 as a mean square root.
        Assert.InRange(Math.Sqrt(noise.Average(s => (double)s * s)), 95, 112);
        Assert.Equal((1L, 0L), (stream.Buffer.Counts.ComfortNoise, stream.Buffer.Counts.ConcealedSamples));
    }

    [Theory]
    [InlineData(300)]
    [InlineData(-300)]
    public void A_clock_that_drifts_is_followed_in_silence(int partsPerMillion)
    {
        var stream = new PlayedStream();
        for (var i = 0; i < 30_000; i++) stream.Send(20 * i * (1 - (partsPerMillion / 1e6)), i, i % 50 > 35 ? PlayedStream.Silence(i) : null);
        stream.RunTo(20 * 29_900 * (1 - (partsPerMillion / 1e6)));

        var counts = stream.Buffer.Counts;
        Assert.Equal((0L, 0L), (counts.Late, counts.ConcealedSamples));
        Assert.InRange(stream.Buffer.Delay.TotalMilliseconds, 25, 115);
        Assert.True(partsPerMillion > 0 ? counts.Skipped > 3 : counts.InsertedSamples > 500);
        var voiced = stream.Find().Select(f => f.Index).Where(i => i % 50 <= 35).ToList();
        Assert.Equal(Enumerable.Range(0, voiced[^1] + 1).Where(i => i % 50 <= 35), voiced);
    }

    [Fact]
    public void After_a_long_pause_the_delay_is_what_it_was()
    {
        var stream = new PlayedStream();
        for (var i = 0; i < 100; i++) stream.Send(20 * i, i);
        for (var i = 0; i < 100; i++) stream.Send(12_000 + (20 * i), 600 + i, sequence: 100 + i);
        stream.RunTo(13_900);

        var found = stream.Find();
        Assert.All(found, f => Assert.Equal(found[0].Place + (160 * f.Index), f.Place));
        Assert.Equal(480, stream.Buffer.Counts.ConcealedSamples);
        Assert.InRange(found.Count, 190, 200);
    }

    [Fact]
    public void A_sender_whose_timestamps_stand_still_in_a_pause_is_heard_from_its_first_word()
    {
        var stream = new PlayedStream();
        for (var i = 0; i < 100; i++) stream.Send(20 * i, i);
        for (var i = 100; i < 300; i++) stream.Send(10_000 + (20 * i), i);
        stream.RunTo(15_900);

        var found = stream.Find();
        Assert.Equal(Enumerable.Range(0, found.Count), found.Select(f => f.Index));
        Assert.Equal(0, stream.Buffer.Counts.Late);
        Assert.InRange((found[150].Place / 8.0) - (10_000 + (20 * 150)), 55, 85);
    }

    [Fact]
    public void A_burst_after_an_outage_is_shortened_to_the_longest_delay()
    {
        var stream = new PlayedStream();
        for (var i = 0; i < 300; i++) stream.Send(i is >= 100 and < 150 ? 3000 : 20 * i, i);
        stream.RunTo(5_900);

        var found = stream.Find();
        Assert.InRange((found[^1].Place / 8.0) - (20 * found[^1].Index), 0, 290);
        Assert.InRange(stream.Buffer.Counts.Late, 30, 50);
        Assert.All(found.Zip(found.Skip(1)), p => Assert.True(p.Second.Index > p.First.Index));
    }

    [Fact]
    public void A_stream_that_begins_with_a_key_is_heard_after_it()
    {
        var stream = new PlayedStream();
        for (var i = 0; i < 5; i++) stream.Send(20 * i, PayloadFormat.TelephoneEvent, i, stream.TimestampOffset, [5, 10, 0, (byte)(160 * i)]);
        for (var i = 5; i < 100; i++) stream.Send(20 * i, i);
        stream.RunTo(1900);

        Assert.Equal(Enumerable.Range(5, 85), stream.Find().Select(f => f.Index).Take(85));
        Assert.Equal((0L, 0L), (stream.Buffer.Counts.ConcealedSamples, stream.Buffer.Counts.Late));
        Assert.Equal("L16", stream.Buffer.LastFormat!.Value.EncodingName);
    }

    [Fact]
    public void A_packet_that_is_put_in_and_played_takes_no_memory()
    {
        var buffer = new PlayoutBuffer(CodecRegistry.BuiltIn, 8000, new());
        var (payload, block) = (new byte[160], new short[160]);
        var (now, sequence) = (new Instant(0), 65_536L);
        Assert.Equal(0, Allocation.Of(() =>
        {
            for (var i = 0; i < 200; i++, sequence++, now += TimeSpan.FromMilliseconds(20))
            {
                if (sequence % 20 != 0)
                {
                    buffer.Put(new()
                    {
                        Arrival = now,
                        Ssrc = 1,
                        Sequence = sequence,
                        Run = 0,
                        Timestamp = (uint)(sequence * 160),
                        Format = PayloadFormat.Audio(AudioCodec.Pcmu),
                        Payload = payload,
                        Packet = payload,
                    });
                }

                buffer.Take(now, block);
            }
        }));
        Assert.InRange(buffer.Counts.Played, 1000, 1200);
    }
}
