using System.Buffers.Binary;
using FsCheck;
using FsCheck.Fluent;
using SipNat.Media.Srtp;
using SipNat.Simulation.Srtp;
using SipNat.Wire;

namespace SipNat.Tests.Media.Srtp;

/// <summary>Packets that are looked ahead at come out as those that come one by one, and as the library alone makes them.</summary>
public sealed class SrtpBatchTests
{
    private const string Suite = "AES_CM_128_HMAC_SHA1_80";
    private static readonly Instant Now = new(0);

    public static TheoryData<string> Suites => [.. SrtpProfile.All.Select(p => p.Name)];

    [Theory]
    [MemberData(nameof(Suites))]
    public void Whatever_comes_comes_out_as_it_does_packet_by_packet(string suite)
    {
        var seeds = ArbMap.Default.ArbFor<int>();

        Prop.ForAll(seeds, seed => Compare(suite, seed)).Check(Config.QuickThrowOnFailure.WithMaxTest(40).WithReplay(20261122, 11));
    }

    [Fact]
    public void A_roll_over_in_the_midst_changes_nothing()
    {
        var (sender, receiver) = Pair();
        ulong[] indices = [65_530, 65_536, 65_533, 65_535, 65_537, 65_531, 65_530, 65_538, 65_534, 65_539];
        byte[][] packets = [.. indices.Select(i => sender.Protect(Packet((ushort)i, 1, 160, (int)i), i))];

        var opened = OpenTogether(receiver, packets);

        Assert.Equal(
            [.. indices.Select((i, at) => at == 6 ? "Replayed" : $"None {Convert.ToHexString(Packet((ushort)i, 1, 160, (int)i))}")],
            opened);
    }

    [Fact]
    public void An_index_that_turns_out_otherwise_is_looked_at_by_itself()
    {
        // The first packet of all is two rounds on: that it is one, no look ahead knew of those behind it.
        var (sender, receiver) = Pair();
        byte[][] packets = [.. Enumerable.Range(0, 12).Select(i => sender.Protect(Packet((ushort)(100 + i), 1, 160, i), 65_636 + (ulong)i))];

        Assert.All(OpenTogether(receiver, packets), opened => Assert.StartsWith("None ", opened, StringComparison.Ordinal));
    }

    [Fact]
    public void What_was_computed_of_one_packet_is_never_taken_for_another()
    {
        var (sender, receiver) = Pair();
        var genuine = sender.Protect(Packet(7, 1, 160, 1));
        byte[] forged = [.. genuine];
        forged[20] ^= 1;
        byte[] bytes = [.. genuine, .. forged, .. genuine];
        var ranges = new Range[3];
        for (var i = 0; i < ranges.Length; i++) ranges[i] = (i * genuine.Length)..((i + 1) * genuine.Length);
        var plain = new byte[2000];

        var first = receiver.LookAhead(bytes, ranges);
        Assert.Equal(SrtpDefect.AuthenticationFailed, receiver.Unprotect(Now, bytes.AsSpan(ranges[1]), false, plain, out _, first, 0)); // not its place
        Assert.Equal(SrtpDefect.AuthenticationFailed, receiver.Unprotect(Now, forged, false, plain, out _, first, 0)); // elsewhere in memory
        Assert.Equal(SrtpDefect.AuthenticationFailed, receiver.Unprotect(Now, forged, false, plain, out _, default, 0)); // of no batch
        Assert.Equal(SrtpDefect.AuthenticationFailed, receiver.Unprotect(Now, bytes.AsSpan(ranges[1]), false, plain, out _, first, 99));

        var (_, other) = Pair();
        var others = other.LookAhead(bytes, ranges);
        Assert.Equal(SrtpDefect.AuthenticationFailed, receiver.Unprotect(Now, bytes.AsSpan(ranges[1]), false, plain, out _, others, 1)); // of another receiver

        receiver.LookAhead(bytes, ranges[2..]);
        Assert.Equal(SrtpDefect.AuthenticationFailed, receiver.Unprotect(Now, bytes.AsSpan(ranges[1]), false, plain, out _, first, 1)); // a batch of before
        Assert.Equal(SrtpDefect.None, receiver.Unprotect(Now, bytes.AsSpan(ranges[0]), false, plain, out _, first, 0));
    }

    [Theory]
    [MemberData(nameof(Suites))]
    public void Looking_ahead_allocates_nothing(string suite)
    {
        var master = SrtpMasterKey.Draw(SrtpProfile.All.Single(p => p.Name == suite), new Random(1));
        using SrtpContext sender = new(master);
        using SrtpReceiver receiver = new();
        receiver.Agree(Now, [master]);
        var length = 172 + sender.Overhead;
        var (bytes, plain, ranges) = (new byte[10 * length], new byte[2000], Enumerable.Range(0, 10).Select(i => (i * length)..((i + 1) * length)).ToArray());
        for (var i = 0; i < 10; i++) bytes[i * length] = 0x80;
        var (sequence, refused) = ((ushort)0, 0);

        var allocated = Allocation.Of(() =>
        {
            foreach (var range in ranges)
            {
                BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(range)[2..], sequence++);
                sender.TryProtect(bytes.AsSpan(range));
            }

            var batch = receiver.LookAhead(bytes, ranges);
            for (var i = 0; i < 10; i++)
            {
                if (receiver.Unprotect(Now, bytes.AsSpan(ranges[i]), false, plain, out _, batch, i) is not SrtpDefect.None) refused++;
            }
        });

        Assert.Equal((0, 0), (allocated, refused));
    }

    private static void Compare(string suite, int seed)
    {
        Random random = new(seed);
        var profile = SrtpProfile.All.Single(p => p.Name == suite);
        byte[] key = new byte[profile.MasterLength], former = new byte[profile.MasterLength], mki = new byte[random.Next(3)];
        random.NextBytes(key);
        random.NextBytes(former);
        using SrtpReceiver together = new(), alone = new(), library = new(SrtpArithmetic.Library);
        foreach (var receiver in (SrtpReceiver[])[together, alone, library])
        {
            receiver.Agree(Now, [new(profile, former, mki)]);
            receiver.Agree(Now, [new(profile, key, mki)]);
        }

        Traffic traffic = new(random, new(suite, key, mki), new(suite, former, mki));
        for (var visit = 0; visit < 6; visit++)
        {
            byte[][] packets = [.. Enumerable.Range(0, random.Next(1, SrtpContext.MaxAhead + 1)).Select(_ => traffic.Next())];

            var expected = packets.Select(packet => Open(library, packet)).ToList();
            Assert.Equal(expected, packets.Select(packet => Open(alone, packet)));
            Assert.Equal(expected, OpenTogether(together, packets));
        }
    }

    private static string Open(SrtpReceiver receiver, ReadOnlySpan<byte> datagram, SrtpBatch batch = default, int place = -1)
    {
        var plain = new byte[datagram.Length];
        var defect = receiver.Unprotect(Now, datagram, isControl: false, plain, out var length, batch, place);
        return defect is SrtpDefect.None ? $"None {Convert.ToHexString(plain.AsSpan(0, length))}" : $"{defect}";
    }

    private static List<string> OpenTogether(SrtpReceiver receiver, byte[][] packets)
    {
        var (bytes, ranges, begin) = (packets.SelectMany(p => p).ToArray(), new Range[packets.Length], 0);
        for (var i = 0; i < packets.Length; begin += packets[i++].Length) ranges[i] = begin..(begin + packets[i].Length);
        var batch = receiver.LookAhead(bytes, ranges);
        List<string> opened = [];
        for (var i = 0; i < packets.Length; i++) opened.Add(Open(receiver, bytes.AsSpan(ranges[i]), batch, i));
        return opened;
    }

    private static (PlainSrtp Sender, SrtpReceiver Receiver) Pair()
    {
        var key = new byte[SrtpProfile.AesCm128HmacSha1Tag80.MasterLength];
        new Random(3).NextBytes(key);
        SrtpReceiver receiver = new();
        receiver.Agree(Now, [new(SrtpProfile.AesCm128HmacSha1Tag80, key)]);
        return (new(Suite, key), receiver);
    }

    private static byte[] Packet(ushort sequence, uint ssrc, int payload, int seed)
    {
        var packet = new byte[12 + payload];
        new Random(seed).NextBytes(packet);
        (packet[0], packet[1]) = (0x80, 8);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), sequence);
        BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(8), ssrc);
        return packet;
    }

    /// <summary>Packets of a few sources near a roll-over: in order, late, again, of a former key, changed, cut, and invented.</summary>
    private sealed class Traffic(Random random, PlainSrtp sender, PlainSrtp former)
    {
        private readonly ulong[] _indices = [65_520 + (ulong)random.Next(20), (ulong)random.Next(70_000), (ulong)random.Next(1 << 20)];
        private readonly List<byte[]> _sent = [];

        public byte[] Next()
        {
            switch (random.Next(10))
            {
                case 0 when _sent.Count > 0:
                    return _sent[random.Next(_sent.Count)];
                case 1 when _sent.Count > 0:
                    byte[] changed = [.. _sent[random.Next(_sent.Count)]];
                    changed[random.Next(changed.Length)] ^= (byte)(1 << random.Next(8));
                    return changed;
                case 2 when _sent.Count > 0:
                    var whole = _sent[random.Next(_sent.Count)];
                    return whole[..random.Next(whole.Length)];
                case 3:
                    var invented = new byte[random.Next(300)];
                    random.NextBytes(invented);
                    return invented;
                case 4:
                    return Send(former);
                default:
                    return Send(sender);
            }
        }

        private byte[] Send(PlainSrtp by)
        {
            var source = random.Next(8) == 0 ? random.Next(_indices.Length) : 0;
            var index = _indices[source] += (ulong)(random.Next(20) switch { 0 => random.Next(40_000), < 3 => random.Next(300), _ => 1 });
            if (random.Next(6) == 0) index -= (ulong)random.Next((int)Math.Min(index, 200));
            var packet = Packet((ushort)index, (uint)source, random.Next(3) == 0 ? random.Next(500) : 160, random.Next());
            if (random.Next(5) == 0 && packet.Length >= 24)
            {
                // One contributing source, and an extension of one word.
                packet[0] = 0x91;
                BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(18), 1);
            }

            var made = by.Protect(packet, index);
            _sent.Add(made);
            return made;
        }
    }
}
