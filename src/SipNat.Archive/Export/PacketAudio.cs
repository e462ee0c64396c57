using System.Buffers;
using SipNat.Archive.Audio;
using SipNat.Archive.Documents;
using SipNat.Media.Codecs;
using SipNat.Media.Rtp;
using SipNat.Media.RtpDump;

namespace SipNat.Archive.Export;

/// <summary>
/// What of a file of kept packets has one sample rate, decoded at its places in time with silence between. A file of several
/// rates is several of these, to be added together.
/// </summary>
internal sealed class PacketAudio : IAudioSource
{
    // Packets that wait for one that was overtaken: 160 ms of the usual length.
    private const int ReorderDepth = 8;

    // A file is only a file: times beyond are damage, and must not fill a disk with silence.
    private static readonly uint MaxMilliseconds = (uint)StreamTrack.MaxOffset.TotalMilliseconds;

    private readonly string _path;
    private readonly RecordedFile _file;
    private readonly CodecRegistry _registry;
    private readonly PriorityQueue<(byte[] Bytes, int Length), long> _waiting = new(ReorderDepth + 1);
    private PacketReader? _reader;
    private PacketCodecs? _codecs;
    private PacketPlacement? _placement;
    private bool _hasEnded;
    private short[] _frame = [];
    private long _frameStart;
    private int _frameLength;
    private long _position;

    private PacketAudio(string path, RecordedFile file, CodecRegistry registry, int sampleRate, long length) =>
        (_path, _file, _registry, SampleRate, Length) = (path, file, registry, sampleRate, length);

    public int SampleRate { get; }

    public long Length { get; }

    /// <summary>Finds what of a file can be decoded.</summary>
    /// <param name="isMostlyDecoded">Whether more of its packets can be decoded than cannot.</param>
    public static IReadOnlyList<PacketAudio> Inspect(string path, RecordedFile file, CodecRegistry registry, out bool isMostlyDecoded)
    {
        var placements = new SortedDictionary<int, PacketPlacement>();
        var (decoded, others, codecs) = (0L, 0L, default(PacketCodecs));
        using var reader = new PacketReader(WavAudio.Open(path, file.File));
        while (TryReadPacket(reader, out var milliseconds, out var packet))
        {
            codecs ??= new(file, packet.PayloadType, registry);
            if (codecs[packet.PayloadType] is not { } decoder)
            {
                others++;
                continue;
            }

            decoded++;
            if (!placements.TryGetValue(decoder.SampleRate, out var placement))
            {
                placements[decoder.SampleRate] = placement = new(decoder.ClockRate, decoder.SampleRate);
            }

            placement.Place(milliseconds, packet.Ssrc, packet.Timestamp, decoder.SamplesOf(packet.Payload));
        }

        codecs?.Dispose();
        isMostlyDecoded = decoded > others;
        return [.. placements.Select(rate => new PacketAudio(path, file, registry, rate.Key, rate.Value.End))];
    }

    public void Read(Span<short> samples)
    {
        samples.Clear();
        var end = _position + samples.Length;
        while (_frameStart < end && (_frameLength > 0 || TryDecodeNext()))
        {
            // Of a packet that comes after its place was written, the part is left out that would be over it.
            var from = Math.Max(_frameStart, _position);
            var to = Math.Min(_frameStart + _frameLength, end);
            if (from < to) _frame.AsSpan((int)(from - _frameStart), (int)(to - from)).CopyTo(samples[(int)(from - _position)..]);
            if (_frameStart + _frameLength > end) break;

            _frameLength = 0;
        }

        _position = end;
    }

    public void Dispose()
    {
        while (_waiting.TryDequeue(out var packet, out _)) ArrayPool<byte>.Shared.Return(packet.Bytes);
        _reader?.Dispose();
        _codecs?.Dispose();
    }

    private static bool TryReadPacket(PacketReader reader, out uint milliseconds, out RtpPacket packet)
    {
        milliseconds = 0;
        packet = default;
        while (reader.TryRead(out var record))
        {
            milliseconds = record.Milliseconds;
            if (milliseconds <= MaxMilliseconds && RtpPacket.TryRead(record.Packet, out packet, out _)) return true;
        }

        return false;
    }

    private bool TryDecodeNext()
    {
        _reader ??= new(WavAudio.Open(_path, _file.File));
        while (!_hasEnded && _waiting.Count <= ReorderDepth) _hasEnded = !TryEnqueueNext();
        if (!_waiting.TryDequeue(out var next, out _frameStart)) return false;

        // It was readable when it was put there.
        RtpPacket.TryRead(next.Bytes.AsSpan(0, next.Length), out var packet, out _);
        var payload = packet.Payload;

        // Two channels are decoded side by side before they are one.
        var decoder = _codecs![packet.PayloadType]!;
        var needed = 2 * decoder.SamplesOf(payload);
        if (_frame.Length < needed) _frame = new short[needed];
        _frameLength = decoder.Decode(payload, _frame);
        ArrayPool<byte>.Shared.Return(next.Bytes);
        return true;
    }

    private bool TryEnqueueNext()
    {
        while (TryReadPacket(_reader!, out var milliseconds, out var packet))
        {
            _codecs ??= new(_file, packet.PayloadType, _registry);
            if (_codecs[packet.PayloadType] is not { } decoder || decoder.SampleRate != SampleRate) continue;

            _placement ??= new(decoder.ClockRate, SampleRate);
            var place = _placement.Place(milliseconds, packet.Ssrc, packet.Timestamp, decoder.SamplesOf(packet.Payload));
            var bytes = ArrayPool<byte>.Shared.Rent(packet.Bytes.Length);
            packet.Bytes.CopyTo(bytes);
            _waiting.Enqueue((bytes, packet.Bytes.Length), place);
            return true;
        }

        return false;
    }
}
