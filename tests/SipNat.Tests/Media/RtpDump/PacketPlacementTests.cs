using SipNat.Media.RtpDump;

namespace SipNat.Tests.Media.RtpDump;

public class PacketPlacementTests
{
    private readonly PacketPlacement _placement = new(8000, 16_000);

    [Fact]
    public void Timestamps_place_packets_whatever_the_jitter_of_their_arrival()
    {
        uint[] arrivals = [0, 35, 35, 60, 95];

        var places = arrivals.Select((arrival, i) => _placement.Place(arrival, 7, (uint)(i * 160) - 200, 320)).ToArray();

        Assert.Equal([0, 320, 640, 960, 1280], places);
        Assert.Equal(1600, _placement.End);
    }

    [Fact]
    public void An_overtaken_packet_and_one_after_a_loss_are_at_their_places()
    {
        (uint Arrival, uint Timestamp)[] packets = [(0, 0), (40, 320), (41, 160), (200, 1600)];

        Assert.Equal([0, 640, 320, 3200], packets.Select(packet => _placement.Place(packet.Arrival, 7, packet.Timestamp, 320)));
    }

    [Fact]
    public void Another_source_or_a_jump_begins_at_its_arrival_and_never_over_what_stands_there()
    {
        _placement.Place(0, 7, 0, 320);

        Assert.Equal(16_000, _placement.Place(1000, 7, 160, 320)); // the timestamps stood still in a pause
        Assert.Equal(16_320, _placement.Place(1010, 8, 90_000, 320)); // another source, before the last one was over
        Assert.Equal(32_000, _placement.Place(2000, 8, 4_000_000_000, 320)); // a restart
        Assert.Equal(32_320, _placement.Place(2020, 8, 4_000_000_160, 320));
    }

    [Fact]
    public void A_clock_that_drifts_is_followed_for_hours_without_a_jump()
    {
        // 200 ppm: a second in 5000.
        long last = -320;
        for (uint i = 0; i < 500_000; i++)
        {
            var place = _placement.Place((uint)(i * 20 * 1.0002), 7, i * 160, 320);
            Assert.Equal(last + 320, place);
            last = place;
        }
    }
}
