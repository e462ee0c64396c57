using SipNat.Fuzz.Engine;
using SipNat.Traversal.Turn;

namespace SipNat.Fuzz.Targets;

/// <summary>ChannelData as a datagram, and a connection's stream cut into messages.</summary>
internal sealed class ChannelDataTarget : IFuzzTarget
{
    private const int MaxMessages = 64;

    public string Name => "channel-data";

    public string Promise => "the data lie within the message and are written as they were read; a stream is cut into messages of at least four bytes";

    public int MaxLength => 66 * 1024;

    public IReadOnlyList<byte[]> Tokens { get; } =
    [
        [0x40, 0x00], [0x4F, 0xFF], [0x50, 0x00], [0x00, 0x00], [0xFF, 0xFF], [0x00, 0x01], [0x21, 0x12, 0xA4, 0x42],
    ];

    public IEnumerable<byte[]> Seeds(Corpus corpus)
    {
        yield return [0x40, 0, 0, 0];
        yield return [0x40, 1, 0, 3, 1, 2, 3, 0, 0x4F, 0xFF, 0, 4, 1, 2, 3, 4];
        foreach (var vector in corpus.StunMessages()) yield return [0x40, 1, 0, 1, 7, 0, 0, 0, .. vector, 0x40, 2, 0, 0];
    }

    public long AllowedBytes(int inputLength) => (64 * 1024) + inputLength;

    public int Run(ReadOnlySpan<byte> input)
    {
        var isRead = ChannelData.TryRead(input, out var data, out var defect);
        Invariant.Holds(isRead == defect is ChannelDataDefect.None, "What cannot be read has a defect.");
        if (isRead)
        {
            Invariant.Inside(input, data.Payload, "payload");
            var written = new byte[ChannelData.LengthOf(data.Payload.Length, isPadded: false)];
            ChannelData.Write(written, data.Number, data.Payload);
            Invariant.Holds(input.StartsWith(written), "A message is written as it was read.");
        }

        return HashCode.Combine(defect, Math.Min(Cut(input), 4));
    }

    private static int Cut(ReadOnlySpan<byte> stream)
    {
        var count = 0;
        for (var rest = stream; count < MaxMessages; count++)
        {
            if (!TurnFrame.TryMeasure(rest, out var length)) return -1;
            if (length == 0 || rest.Length < length) return count;

            Invariant.Holds(length is >= TurnFrame.PrefixLength and <= TurnFrame.MaxLength && length % 4 == 0, "A message has a length that it may have.");
            rest = rest[length..];
        }

        return count;
    }
}
