using SipNat.Endpoint.Diagnosis;
using SipNat.Media.Streams;
using SipNat.Wire;

namespace SipNat.Tests.Endpoint.Diagnosis;

/// <summary>What a report alone is enough to find, and what it is not.</summary>
public sealed class StreamRulesTests
{
    private static readonly TransportAddress Peer = TransportAddress.Parse("192.0.2.20:40000");
    private static readonly Instant Start = new(0);

    [Fact]
    public void A_text_names_four_sources_and_the_number_of_the_others()
    {
        var sources = Enumerable.Range(0, 32).Select(i => Seen($"203.0.113.{i}:4000", (uint)i, LatchVerdict.Stray));

        var finding = Assert.Single(StreamRules.Find(Evidence(new() { Strays = 32, Sources = [.. sources] }, LatchPolicy.Allowed)));
        Assert.Equal(
            "Stream 1: packets came from 203.0.113.0:4000 (1), 203.0.113.1:4000 (1), 203.0.113.2:4000 (1), 203.0.113.3:4000 (1) and 28 more and are not part of the stream, as Media:Latch is Allowed and the peer signals from 192.0.2.20 and said 192.0.2.20:40000. If they are the peer's, put their network into Sip:AllowedNetworks.",
            finding.Text);
    }

    [Theory]
    [InlineData(9, 0, 0)]
    [InlineData(10, 990, 1)]
    [InlineData(10, 991, 0)]
    public void One_packet_in_a_hundred_and_ten_at_least_are_a_loss(long lost, long received, int findings) =>
        Assert.Equal(findings, StreamRules.Find(Evidence(new() { Lost = lost, Packets = received })).Count);

    [Fact]
    public void What_was_lost_on_hold_is_no_loss() =>
        Assert.Empty(StreamRules.Find(Evidence(new() { Lost = 500, Packets = 500 }) with { LostInHolds = 500 }));

    [Fact]
    public void The_first_eight_interruptions_are_found_and_no_pause_of_the_sender()
    {
        var gaps = Enumerable.Range(0, 64).Select(i => new StreamGap(0, i * 100_000, i % 2 == 0 ? 8000 : 7999, IsLoss: i % 4 != 2));

        var found = StreamRules.FindInterruptions(Evidence(new() { Gaps = [.. gaps] }));
        Assert.Equal(
            Enumerable.Range(0, 8).Select(i => $"Stream 1: 1.000 s of audio are missing from second {i * 50}.000 of file 1 on: the sender's numbers went on, and nothing arrived. The path was interrupted."),
            found.Select(finding => finding.Text));
    }

    [Fact]
    public void A_source_of_the_time_before_the_peer_moved_is_no_media_from_elsewhere()
    {
        var report = new StreamReport { Ssrcs = [1], Sources = [Seen("192.0.2.20:41000", 1, LatchVerdict.Accept)] };

        Assert.Empty(StreamRules.Find(Evidence(report) with { DescribedAt = Start }));
        Assert.Single(StreamRules.Find(Evidence(report) with { DescribedAt = Start - TimeSpan.FromSeconds(2) }));
    }

    private static SourceSeen Seen(string address, uint ssrc, LatchVerdict verdict) => new(TransportAddress.Parse(address), ssrc, 0, Start, Start, 1, verdict);

    private static StreamEvidence Evidence(StreamReport report, LatchPolicy latch = LatchPolicy.Signalling) => new(0, Start, report, [0], Peer, Start, Peer, latch);
}
