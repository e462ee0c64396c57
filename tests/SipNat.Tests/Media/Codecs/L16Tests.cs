using SipNat.Media.Codecs;

namespace SipNat.Tests.Media.Codecs;

public class L16Tests
{
    private static readonly byte[] Network = [0x00, 0x01, 0x7F, 0xFF, 0x80, 0x00, 0xFF, 0xFE];
    private static readonly short[] Linear = [1, 32767, -32768, -2];

    [Fact]
    public void Samples_are_in_network_byte_order_both_ways() // RFC 3551 §4.5.11
    {
        var samples = new short[4];
        var encoded = new byte[8];

        Assert.Equal(4, L16.Decode(Network, samples));
        L16.Encode(Linear, encoded);

        Assert.Equal(Linear, samples);
        Assert.Equal(Network, encoded);
    }

    [Fact]
    public void Half_a_sample_at_the_end_is_none()
    {
        var samples = new short[4];

        Assert.Equal(3, L16.Decode(Network.AsSpan(..7), samples));
        Assert.Equal([1, 32767, -32768, 0], samples);
        Assert.Equal(0, L16.Decode([0x12], samples));
    }

    [Fact]
    public void Any_offset_into_a_packet_may_be_read_and_written()
    {
        var (packet, samples) = (new byte[9], new short[4]);

        L16.Encode(Linear, packet.AsSpan(1));
        L16.Decode(packet.AsSpan(1), samples);

        Assert.Equal(Linear, samples);
    }

    [Fact]
    public void What_does_not_fit_is_refused()
    {
        Assert.Throws<ArgumentException>(() => L16.Decode(new byte[4], new short[1]));
        Assert.Throws<ArgumentException>(() => L16.Encode(new short[2], new byte[3]));
    }

    [Fact]
    public void Coding_allocates_nothing()
    {
        var (samples, encoded) = (new short[960], new byte[1920]);

        Assert.Equal(0, Allocation.Of(() =>
        {
            L16.Encode(samples, encoded);
            L16.Decode(encoded, samples);
        }));
    }
}
