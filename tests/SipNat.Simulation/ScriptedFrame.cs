using System.Buffers.Binary;
using SipNat.Wire;

namespace SipNat.Simulation;

/// <summary>
/// The audio of a scripted peer: 20 ms of 160 bytes that name their stream and their place, so that a recording can
/// be checked byte by byte. It is noise to the ear and never looks like silence.
/// </summary>
public static class ScriptedFrame
{
    /// <summary>Bytes, and RTP timestamp units, of one frame of G.711.</summary>
    public const int Length = 160;

    /// <summary>The time that one frame covers.</summary>
    public static readonly TimeSpan Span = TimeSpan.FromMilliseconds(20);

    private const byte Marker = 0x5A;

    /// <summary>Writes the payload of a frame: a marker, the stream, the index, then bytes that follow from both.</summary>
    public static void Fill(int stream, int index, Span<byte> payload)
    {
        payload[0] = Marker;
        payload[1] = (byte)stream;
        BinaryPrimitives.WriteInt32BigEndian(payload[2..], index);
        var state = Seed(stream, index);
        for (var i = 6; i < Length; i++) payload[i] = Next(ref state);
    }

    public static byte[] Payload(int stream, int index)
    {
        var payload = new byte[Length];
        Fill(stream, index, payload);
        return payload;
    }

    /// <summary>Whether the bytes begin with a frame that is whole and unchanged, and which one it is.</summary>
    public static bool TryRead(ReadOnlySpan<byte> payload, out int stream, out int index)
    {
        (stream, index) = (0, 0);
        if (payload.Length < Length || payload[0] != Marker) return false;

        (stream, index) = (payload[1], BinaryPrimitives.ReadInt32BigEndian(payload[2..]));
        var state = Seed(stream, index);
        for (var i = 6; i < Length; i++)
        {
            if (payload[i] != Next(ref state)) return false;
        }

        return true;
    }

    private static uint Seed(int stream, int index) => unchecked((((uint)index * 0x9E37_79B9) ^ ((uint)stream << 24)) | 1);

    // xorshift32; 0xFF and 0xD5, the silences of G.711, are left out.
    private static byte Next(ref uint state)
    {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        return (byte)state is 0xFF or 0xD5 ? (byte)0x11 : (byte)state;
    }
}

/// <summary>One RTP packet that a scripted peer sent.</summary>
/// <param name="Stream">Index of its m-line, from 0.</param>
/// <param name="Index">Its place in units of 20 ms since the stream began; frames that were held back leave gaps.</param>
/// <param name="At">When it left.</param>
/// <param name="To">Where it was sent.</param>
public sealed record SentFrame(
    int Stream,
    int Index,
    Instant At,
    TransportAddress To,
    uint Ssrc,
    ushort SequenceNumber,
    uint Timestamp);

/// <summary>Something that arrived on a media socket of a scripted peer.</summary>
/// <param name="Stream">Index of the m-line whose socket it was.</param>
public sealed record ReceivedMedia(int Stream, Instant At, TransportAddress From, ReceivedMediaKind Kind, byte[] Bytes);

public enum ReceivedMediaKind
{
    Rtp,
    Rtcp,
    Stun,
    Other,
}
