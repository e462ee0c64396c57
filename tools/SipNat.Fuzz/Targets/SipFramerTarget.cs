using SipNat.Fuzz.Engine;
using SipNat.Sip.Messages;

namespace SipNat.Fuzz.Targets;

/// <summary>The byte stream of a connection, as one piece and in pieces of every size.</summary>
internal sealed class SipFramerTarget : IFuzzTarget
{
    private static readonly byte[] Ping = "\r\n\r\n"u8.ToArray();

    public string Name => "sip-framer";

    public string Promise => "the same frames and the same defect whatever the pieces; frames are parts of the stream in its order";

    public int MaxLength => 2 * SipMessage.MaxLength;

    public IReadOnlyList<byte[]> Tokens => SipSeeds.Tokens;

    public IEnumerable<byte[]> Seeds(Corpus corpus)
    {
        var messages = SipSeeds.Messages(corpus).ToList();
        foreach (var message in messages) yield return message;

        byte[] stream = [];
        foreach (var message in messages.Skip(Math.Max(0, messages.Count - 6))) stream = [.. stream, .. Ping, .. message];
        yield return stream;
    }

    public long AllowedBytes(int inputLength) => (128 * 1024) + (64L * inputLength);

    public int Run(ReadOnlySpan<byte> input)
    {
        // The pieces follow from the input, so that a file says all.
        var random = new Random(input.Length == 0 ? 0 : HashOf(input));
        var length = input.Length;
        var whole = Cut(input, () => length);
        var pieces = Cut(input, () => 1 + random.Next(random.Next(4) == 0 ? 2048 : 5));
        Invariant.Holds(
            whole.Defect == pieces.Defect && whole.Frames.SequenceEqual(pieces.Frames),
            "Frames do not depend on the pieces.",
            $"{whole.Frames.Count} frames and {whole.Defect}, in pieces {pieces.Frames.Count} and {pieces.Defect}.");
        return HashCode.Combine(whole.Defect, Math.Min(whole.Frames.Count, 8), Math.Min(whole.Pings, 3));
    }

    private static (List<Frame> Frames, int Pings, SipDefect Defect) Cut(ReadOnlySpan<byte> stream, Func<int> next)
    {
        var framer = new SipStreamFramer();
        var frames = new List<Frame>();
        var (pings, taken) = (0, 0);
        for (var at = 0; at < stream.Length;)
        {
            var piece = stream.Slice(at, Math.Min(next(), stream.Length - at));
            framer.Push(piece);
            at += piece.Length;
            while (framer.TryTake(out var kind, out var message))
            {
                if (kind is SipFrameKind.Ping) pings++;
                Invariant.Holds(message.Length <= SipMessage.MaxLength, "A frame is no longer than a message may be.");
                var place = stream[taken..].IndexOf(message);
                Invariant.Holds(place >= 0 && taken + place + message.Length <= at, "A frame is a part of the stream.");
                taken += place + message.Length;
                frames.Add(new(kind, message.Length, HashOf(message)));
            }
        }

        return (frames, pings, framer.Defect);
    }

    private static int HashOf(ReadOnlySpan<byte> bytes) => (int)Wire.Crc32.Compute(bytes);

    private readonly record struct Frame(SipFrameKind Kind, int Length, int Hash);
}
