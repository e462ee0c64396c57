using System.Buffers.Binary;
using SipNat.Archive.Documents;
using SipNat.Archive.Storage;

namespace SipNat.Server.Tests.Archive;

/// <summary>Files of the rtpdump format, made and read as the rtptools describe them and without the archive's code.</summary>
internal static class DumpFile
{
    private const string Line = "#!rtpplay1.0 198.51.100.10/10000\n";
    private const int BinaryHeader = 16;

    public static int HeaderLength => Line.Length + BinaryHeader;

    /// <summary>A header and a packet of type 18 every 20 ms, numbered from 0, for each sequence number given.</summary>
    public static byte[] Of(params IEnumerable<int> sequences)
    {
        List<byte> bytes = [.. System.Text.Encoding.ASCII.GetBytes(Line), .. new byte[BinaryHeader]];
        foreach (var sequence in sequences) bytes.AddRange(Record(sequence * 20, Packet(sequence)));
        return [.. bytes];
    }

    public static byte[] Record(int milliseconds, byte[] packet)
    {
        var record = new byte[8 + packet.Length];
        BinaryPrimitives.WriteUInt16BigEndian(record, (ushort)record.Length);
        BinaryPrimitives.WriteUInt16BigEndian(record.AsSpan(2), (ushort)packet.Length);
        BinaryPrimitives.WriteInt32BigEndian(record.AsSpan(4), milliseconds);
        packet.CopyTo(record, 8);
        return record;
    }

    public static byte[] Packet(int sequence)
    {
        var packet = new byte[32];
        (packet[0], packet[1], packet[31]) = (0x80, 18, (byte)sequence);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), (ushort)sequence);
        BinaryPrimitives.WriteInt32BigEndian(packet.AsSpan(4), sequence * 160);
        packet[11] = 7;
        return packet;
    }

    /// <summary>An RTP packet of the SSRC 7.</summary>
    public static byte[] Packet(int payloadType, int sequence, int timestamp, ReadOnlySpan<byte> payload)
    {
        byte[] packet = [.. Packet(sequence).AsSpan(..12), .. payload];
        packet[1] = (byte)payloadType;
        BinaryPrimitives.WriteInt32BigEndian(packet.AsSpan(4), timestamp);
        return packet;
    }

    /// <summary>A file of these packets with the milliseconds of their arrival, on the disk.</summary>
    public static RecordedFile Write(RecordingStore store, string folder, int stream, string codec, IEnumerable<(int Milliseconds, byte[] Packet)> packets)
    {
        var file = $"{folder}/stream-{stream}.rtpdump";
        File.WriteAllBytes(store.PathOf(file), [.. Of(), .. packets.SelectMany(packet => Record(packet.Milliseconds, packet.Packet))]);
        return new() { File = file, Codec = codec, StartOffsetSeconds = 0, Packets = 0 };
    }

    /// <summary>The line of text without its end, and the sequence number of each packet; fails where a record is not whole.</summary>
    public static (string Line, List<int> Sequences) Read(ReadOnlySpan<byte> file)
    {
        var end = file.IndexOf((byte)'\n');
        var sequences = new List<int>();
        for (var rest = file[(end + 1 + BinaryHeader)..]; !rest.IsEmpty; rest = rest[BinaryPrimitives.ReadUInt16BigEndian(rest)..])
        {
            Assert.Equal(BinaryPrimitives.ReadUInt16BigEndian(rest), BinaryPrimitives.ReadUInt16BigEndian(rest[2..]) + 8);
            sequences.Add(BinaryPrimitives.ReadUInt16BigEndian(rest[10..]));
        }

        return (System.Text.Encoding.ASCII.GetString(file[..end]), sequences);
    }

    /// <summary>A document whose streams, after those that it has, keep these packets; the files are on the disk.</summary>
    public static RecordingDocument WithPackets(RecordingStore store, RecordingDocument document, params IEnumerable<int>[] streams)
    {
        var folder = store.Create(document.Id, document.StartedAt);
        return document with { Streams = [.. document.Streams, .. streams.Select((sequences, index) => Write(store, folder, document.Streams.Count + index + 1, [.. sequences]))] };
    }

    private static RecordedStream Write(RecordingStore store, string folder, int number, List<int> sequences)
    {
        var file = $"{folder}/stream-{number}.rtpdump";
        File.WriteAllBytes(store.PathOf(file), Of(sequences));
        var seconds = sequences[^1] * 0.02;
        return new RecordedStream
        {
            Label = $"{number}",
            RecordedSeconds = seconds,
            Files = [new RecordedFile { File = file, Codec = "AMR", StartOffsetSeconds = 0.5, DurationSeconds = seconds, Packets = sequences.Count }],
        };
    }
}
