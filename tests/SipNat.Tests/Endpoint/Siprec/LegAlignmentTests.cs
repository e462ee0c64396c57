using SipNat.Endpoint.Media;
using SipNat.Endpoint.Siprec;
using SipNat.Media.Rtcp;
using SipNat.Media.Streams;
using SipNat.Wire;

namespace SipNat.Tests.Endpoint.Siprec;

public sealed class LegAlignmentTests
{
    private const ulong Noon = 3_976_214_400UL << 32;

    [Fact]
    public void Legs_are_placed_by_the_clock_of_their_senders_and_not_by_what_the_network_added()
    {
        // Both began at once; the second came 80 ms late.
        var offsets = LegAlignment.OffsetsOf(Snapshot((0, 1.000, 0.000), (1, 1.080, 0.000)));

        Assert.Equal([0.0, -0.080], offsets.Values.Select(v => Math.Round(v.TotalSeconds, 6)));
    }

    [Theory]
    [InlineData(0.5, 0.5)]
    [InlineData(0.51, 0)]
    [InlineData(-0.49, -0.49)]
    [InlineData(3600, 0)]
    public void Clocks_that_do_not_agree_with_the_arrivals_are_not_believed(double clockDifference, double correction)
    {
        var offsets = LegAlignment.OffsetsOf(Snapshot((0, 1, 0), (1, 1, clockDifference)));

        Assert.Equal((0.0, correction), (offsets[0].TotalSeconds, Math.Round(offsets[1].TotalSeconds, 6)));
    }

    [Fact]
    public void A_leg_without_reports_or_without_media_stays_where_it_arrived()
    {
        var offsets = LegAlignment.OffsetsOf(Snapshot((0, 1.000, 0.000), (1, 1.080, null), (2, null, null), (3, 1.100, 0.050)));

        Assert.Equal([0.0, 0.0, 0.0, -0.050], offsets.OrderBy(o => o.Key).Select(o => Math.Round(o.Value.TotalSeconds, 6)));
        Assert.All(LegAlignment.OffsetsOf(Snapshot((0, 1.0, 0.0))).Values, v => Assert.Equal(TimeSpan.Zero, v));
        Assert.Empty(LegAlignment.OffsetsOf(Snapshot()));
    }

    private static RecordingSnapshot Snapshot(params (int Index, double? Arrival, double? Sent)[] legs) => new(
        new("id"), RecordingState.Complete, new(0), null, null, "call", default, [], [], [], [], [.. legs.Select(Stream)], [], [], []);

    private static StreamSnapshot Stream((int Index, double? Arrival, double? Sent) leg)
    {
        var report = new StreamReport
        {
            StartedAt = leg.Arrival is { } arrival ? new Instant(0) + TimeSpan.FromSeconds(arrival) : null,
            SenderStart = leg.Sent is { } sent ? new NtpTimestamp(Noon) + TimeSpan.FromSeconds(sent) : default,
        };
        return new(leg.Index, $"{leg.Index}", [], "recvonly", new(0), default, default, "", new MediaStreamReport(leg.Index, report, default, null));
    }
}
