using System.Buffers.Binary;
using SipNat.Wire;

namespace SipNat.Traversal.PortMapping;

/// <summary>A response of a PCP server viewed in place (RFC 6887 §7.2). Options are passed over: none was asked for.</summary>
public readonly ref struct PcpResponse
{
    public const int HeaderLength = 24;

    /// <summary>The header and the part of the MAP opcode (RFC 6887 §11.1).</summary>
    public const int MapLength = 60;

    /// <summary>Longer messages are not PCP (RFC 6887 §7).</summary>
    public const int MaxLength = 1100;

    private const byte ResponseBit = 0x80;

    private readonly ReadOnlySpan<byte> _bytes;

    private PcpResponse(ReadOnlySpan<byte> bytes) => _bytes = bytes;

    public PcpOpcode Opcode => (PcpOpcode)(_bytes[1] & ~ResponseBit);

    public PcpResultCode Result => (PcpResultCode)_bytes[3];

    /// <summary>Of the mapping, or of the error, in seconds.</summary>
    public uint Lifetime => BinaryPrimitives.ReadUInt32BigEndian(_bytes[4..]);

    /// <summary>The server's seconds since its table began.</summary>
    public uint Epoch => BinaryPrimitives.ReadUInt32BigEndian(_bytes[8..]);

    internal PcpNonce Nonce => PcpNonce.Read(Map);

    /// <summary>IANA's number of the mapped protocol.</summary>
    public byte Protocol => Map[12];

    public ushort InternalPort => BinaryPrimitives.ReadUInt16BigEndian(Map[16..]);

    /// <summary>The external address with its port; only of a successful MAP does it mean anything.</summary>
    public TransportAddress External => new(Map[20..36], BinaryPrimitives.ReadUInt16BigEndian(Map[18..]));

    private ReadOnlySpan<byte> Map => Opcode is PcpOpcode.Map
        ? _bytes[HeaderLength..MapLength]
        : throw new InvalidOperationException("Only a response to MAP has a mapping.");

    public static bool TryRead(ReadOnlySpan<byte> datagram, out PcpResponse response, out PcpDefect defect)
    {
        response = default;
        defect = Inspect(datagram);
        if (defect is not PcpDefect.None) return false;

        response = new(datagram);
        return true;
    }

    private static PcpDefect Inspect(ReadOnlySpan<byte> datagram)
    {
        if (datagram.Length < HeaderLength) return PcpDefect.TooShort;
        if (datagram.Length > MaxLength || datagram.Length % 4 != 0) return PcpDefect.WrongLength;
        if (datagram[0] != PcpRequest.Version) return PcpDefect.OtherVersion;
        if ((datagram[1] & ResponseBit) == 0) return PcpDefect.NotAResponse;

        return (datagram[1] & ~ResponseBit) == (byte)PcpOpcode.Map && datagram.Length < MapLength ? PcpDefect.TooShort : PcpDefect.None;
    }
}

/// <summary>Why a datagram is not a readable response of PCP.</summary>
public enum PcpDefect
{
    None,
    TooShort,
    WrongLength,
    OtherVersion,
    NotAResponse,
}
