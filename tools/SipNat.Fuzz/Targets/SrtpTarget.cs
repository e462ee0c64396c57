using System.Buffers.Binary;
using SipNat.Fuzz.Engine;
using SipNat.Media.Srtp;

namespace SipNat.Fuzz.Targets;

/// <summary>A receiver of SRTP and SRTCP between a genuine sender and somebody who sends what he likes.</summary>
internal sealed class SrtpTarget : IFuzzTarget
{
    private const int MaxPacket = 300;
    private const int MaxKept = 16;

    public string Name => "srtp";

    public string Promise => "what the sender sent comes out as it went in, once; nothing else comes out";

    public int MaxLength => 2048;

    public IReadOnlyList<byte[]> Tokens { get; } =
        [[0x80, 0x00], [0x90, 0x08], [0xB0, 0x65], [0xBF, 0xFF], [0xBE, 0xDE, 0x00, 0x01], [0x80, 0xC8, 0x00, 0x06], [0x80, 0x00, 0x00, 0x01], [0xFF, 0xFF]];

    public IEnumerable<byte[]> Seeds(Corpus corpus) => [.. Script.Seeds(8, 400), .. RtpSeeds.Packets(), .. RtpSeeds.Compounds()];

    public long AllowedBytes(int inputLength) => (256 * 1024) + (512L * inputLength);

    public int Run(ReadOnlySpan<byte> input)
    {
        Script script = new(input);
        var profile = SrtpProfile.All[script.Next(SrtpProfile.All.Count)];
        SrtpMasterKey master = new(profile, new byte[profile.MasterLength], script.NextBytes(script.Next(5)));
        using SrtpContext sender = new(master);
        using SrtpContext receiver = new(master);
        var (kept, seen) = (new List<Sent>(), 0);
        ushort sequence = script.NextUInt16();
        while (!script.IsOver)
        {
            seen = script.Next(4) switch
            {
                0 => HashCode.Combine(seen, Send(ref script, sender, kept, sequence++)),
                1 => HashCode.Combine(seen, Deliver(ref script, receiver, kept)),
                2 => HashCode.Combine(seen, Forge(ref script, receiver, kept)),
                _ => HashCode.Combine(seen, Invent(ref script, receiver)),
            };
        }

        return seen;
    }

    private static int Send(ref Script script, SrtpContext sender, List<Sent> kept, ushort sequence)
    {
        var isControl = script.NextBool();
        var body = script.NextBytes(script.Next(40));
        var plain = new byte[12 + body.Length];
        (plain[0], plain[1]) = (0x80, isControl ? (byte)201 : (byte)0);
        BinaryPrimitives.WriteUInt16BigEndian(plain.AsSpan(2), sequence);
        body.CopyTo(plain.AsSpan(12));

        byte[] datagram = [.. plain, .. new byte[isControl ? sender.ControlOverhead : sender.Overhead]];
        Invariant.Holds(isControl ? sender.TryProtectControl(datagram) : sender.TryProtect(datagram), "A young key protects.");
        if (kept.Count < MaxKept) kept.Add(new(plain, datagram, isControl));
        return isControl ? 1 : 0;
    }

    private static int Deliver(ref Script script, SrtpContext receiver, List<Sent> kept)
    {
        if (kept.Count == 0) return 0;

        var sent = kept[script.Next(kept.Count)];
        var defect = Unprotect(receiver, sent.Datagram, sent.IsControl, out var plain);
        Invariant.Holds(defect is SrtpDefect.None or SrtpDefect.Replayed, "A genuine packet is taken, or was.", $"{defect}");
        Invariant.Holds(defect is SrtpDefect.None != sent.WasTaken, "A packet is taken once.", $"{defect}");
        sent.WasTaken = true;
        if (defect is SrtpDefect.None) Invariant.Holds(plain.AsSpan().SequenceEqual(sent.Plain), "What went in comes out.");
        return (int)defect;
    }

    private static int Forge(ref Script script, SrtpContext receiver, List<Sent> kept)
    {
        if (kept.Count == 0) return 0;

        var sent = kept[script.Next(kept.Count)];
        byte[] forged = [.. sent.Datagram];
        var change = script.NextByte();
        forged[script.Next(forged.Length)] ^= change;
        var defect = Unprotect(receiver, forged, sent.IsControl, out _);
        Invariant.Holds(change == 0 || defect is not SrtpDefect.None, "A changed packet is not taken.");
        if (change == 0 && defect is SrtpDefect.None) sent.WasTaken = true;
        return (int)defect;
    }

    private static int Invent(ref Script script, SrtpContext receiver)
    {
        var datagram = script.NextBytes(Math.Min(script.NextUInt16(), (ushort)MaxPacket)).ToArray();
        var isControl = script.NextBool();
        var defect = Unprotect(receiver, datagram, isControl, out _);
        Invariant.Holds(defect is not SrtpDefect.None, "An invented packet is not taken.");
        return (int)defect;
    }

    private static SrtpDefect Unprotect(SrtpContext receiver, byte[] datagram, bool isControl, out byte[] plain)
    {
        var room = new byte[datagram.Length];
        var defect = isControl ? receiver.UnprotectControl(datagram, room, out var length) : receiver.Unprotect(datagram, room, out length);
        plain = defect is SrtpDefect.None ? room[..length] : [];
        return defect;
    }

    private sealed record Sent(byte[] Plain, byte[] Datagram, bool IsControl)
    {
        public bool WasTaken { get; set; }
    }
}
