using System.Buffers.Binary;

namespace SipNat.Media.Rtcp;

/// <summary>The VoIP metrics block of an extended report (RFC 3611 §4.7).</summary>
/// <remarks>
/// <code>
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |     BT=7      |   reserved    |       block length = 8        |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                        SSRC of source                         |
/// |   loss rate   | discard rate  | burst density |  gap density  |
/// |       burst duration          |         gap duration          |
/// |     round trip delay          |       end system delay        |
/// | signal level  |  noise level  |     RERL      |     Gmin      |
/// |   R factor    | ext. R factor |    MOS-LQ     |    MOS-CQ     |
/// |   RX config   |   reserved    |          JB nominal           |
/// |          JB maximum           |          JB abs max           |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// </code>
/// </remarks>
public readonly record struct VoipMetrics
{
    /// <summary>Bytes on the wire, the block's header included.</summary>
    public const int Size = 36;

    /// <summary>What levels, R and MOS say where they are not known.</summary>
    public const byte Unknown = 127;

    internal const byte BlockType = 7;
    private const int HeaderLength = 4;

    public uint Ssrc { get; init; }

    /// <summary>Packets lost on the way since the beginning, in 1/256.</summary>
    public byte LossRate { get; init; }

    /// <summary>Packets that came too late to be played, in 1/256.</summary>
    public byte DiscardRate { get; init; }

    /// <summary>Lost and discarded within bursts, in 1/256.</summary>
    public byte BurstDensity { get; init; }

    /// <summary>Lost and discarded between bursts, in 1/256.</summary>
    public byte GapDensity { get; init; }

    /// <summary>Milliseconds, on average.</summary>
    public ushort BurstDuration { get; init; }

    /// <summary>Milliseconds, on average.</summary>
    public ushort GapDuration { get; init; }

    /// <summary>Milliseconds; 0 where it is not known.</summary>
    public ushort RoundTripDelay { get; init; }

    /// <summary>Milliseconds that sender and receiver here add.</summary>
    public ushort EndSystemDelay { get; init; }

    /// <summary>Two's complement, in dBm0; <see cref="Unknown"/> where it is not measured.</summary>
    public byte SignalLevel { get; init; }

    /// <summary>Two's complement, in dBm0; <see cref="Unknown"/> where it is not measured.</summary>
    public byte NoiseLevel { get; init; }

    /// <summary>Residual echo return loss in dB; <see cref="Unknown"/> where it is not measured.</summary>
    public byte EchoReturnLoss { get; init; }

    /// <summary>Packets received in a row that end a burst.</summary>
    public byte Gmin { get; init; }

    /// <summary>R of this path, 0 to 100; <see cref="Unknown"/> where it is not computed.</summary>
    public byte RFactor { get; init; }

    /// <summary>R of a path beyond; <see cref="Unknown"/> where there is none.</summary>
    public byte ExternalRFactor { get; init; }

    /// <summary>Mean opinion of listening, times ten; <see cref="Unknown"/> where it is not computed.</summary>
    public byte MosListening { get; init; }

    /// <summary>Mean opinion of a conversation, times ten; <see cref="Unknown"/> where it is not computed.</summary>
    public byte MosConversation { get; init; }

    /// <summary>Concealment, adaptation and rate of the jitter buffer (RFC 3611 §4.7.6).</summary>
    public byte ReceiverConfiguration { get; init; }

    /// <summary>Milliseconds that the jitter buffer holds what comes in time.</summary>
    public ushort BufferNominal { get; init; }

    /// <summary>Milliseconds that it holds the earliest.</summary>
    public ushort BufferMaximum { get; init; }

    /// <summary>Milliseconds that it can hold at most.</summary>
    public ushort BufferAbsoluteMaximum { get; init; }

    /// <summary>Finds the block in the body of an extended report.</summary>
    internal static bool TryRead(ReadOnlySpan<byte> blocks, out VoipMetrics metrics)
    {
        metrics = default;
        for (var rest = blocks; rest.Length >= HeaderLength;)
        {
            var length = HeaderLength + (sizeof(uint) * BinaryPrimitives.ReadUInt16BigEndian(rest[2..]));
            if (length > rest.Length) return false;
            if (rest[0] == BlockType && length == Size)
            {
                metrics = Read(rest[HeaderLength..]);
                return true;
            }

            rest = rest[length..];
        }

        return false;
    }

    internal void Write(Span<byte> block)
    {
        block[0] = BlockType;
        block[1] = 0;
        BinaryPrimitives.WriteUInt16BigEndian(block[2..], (Size - HeaderLength) / sizeof(uint));
        BinaryPrimitives.WriteUInt32BigEndian(block[4..], Ssrc);
        ((ReadOnlySpan<byte>)[LossRate, DiscardRate, BurstDensity, GapDensity]).CopyTo(block[8..]);
        BinaryPrimitives.WriteUInt16BigEndian(block[12..], BurstDuration);
        BinaryPrimitives.WriteUInt16BigEndian(block[14..], GapDuration);
        BinaryPrimitives.WriteUInt16BigEndian(block[16..], RoundTripDelay);
        BinaryPrimitives.WriteUInt16BigEndian(block[18..], EndSystemDelay);
        ((ReadOnlySpan<byte>)[SignalLevel, NoiseLevel, EchoReturnLoss, Gmin, RFactor, ExternalRFactor, MosListening, MosConversation, ReceiverConfiguration, 0]).CopyTo(block[20..]);
        BinaryPrimitives.WriteUInt16BigEndian(block[30..], BufferNominal);
        BinaryPrimitives.WriteUInt16BigEndian(block[32..], BufferMaximum);
        BinaryPrimitives.WriteUInt16BigEndian(block[34..], BufferAbsoluteMaximum);
    }

    private static VoipMetrics Read(ReadOnlySpan<byte> body) => new()
    {
        Ssrc = BinaryPrimitives.ReadUInt32BigEndian(body),
        LossRate = body[4],
        DiscardRate = body[5],
        BurstDensity = body[6],
        GapDensity = body[7],
        BurstDuration = BinaryPrimitives.ReadUInt16BigEndian(body[8..]),
        GapDuration = BinaryPrimitives.ReadUInt16BigEndian(body[10..]),
        RoundTripDelay = BinaryPrimitives.ReadUInt16BigEndian(body[12..]),
        EndSystemDelay = BinaryPrimitives.ReadUInt16BigEndian(body[14..]),
        SignalLevel = body[16],
        NoiseLevel = body[17],
        EchoReturnLoss = body[18],
        Gmin = body[19],
        RFactor = body[20],
        ExternalRFactor = body[21],
        MosListening = body[22],
        MosConversation = body[23],
        ReceiverConfiguration = body[24],
        BufferNominal = BinaryPrimitives.ReadUInt16BigEndian(body[26..]),
        BufferMaximum = BinaryPrimitives.ReadUInt16BigEndian(body[28..]),
        BufferAbsoluteMaximum = BinaryPrimitives.ReadUInt16BigEndian(body[30..]),
    };
}
