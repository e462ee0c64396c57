using System.Buffers.Binary;
using SipNat.Fuzz.Engine;
using SipNat.Media.Srtp;

namespace SipNat.Fuzz.Targets;

/// <summary>The same datagrams three times: looked ahead at, one by one, and one by one with nothing but the library.</summary>
internal sealed class SrtpBatchTarget : IFuzzTarget
{
    private const int MaxPacket = 300;
    private const int MaxKept = 16;

    public string Name => "srtp-batch";

    public string Promise => "packets that are looked ahead at come out as they do one by one, whatever the arithmetic";

    public int MaxLength => 2048;

    public IReadOnlyList<byte[]> Tokens { get; } = [[0x80, 0x00], [0x90, 0x08], [0xB0, 0x65], [0xBE, 0xDE, 0x00, 0x01], [0x80, 0xC8, 0x00, 0x06], [0xFF, 0xFF]];

    public IEnumerable<byte[]> Seeds(Corpus corpus) => [.. Script.Seeds(8, 400), .. RtpSeeds.Packets()];

    public long AllowedBytes(int inputLength) => (512 * 1024) + (2048L * inputLength);

    public int Run(ReadOnlySpan<byte> input)
    {
        Script script = new(input);
        var profile = SrtpProfile.All[script.Next(SrtpProfile.All.Count)];
        SrtpMasterKey master = new(profile, new byte[profile.MasterLength], script.NextBytes(script.Next(5)));
        using SrtpContext sender = new(master);
        using SrtpReceiver together = new();
        using SrtpReceiver alone = new();
        using SrtpReceiver library = new(SrtpArithmetic.Library);
        foreach (var receiver in (SrtpReceiver[])[together, alone, library]) receiver.Agree(default, [master]);

        var (kept, seen) = (new List<byte[]>(), 0);
        var sequence = script.NextUInt16();
        while (!script.IsOver)
        {
            List<byte[]> visit = [];
            for (var count = 1 + script.Next(SrtpContext.MaxAhead); visit.Count < count;) visit.Add(Draw(ref script, sender, kept, ref sequence));
            seen = HashCode.Combine(seen, Deliver(visit, together, alone, library));
        }

        return seen;
    }

    private static byte[] Draw(ref Script script, SrtpContext sender, List<byte[]> kept, ref ushort sequence)
    {
        var choice = script.Next(6);
        if (choice == 5) return script.NextBytes(Math.Min(script.NextUInt16(), (ushort)MaxPacket)).ToArray();
        if (choice < 3 || kept.Count == 0) return Send(ref script, sender, kept, ref sequence);

        byte[] again = [.. kept[script.Next(kept.Count)]];
        if (choice == 4) again[script.Next(again.Length)] ^= script.NextByte();
        return again;
    }

    private static byte[] Send(ref Script script, SrtpContext sender, List<byte[]> kept, ref ushort sequence)
    {
        var body = script.NextBytes(script.Next(200));
        var datagram = new byte[12 + body.Length + sender.Overhead];
        datagram[0] = 0x80;
        sequence += script.Next(8) == 7 ? script.NextUInt16() : (ushort)1;
        BinaryPrimitives.WriteUInt16BigEndian(datagram.AsSpan(2), sequence);
        datagram[11] = script.NextBool() ? (byte)1 : (byte)0;
        body.CopyTo(datagram.AsSpan(12));
        if (sender.TryProtect(datagram) && kept.Count < MaxKept) kept.Add(datagram);
        return datagram;
    }

    private static int Deliver(List<byte[]> visit, SrtpReceiver together, SrtpReceiver alone, SrtpReceiver library)
    {
        byte[] bytes = [.. visit.SelectMany(datagram => datagram)];
        var (ranges, begin, seen) = (new Range[visit.Count], 0, 0);
        for (var i = 0; i < ranges.Length; begin += visit[i++].Length) ranges[i] = begin..(begin + visit[i].Length);

        var batch = together.LookAhead(bytes, ranges);
        byte[] first = new byte[bytes.Length], second = new byte[bytes.Length];
        for (var i = 0; i < ranges.Length; i++)
        {
            var expected = library.Unprotect(default, visit[i], isControl: false, first, out var length);
            var plain = first.AsSpan(0, expected is SrtpDefect.None ? length : 0);
            var defect = alone.Unprotect(default, visit[i], isControl: false, second, out _);
            Invariant.Holds(defect == expected && plain.SequenceEqual(second.AsSpan(0, plain.Length)), "The processor makes what the library makes.", $"{defect}, {expected}");
            defect = together.Unprotect(default, bytes.AsSpan(ranges[i]), isControl: false, second, out _, batch, i);
            Invariant.Holds(defect == expected && plain.SequenceEqual(second.AsSpan(0, plain.Length)), "Looking ahead changes nothing.", $"{defect}, {expected}");
            seen = HashCode.Combine(seen, expected);
        }

        return seen;
    }
}
