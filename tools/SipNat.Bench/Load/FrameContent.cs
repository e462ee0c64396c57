using System.Buffers.Binary;

namespace SipNat.Bench.Load;

/// <summary>
/// The payload of each frame, made from its place alone: no two frames of a run are alike, and whoever looks at a file
/// later knows what has to stand where without having kept it.
/// </summary>
internal static class FrameContent
{
    public const int Length = 160;

    /// <param name="stream">The stream's number in the run.</param>
    public static void Fill(Span<byte> frame, int stream, int number)
    {
        var state = ((ulong)(uint)stream << 32) | (uint)number;
        for (var at = 0; at < Length; at += sizeof(ulong)) BinaryPrimitives.WriteUInt64LittleEndian(frame[at..], Next(ref state));
    }

    // SplitMix64 (Steele, Lea, Flood 2014): a full-period step and a finalizer that spreads every bit.
    private static ulong Next(ref ulong state)
    {
        state += 0x9E3779B97F4A7C15;
        var z = state;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
