using System.Buffers.Binary;
using SipNat.Media.Srtp;
using SipNat.Simulation.Srtp;
using SipNat.Wire;

namespace SipNat.Tests.Media.Srtp;

public sealed class SrtpReceiverTests
{
    private const string Suite = "AES_CM_128_HMAC_SHA1_80";
    private static readonly Instant Start = new(0);

    private readonly SrtpReceiver _receiver = new();

    [Fact]
    public void A_key_that_is_told_again_keeps_its_roll_over_counter()
    {
        var (sender, key) = Key(1);
        _receiver.Agree(Start, [key]);
        Assert.Equal(SrtpDefect.None, Take(Start, sender.Protect(Packet(65_535), 65_535)));

        _receiver.Agree(Start, [Key(1).Key]);

        Assert.Equal(SrtpDefect.None, Take(Start, sender.Protect(Packet(0), 65_536)));
        Assert.Equal(SrtpDefect.Replayed, Take(Start, sender.Protect(Packet(65_535), 65_535)));
    }

    [Fact]
    public void A_former_key_counts_for_five_seconds()
    {
        var (former, formerKey) = Key(1);
        var (sender, key) = Key(2);
        _receiver.Agree(Start, [formerKey]);
        _receiver.Agree(Start, [key]);

        var end = Start + TimeSpan.FromSeconds(5);
        Assert.Equal(SrtpDefect.None, Take(new(end.Ticks - 1), former.Protect(Packet(1))));
        Assert.Equal(SrtpDefect.None, Take(new(end.Ticks - 1), sender.Protect(Packet(2))));
        Assert.Equal(SrtpDefect.AuthenticationFailed, Take(end, former.Protect(Packet(3))));
        Assert.Equal(SrtpDefect.None, Take(end, sender.Protect(Packet(4))));
    }

    [Fact]
    public void A_former_key_that_comes_back_in_time_goes_on()
    {
        var (sender, key) = Key(1);
        _receiver.Agree(Start, [key]);
        Take(Start, sender.Protect(Packet(7)));
        _receiver.Agree(Start, [Key(2).Key]);
        _receiver.Agree(Start, [key]);

        Assert.Equal(SrtpDefect.Replayed, Take(Start, sender.Protect(Packet(7))));
        Assert.Equal(SrtpDefect.None, Take(Start + TimeSpan.FromHours(1), sender.Protect(Packet(8))));
    }

    [Fact]
    public void Of_several_keys_packets_name_theirs()
    {
        var (first, firstKey) = Key(1, [1]);
        var (second, secondKey) = Key(2, [2]);
        var (third, _) = Key(3, [3]);
        _receiver.Agree(Start, [firstKey, secondKey]);

        SrtpDefect[] seen =
        [
            Take(Start, second.Protect(Packet(1))), Take(Start, first.Protect(Packet(2))), Take(Start, third.Protect(Packet(3))),
            Take(Start, Key(3, [2]).Sender.Protect(Packet(4))),
        ];

        Assert.Equal([SrtpDefect.None, SrtpDefect.None, SrtpDefect.UnknownMki, SrtpDefect.AuthenticationFailed], seen);
    }

    [Fact]
    public void A_key_that_is_told_twice_lets_a_packet_in_once()
    {
        var (sender, key) = Key(1);
        _receiver.Agree(Start, [key, Key(1).Key]);
        var packet = sender.Protect(Packet(1));

        Assert.Equal([SrtpDefect.None, SrtpDefect.Replayed], new[] { Take(Start, packet), Take(Start, packet) });
    }

    [Fact]
    public void Without_keys_nothing_is_required_and_former_ones_are_tried_for_a_while()
    {
        var (sender, key) = Key(1);
        Assert.False(_receiver.HasKeys);
        _receiver.Agree(Start, [key]);
        Assert.True(_receiver.IsRequired);
        _receiver.Agree(Start, []);

        Assert.Equal((false, true), (_receiver.IsRequired, _receiver.HasKeys));
        Assert.Equal(SrtpDefect.None, Take(Start, sender.Protect(Packet(1))));
        Assert.Equal(SrtpDefect.UnknownMki, Take(Start + SrtpReceiver.FormerKeyTime, sender.Protect(Packet(2))));
        Assert.False(_receiver.HasKeys);
    }

    [Fact]
    public void However_often_keys_change_few_are_kept()
    {
        for (var i = 0; i < 100; i++) _receiver.Agree(Start, [.. Enumerable.Range(0, 20).Select(n => Key((100 * i) + n).Key)]);

        Assert.Equal(SrtpDefect.None, Take(Start, Key(9907).Sender.Protect(Packet(1))));
        Assert.Equal(SrtpDefect.AuthenticationFailed, Take(Start, Key(9908).Sender.Protect(Packet(2)))); // the ninth of its description
        Assert.Equal(SrtpDefect.None, Take(Start, Key(9807).Sender.Protect(Packet(3)))); // a former one
        Assert.Equal(SrtpDefect.AuthenticationFailed, Take(Start, Key(9707).Sender.Protect(Packet(4))));
    }

    private SrtpDefect Take(Instant now, byte[] datagram) => _receiver.Unprotect(now, datagram, isControl: false, new byte[datagram.Length], out _);

    private static (PlainSrtp Sender, SrtpMasterKey Key) Key(int seed, byte[]? mki = null)
    {
        var bytes = new byte[SrtpProfile.AesCm128HmacSha1Tag80.MasterLength];
        new Random(seed).NextBytes(bytes);
        return (new(Suite, bytes, mki), new(SrtpProfile.AesCm128HmacSha1Tag80, bytes, mki));
    }

    private static byte[] Packet(ushort sequence)
    {
        var packet = new byte[32];
        packet[0] = 0x80;
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), sequence);
        return packet;
    }
}
