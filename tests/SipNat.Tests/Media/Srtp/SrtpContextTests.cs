using System.Buffers.Binary;
using SipNat.Media.Srtp;
using SipNat.Simulation.Srtp;

namespace SipNat.Tests.Media.Srtp;

public sealed class SrtpContextTests
{
    private const uint Ssrc = 0xCAFEBABE;

    public static TheoryData<string> Suites => [.. SrtpProfile.All.Select(p => p.Name)];

    public static TheoryData<string> KeysOfLibsrtp => [.. LibsrtpPackets.Read().Select(p => p.Key).Distinct()];

    [Theory]
    [MemberData(nameof(KeysOfLibsrtp))]
    public void Packets_become_what_libsrtp_makes_of_them_and_come_back(string key)
    {
        var master = LibsrtpPackets.MasterKeyOf(key);
        using SrtpContext sender = new(master);
        using SrtpContext receiver = new(master);
        foreach (var (_, isControl, plain, expected) in LibsrtpPackets.Read().Where(p => p.Key == key))
        {
            var made = isControl ? ProtectControl(sender, plain) : Protect(sender, plain);
            var opened = isControl ? UnprotectControl(receiver, expected) : Unprotect(receiver, expected);

            Assert.Equal(Convert.ToHexString(expected), Convert.ToHexString(made));
            Assert.Equal(Convert.ToHexString(plain), Convert.ToHexString(opened));
        }
    }

    [Theory]
    [MemberData(nameof(Suites))]
    public void Every_length_goes_to_and_fro_between_two_makes(string suite)
    {
        Random random = new(7);
        var key = Draw(suite, random);
        PlainSrtp other = new(suite, key);
        using SrtpContext ours = new(new(ProfileOf(suite), key));
        using SrtpContext theirs = new(new(ProfileOf(suite), key));
        for (var length = 0; length < 600; length += 7)
        {
            var packet = Packet((ushort)length, Ssrc, random, length);
            var compound = Compound(random, length / 4);

            Assert.Equal(packet, other.Unprotect(Protect(ours, packet)));
            Assert.Equal(compound, other.UnprotectControl(ProtectControl(ours, compound)));
            Assert.Equal(packet, Unprotect(theirs, other.Protect(packet)));
            Assert.Equal(compound, UnprotectControl(theirs, other.ProtectControl(compound)));
        }
    }

    [Theory]
    [MemberData(nameof(Suites))]
    public void Not_one_bit_of_a_packet_can_be_changed(string suite)
    {
        Random random = new(7);
        var key = Draw(suite, random);
        PlainSrtp other = new(suite, key);
        using SrtpContext receiver = new(new(ProfileOf(suite), key));
        var packet = other.Protect(Packet(1, Ssrc, random, 20));
        var compound = other.ProtectControl(Compound(random, 2));

        Assert.All(Forged(packet), forged => Assert.NotEqual(SrtpDefect.None, receiver.Unprotect(forged, new byte[forged.Length], out _)));
        Assert.All(Forged(compound), forged => Assert.NotEqual(SrtpDefect.None, receiver.UnprotectControl(forged, new byte[forged.Length], out _)));
        Assert.Equal(SrtpDefect.None, receiver.Unprotect(packet, new byte[packet.Length], out _));
        Assert.Equal(SrtpDefect.None, receiver.UnprotectControl(compound, new byte[compound.Length], out _));
    }

    [Fact]
    public void A_packet_comes_once_and_not_when_it_is_old() // RFC 3711 §3.3.2
    {
        var (sender, receiver) = Pair();
        var packets = Enumerable.Range(0, 300).Select(i => sender.Protect(Packet((ushort)(65_400 + i), Ssrc, new Random(i), 10))).ToList();

        SrtpDefect[] seen = [.. new[] { 10, 5, 5, 10, 137, 9, 10, 11, 299, 136, 172, 171, 299, 298 }.Select(i => receiver.Unprotect(packets[i], new byte[64], out _))];

        Assert.Equal(
            [
                SrtpDefect.None, SrtpDefect.None, SrtpDefect.Replayed, SrtpDefect.Replayed, // 10, 5, 5, 10
                SrtpDefect.None, SrtpDefect.Replayed, SrtpDefect.Replayed, SrtpDefect.None, // 137; 9 and 10 are too old or known, 11 is not
                SrtpDefect.None, SrtpDefect.Replayed, SrtpDefect.None, SrtpDefect.Replayed, // 299; 136 and 171 are more than 127 behind
                SrtpDefect.Replayed, SrtpDefect.None,
            ],
            seen);
    }

    [Fact]
    public void A_control_packet_comes_once()
    {
        var (sender, receiver) = Pair();
        var compounds = Enumerable.Range(0, 200).Select(i => sender.ProtectControl(Compound(new Random(i), 2))).ToList();

        SrtpDefect[] seen = [.. new[] { 3, 3, 1, 150, 0, 23, 149 }.Select(i => receiver.UnprotectControl(compounds[i], new byte[64], out _))];

        Assert.Equal([SrtpDefect.None, SrtpDefect.Replayed, SrtpDefect.None, SrtpDefect.None, SrtpDefect.Replayed, SrtpDefect.None, SrtpDefect.None], seen);
    }

    [Theory]
    [InlineData(0, 65_000)] // nothing seen yet, below the roll-over
    [InlineData(0, 65_540)] // the first packets were lost, and the numbers rolled over in them
    [InlineData(40_000, 65_539)]
    [InlineData(65_535, 65_536)]
    [InlineData(200, 32_968)]
    [InlineData(200, 32_969)] // nearer by the numbers to what is before: found one roll-over further
    [InlineData(200, 98_000)] // half an hour without a packet
    [InlineData(0x7_FFFF, 0x8_0000)]
    public void The_roll_over_counter_is_found(ulong before, ulong after)
    {
        var (sender, receiver) = Pair();
        if (before > 0)
        {
            if (before > ushort.MaxValue) WalkTo(sender, receiver, before);
            Assert.Equal(SrtpDefect.None, receiver.Unprotect(sender.Protect(Packet((ushort)before, Ssrc, new Random(1), 10), before), new byte[64], out _));
        }

        var packet = Packet((ushort)after, Ssrc, new Random(2), 10);
        var plain = new byte[64];
        Assert.Equal(SrtpDefect.None, receiver.Unprotect(sender.Protect(packet, after), plain, out var length));
        Assert.Equal(packet, plain[..length]);
    }

    [Fact]
    public void Late_packets_of_before_the_roll_over_come_after_it()
    {
        var (sender, receiver) = Pair();
        ulong[] indices = [65_530, 65_536, 65_533, 65_535, 65_537, 65_531];

        Assert.All(indices, i => Assert.Equal(SrtpDefect.None, receiver.Unprotect(sender.Protect(Packet((ushort)i, Ssrc, new Random(1), 10), i), new byte[64], out _)));
    }

    [Fact]
    public void A_counter_that_began_anew_is_refused() // what it stood for has been used up (RFC 3711 §9.1)
    {
        var (sender, receiver) = Pair();
        receiver.Unprotect(sender.Protect(Packet(0, Ssrc, new Random(1), 10), 65_536), new byte[64], out _);
        receiver.Unprotect(sender.Protect(Packet(9, Ssrc, new Random(1), 10), 65_545), new byte[64], out _);

        Assert.Equal(SrtpDefect.AuthenticationFailed, receiver.Unprotect(sender.Protect(Packet(10, Ssrc, new Random(1), 10), 10), new byte[64], out _));
    }

    [Fact]
    public void Forged_sources_take_no_place_and_genuine_ones_no_more_than_there_are()
    {
        var (sender, receiver) = Pair();
        for (var i = 0u; i < 1000; i++) receiver.Unprotect(Packet(1, i, new Random(1), 30), new byte[64], out _);
        var genuine = Enumerable.Range(0, SrtpContext.MaxSources + 1).Select(i => receiver.Unprotect(sender.Protect(Packet(1, (uint)i, new Random(1), 10)), new byte[64], out _)).ToList();

        Assert.Equal([.. Enumerable.Repeat(SrtpDefect.None, SrtpContext.MaxSources), SrtpDefect.TooManySources], genuine);
    }

    [Theory]
    [InlineData("AES_CM_128_HMAC_SHA1_80")]
    [InlineData("AEAD_AES_128_GCM")]
    public void The_identifier_of_another_key_is_told_from_a_wrong_tag(string suite)
    {
        var key = Draw(suite, new Random(7));
        PlainSrtp sender = new(suite, key, [0, 0, 0, 2]);
        using SrtpContext receiver = new(new(ProfileOf(suite), key, [0, 0, 0, 1]));

        Assert.Equal(SrtpDefect.UnknownMki, receiver.Unprotect(sender.Protect(Packet(1, Ssrc, new Random(1), 10)), new byte[64], out _));
        Assert.Equal(SrtpDefect.UnknownMki, receiver.UnprotectControl(sender.ProtectControl(Compound(new Random(1), 2)), new byte[64], out _));
    }

    [Fact]
    public void Control_packets_have_to_be_encrypted() // no session parameter says otherwise (RFC 4568 §6.3.2)
    {
        var (sender, receiver) = Pair();
        var compound = sender.ProtectControl(Compound(new Random(1), 2));
        compound[^14] &= 0x7F;

        Assert.Equal(SrtpDefect.NotEncrypted, receiver.UnprotectControl(compound, new byte[64], out _));
    }

    [Theory]
    [MemberData(nameof(Suites))]
    public void What_is_too_short_is_told_so(string suite)
    {
        var profile = ProfileOf(suite);
        using SrtpContext receiver = new(SrtpMasterKey.Draw(profile, new Random(1)));
        for (var length = 0; length < 12 + profile.TagLength; length++) Assert.Equal(SrtpDefect.TooShort, receiver.Unprotect(new byte[length], new byte[64], out _));
        for (var length = 0; length < 12 + profile.ControlTagLength; length++) Assert.Equal(SrtpDefect.TooShort, receiver.UnprotectControl(new byte[length], new byte[64], out _));

        var extended = new byte[40];
        (extended[0], extended[15]) = (0x90, 200);
        Assert.Equal(SrtpDefect.TooShort, receiver.Unprotect(extended, new byte[64], out _));
    }

    [Theory]
    [MemberData(nameof(Suites))]
    public void Protecting_and_unprotecting_allocate_nothing(string suite)
    {
        var master = SrtpMasterKey.Draw(ProfileOf(suite), new Random(1));
        using SrtpContext sender = new(master);
        using SrtpContext receiver = new(master);
        var buffer = new byte[172 + sender.Overhead];
        var control = new byte[52 + sender.ControlOverhead];
        var (plain, foreign) = (new byte[256], new byte[200]);
        foreign[0] = buffer[0] = control[0] = 0x80;
        var (sequence, refused) = ((ushort)0, 0);

        var allocated = Allocation.Of(() =>
        {
            for (var i = 0; i < 100; i++)
            {
                BinaryPrimitives.WriteUInt16BigEndian(buffer.AsSpan(2), sequence++);
                sender.TryProtect(buffer);
                sender.TryProtectControl(control);
                if (receiver.Unprotect(buffer, plain, out _) is not SrtpDefect.None) refused++;
                if (receiver.UnprotectControl(control, plain, out _) is not SrtpDefect.None) refused++;
                receiver.Unprotect(foreign, plain, out _);
            }
        });

        Assert.Equal((0, 0), (allocated, refused));
    }

    [Fact]
    public void A_key_is_in_no_text()
    {
        var master = SrtpMasterKey.Draw(SrtpProfile.AesCm128HmacSha1Tag80, new Random(1));

        Assert.Equal("AES_CM_128_HMAC_SHA1_80", $"{master}");
    }

    private static IEnumerable<byte[]> Forged(byte[] packet)
    {
        for (var bit = 0; bit < packet.Length * 8; bit++)
        {
            byte[] forged = [.. packet];
            forged[bit / 8] ^= (byte)(1 << (bit % 8));
            yield return forged;
        }
    }

    // Far on: the numbers go up by half of their range at a time.
    private static void WalkTo(PlainSrtp sender, SrtpContext receiver, ulong index)
    {
        for (var at = index & 0x7FFF; at < index; at += 0x8000)
        {
            Assert.Equal(SrtpDefect.None, receiver.Unprotect(sender.Protect(Packet((ushort)at, Ssrc, new Random(1), 10), at), new byte[64], out _));
        }
    }

    private static (PlainSrtp Sender, SrtpContext Receiver) Pair()
    {
        var key = Draw("AES_CM_128_HMAC_SHA1_80", new Random(7));
        return (new("AES_CM_128_HMAC_SHA1_80", key), new(new(SrtpProfile.AesCm128HmacSha1Tag80, key)));
    }

    private static byte[] Protect(SrtpContext sender, byte[] packet)
    {
        byte[] buffer = [.. packet, .. new byte[sender.Overhead]];
        Assert.True(sender.TryProtect(buffer));
        return buffer;
    }

    private static byte[] ProtectControl(SrtpContext sender, byte[] compound)
    {
        byte[] buffer = [.. compound, .. new byte[sender.ControlOverhead]];
        Assert.True(sender.TryProtectControl(buffer));
        return buffer;
    }

    private static byte[] Unprotect(SrtpContext receiver, byte[] datagram)
    {
        var plain = new byte[datagram.Length];
        Assert.Equal(SrtpDefect.None, receiver.Unprotect(datagram, plain, out var length));
        return plain[..length];
    }

    private static byte[] UnprotectControl(SrtpContext receiver, byte[] datagram)
    {
        var plain = new byte[datagram.Length];
        Assert.Equal(SrtpDefect.None, receiver.UnprotectControl(datagram, plain, out var length));
        return plain[..length];
    }

    private static byte[] Packet(ushort sequence, uint ssrc, Random random, int payload)
    {
        var packet = new byte[12 + payload];
        random.NextBytes(packet.AsSpan(4));
        (packet[0], packet[1]) = (0x80, 8);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), sequence);
        BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(8), ssrc);
        return packet;
    }

    private static byte[] Compound(Random random, int words)
    {
        var compound = new byte[8 + (4 * words)];
        random.NextBytes(compound.AsSpan(8));
        (compound[0], compound[1]) = (0x80, 201);
        BinaryPrimitives.WriteUInt16BigEndian(compound.AsSpan(2), (ushort)(1 + words));
        BinaryPrimitives.WriteUInt32BigEndian(compound.AsSpan(4), Ssrc);
        return compound;
    }

    private static SrtpProfile ProfileOf(string suite) => SrtpProfile.All.Single(p => p.Name == suite);

    private static byte[] Draw(string suite, Random random)
    {
        var key = new byte[ProfileOf(suite).MasterLength];
        random.NextBytes(key);
        return key;
    }
}
