using SipNat.Endpoint.Addressing;
using SipNat.Wire;

namespace SipNat.Tests.Endpoint.Addressing;

public sealed class MediaDestinationPolicyTests
{
    private const string Public = "198.51.100.20:5060";

    private static readonly MediaDestinationPolicy Policy = new(new([NetworkPrefix.Parse("192.168.1.0/24")]));

    [Theory]
    // The described address is the signalling source's: at once.
    [InlineData(Public, "198.51.100.20:4000", false, "198.51.100.20:4000", MediaDestinationReason.DescribedIsSource)]
    [InlineData(Public, "198.51.100.20:4000", true, "198.51.100.20:4000", MediaDestinationReason.DescribedIsSource)]
    [InlineData("127.0.0.1:5060", "127.0.0.1:4000", false, "127.0.0.1:4000", MediaDestinationReason.DescribedIsSource)]
    [InlineData("192.168.1.5:5060", "192.168.1.5:4000", false, "192.168.1.5:4000", MediaDestinationReason.DescribedIsSource)]
    // Another address: only once the ACK has shown that the peer receives what it is sent.
    [InlineData(Public, "203.0.113.9:4000", false, "198.51.100.20:4000", MediaDestinationReason.BeforeAck)]
    [InlineData(Public, "203.0.113.9:4000", true, "203.0.113.9:4000", MediaDestinationReason.Described)]
    [InlineData("192.168.1.5:5060", "192.168.1.6:4000", false, "192.168.1.5:4000", MediaDestinationReason.BeforeAck)]
    [InlineData("192.168.1.5:5060", "192.168.1.6:4000", true, "192.168.1.6:4000", MediaDestinationReason.Described)]
    [InlineData("192.168.1.5:5060", "10.2.2.2:4000", true, "10.2.2.2:4000", MediaDestinationReason.Described)]
    [InlineData("127.0.0.1:5060", "192.168.1.6:4000", true, "192.168.1.6:4000", MediaDestinationReason.Described)]
    // Never, not even after the ACK.
    [InlineData(Public, "192.168.1.100:4000", true, "198.51.100.20:4000", MediaDestinationReason.DescribedPrivate)]
    [InlineData(Public, "192.168.1.100:4000", false, "198.51.100.20:4000", MediaDestinationReason.DescribedPrivate)]
    [InlineData(Public, "10.0.0.5:4000", true, "198.51.100.20:4000", MediaDestinationReason.DescribedPrivate)]
    [InlineData(Public, "127.0.0.1:4000", true, "198.51.100.20:4000", MediaDestinationReason.DescribedLoopback)]
    [InlineData("192.168.1.5:5060", "127.0.0.1:4000", true, "192.168.1.5:4000", MediaDestinationReason.DescribedLoopback)]
    [InlineData(Public, "239.1.1.1:4000", true, "198.51.100.20:4000", MediaDestinationReason.DescribedMulticast)]
    [InlineData(Public, "0.0.0.0:4000", true, "198.51.100.20:4000", MediaDestinationReason.DescribedUnspecified)]
    [InlineData("[2001:db8::20]:5060", "[fe80::1]:4000", true, "[2001:db8::20]:4000", MediaDestinationReason.DescribedPrivate)]
    public void Until_media_comes_only_a_trickle_goes_to_an_address_that_the_peer_can_be_meant_by(
        string source, string described, bool ack, string expected, MediaDestinationReason reason) =>
        Assert.Equal(
            new MediaDestination(TransportAddress.Parse(expected), MediaAllowance.Trickle, reason),
            Decide(source, described, ack));

    [Theory]
    [InlineData(Public, "198.51.100.20:0", MediaDestinationReason.NoPort)]
    [InlineData(Public, null, MediaDestinationReason.NoPort)]
    [InlineData(null, "192.168.1.100:4000", MediaDestinationReason.NoSource)]
    public void Without_an_address_nothing_is_sent(string? source, string? described, MediaDestinationReason reason) =>
        Assert.Equal(new MediaDestination(default, MediaAllowance.None, reason), Decide(source, described, ack: true));

    [Theory]
    [InlineData("198.51.100.20:61000", false)]
    [InlineData("198.51.100.20:61000", true)]
    [InlineData("203.0.113.9:61000", true)]
    [InlineData("192.168.1.100:4000", true)]
    public void Where_media_came_from_everything_may_go(string seen, bool ack) =>
        Assert.Equal(
            new MediaDestination(TransportAddress.Parse(seen), MediaAllowance.Full, MediaDestinationReason.MediaSeen),
            Decide(Public, "192.168.1.100:4000", ack, seen));

    [Theory]
    [InlineData("203.0.113.9:61000", false)]
    [InlineData("127.0.0.1:61000", true)]
    [InlineData("239.1.1.1:61000", true)]
    [InlineData("203.0.113.9:0", true)]
    public void Media_that_may_be_forged_is_not_followed(string seen, bool ack) =>
        Assert.Equal(
            new MediaDestination(TransportAddress.Parse("198.51.100.20:4000"), MediaAllowance.Trickle, MediaDestinationReason.DescribedIsSource),
            Decide(Public, "198.51.100.20:4000", ack, seen));

    [Fact]
    public void No_description_aims_at_a_third_party_before_the_ack()
    {
        var random = new Random(20);
        var source = TransportAddress.Parse(Public);
        for (var round = 0; round < 10_000; round++)
        {
            var destination = Policy.Decide(new()
            {
                SignallingSource = source,
                Described = RandomAddress(random),
                MediaSeenFrom = random.Next(2) == 0 ? RandomAddress(random) : default,
            });

            Assert.True(destination.Allowance is MediaAllowance.None || destination.Address.HasSameAddress(source));
        }
    }

    [Fact]
    public void Every_reason_has_its_text()
    {
        var destination = TransportAddress.Parse("198.51.100.20:4000");

        var texts = Enum.GetValues<MediaDestinationReason>()
            .Select(reason => new MediaDestination(destination, MediaAllowance.Trickle, reason).Explain())
            .ToList();

        Assert.Equal(texts.Count, texts.Distinct(StringComparer.Ordinal).Count());
        Assert.Equal(
            "the description has a private address of another network: 198.51.100.20:4000, where the signalling comes from",
            texts[(int)MediaDestinationReason.DescribedPrivate]);
    }

    private static MediaDestination Decide(string? source, string? described, bool ack, string? seen = null) => Policy.Decide(new()
    {
        SignallingSource = source is null ? default : TransportAddress.Parse(source),
        Described = described is null ? default : TransportAddress.Parse(described),
        AckReceived = ack,
        MediaSeenFrom = seen is null ? default : TransportAddress.Parse(seen),
    });

    private static TransportAddress RandomAddress(Random random)
    {
        var octets = new byte[random.Next(2) == 0 ? 4 : 16];
        random.NextBytes(octets);
        return new(octets, random.Next(65536));
    }
}
