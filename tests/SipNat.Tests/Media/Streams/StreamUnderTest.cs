using System.Runtime.InteropServices;
using SipNat.Media.Codecs;
using SipNat.Media.Rtp;
using SipNat.Media.Streams;
using SipNat.Wire;

namespace SipNat.Tests.Media.Streams;

/// <summary>A recorded stream, a sender for it, and a disk that applies every write in order.</summary>
internal sealed class StreamUnderTest
{
    public const int FrameLength = 160;

    public static readonly TransportAddress Peer = TransportAddress.Parse("198.51.100.7:40000");

    private readonly byte[] _datagram = new byte[2048];

    public StreamUnderTest(LatchOptions? latch = null, TransportAddress? signalled = null)
    {
        var payloads = new PayloadMap();
        payloads.Negotiate(0, PayloadFormat.Audio(AudioCodec.Pcmu));
        payloads.Negotiate(8, PayloadFormat.Audio(AudioCodec.Pcma));
        payloads.Negotiate(13, PayloadFormat.ComfortNoise);
        payloads.Negotiate(101, PayloadFormat.TelephoneEvent);
        Stream = new(payloads, new(latch ?? new(), signalled ?? Peer, Peer.WithPort(5060)));
    }

    public RecordedStream Stream { get; }

    public List<TimelineEvent> Events { get; } = [];

    public Dictionary<int, List<byte>> Files { get; } = [];

    public List<(int File, long Offset, int Length)> Writes { get; } = [];

    public List<byte> File => Files[0];

    /// <summary>The records of what came beside the recorded source.</summary>
    public List<byte> Others { get; } = [];

    /// <summary>20 ms frame number <paramref name="frame"/> of a sender that began with the given numbers.</summary>
    public LatchVerdict Send(
        double atMs,
        int frame,
        ushort sequence = 1000,
        uint timestamp = 5000,
        uint ssrc = 1,
        int payloadType = 0,
        TransportAddress? from = null,
        int? sequenceOf = null) =>
        SendPayload(atMs, (ushort)(sequence + (sequenceOf ?? frame)), timestamp + (uint)(frame * FrameLength), Audio(frame), ssrc, payloadType, from);

    public LatchVerdict SendPayload(
        double atMs, ushort sequence, uint timestamp, ReadOnlySpan<byte> payload, uint ssrc = 1, int payloadType = 0, TransportAddress? from = null)
    {
        var length = RtpWriter.Write(_datagram, new(payloadType, sequence, timestamp, ssrc), payload);
        var at = At(atMs);
        while (Stream.Deadline is { } due && due <= at)
        {
            Stream.HandleTimeout(due);
            Drain();
        }

        var verdict = Stream.HandleRtp(at, at, from ?? Peer, _datagram.AsSpan(0, length));
        Drain();
        return verdict;
    }

    public StreamReport Finish(double atMs, double? lastActiveMs = null)
    {
        Stream.Finish(At(atMs), At(lastActiveMs ?? atMs));
        Drain();
        return Stream.Report(At(atMs));
    }

    public void Drain()
    {
        while (Stream.Timeline.TryTakeEvent(out var timelineEvent)) Events.Add(timelineEvent);
        while (Stream.Timeline.TryTake(out var write)) Apply(write);
        while (Stream.Others.TryTake(out var other))
        {
            using var buffer = other.Buffer;
            Assert.Equal((OtherPackets.FileIndex, Others.Count), (other.FileIndex, buffer.Offset));
            Others.AddRange(buffer.Written.Span);
        }
    }

    /// <summary>Frame numbers in the file, −1 for silence; fails on anything else.</summary>
    public List<int> Frames(int file = 0)
    {
        var frames = new List<int>();
        var bytes = Files[file].ToArray();
        Assert.Equal(0, bytes.Length % FrameLength);
        for (var start = 0; start < bytes.Length; start += FrameLength) frames.Add(FrameOf(bytes.AsSpan(start, FrameLength)));
        return frames;
    }

    /// <summary>Frames anywhere in the file: their first four bytes are the only place with a low byte before 0x11.</summary>
    public int FrameCount()
    {
        var count = 0;
        var bytes = File.ToArray();
        for (var i = 0; i + FrameLength <= bytes.Length; i++)
        {
            if (bytes[i] >= 0x40 || bytes[i + 3] != 0x11 || FrameOf(bytes.AsSpan(i, FrameLength)) < 0) continue;

            count++;
            i += FrameLength - 1;
        }

        return count;
    }

    public static Instant At(double ms) => new((long)(ms * TimeSpan.TicksPerMillisecond) + TimeSpan.TicksPerHour);

    /// <summary>Audio that tells its frame number, and is nowhere silence.</summary>
    public static byte[] Audio(int frame)
    {
        var audio = new byte[FrameLength];
        audio.AsSpan().Fill(0x11);
        audio[0] = (byte)(frame >> 12 & 0x3F);
        audio[1] = (byte)(frame >> 6 & 0x3F);
        audio[2] = (byte)(frame & 0x3F);
        return audio;
    }

    public static int FrameOf(ReadOnlySpan<byte> bytes)
    {
        if (!bytes.ContainsAnyExcept((byte)0xFF)) return -1;

        Assert.False(bytes[3..].ContainsAnyExcept((byte)0x11));
        return (bytes[0] << 12) | (bytes[1] << 6) | bytes[2];
    }

    private void Apply(TimelineWrite write)
    {
        using var buffer = write.Buffer;
        if (!Files.TryGetValue(write.FileIndex, out var file)) Files[write.FileIndex] = file = [];

        Writes.Add((write.FileIndex, buffer.Offset, buffer.Length));
        Assert.True(buffer.Offset <= file.Count, "A write leaves no hole.");
        var bytes = buffer.Written.Span;
        CollectionsMarshal.SetCount(file, Math.Max(file.Count, (int)buffer.Offset + bytes.Length));
        bytes.CopyTo(CollectionsMarshal.AsSpan(file)[(int)buffer.Offset..]);
    }
}
