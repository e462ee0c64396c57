using System.Buffers.Binary;
using SipNat.Wire;

namespace SipNat.Traversal.PortMapping;

/// <summary>A response of a NAT-PMP server viewed in place (RFC 6886 §3.2, §3.3).</summary>
public readonly ref struct NatPmpResponse
{
    /// <summary>Version, opcode, result and epoch; an error may end there.</summary>
    public const int HeaderLength = 8;

    private const int AddressLength = 12;
    private const int MapLength = 16;
    private const byte ResponseBit = 0x80;

    private readonly ReadOnlySpan<byte> _bytes;

    private NatPmpResponse(ReadOnlySpan<byte> bytes) => _bytes = bytes;

    public NatPmpOpcode Opcode => (NatPmpOpcode)(_bytes[1] & ~ResponseBit);

    public NatPmpResultCode Result => (NatPmpResultCode)BinaryPrimitives.ReadUInt16BigEndian(_bytes[2..]);

    /// <summary>The server's seconds since its table began.</summary>
    public uint Epoch => BinaryPrimitives.ReadUInt32BigEndian(_bytes[4..]);

    /// <summary>The router's address outside, without a port, where that was asked for and found; else none.</summary>
    public TransportAddress External =>
        Opcode is NatPmpOpcode.ExternalAddress && Result is NatPmpResultCode.Success ? new(_bytes[8..12], 0) : default;

    /// <summary>The port that was asked for; 0 in an error that does not repeat it.</summary>
    public ushort InternalPort => HasMapping ? BinaryPrimitives.ReadUInt16BigEndian(_bytes[8..]) : (ushort)0;

    public ushort ExternalPort => HasMapping ? BinaryPrimitives.ReadUInt16BigEndian(_bytes[10..]) : (ushort)0;

    /// <summary>Of the mapping, in seconds.</summary>
    public uint Lifetime => HasMapping ? BinaryPrimitives.ReadUInt32BigEndian(_bytes[12..]) : 0;

    private bool HasMapping => Opcode is NatPmpOpcode.MapUdp or NatPmpOpcode.MapTcp && _bytes.Length >= MapLength;

    public static bool TryRead(ReadOnlySpan<byte> datagram, out NatPmpResponse response, out NatPmpDefect defect)
    {
        response = default;
        defect = Inspect(datagram);
        if (defect is not NatPmpDefect.None) return false;

        response = new(datagram);
        return true;
    }

    private static NatPmpDefect Inspect(ReadOnlySpan<byte> datagram)
    {
        if (datagram.Length < HeaderLength) return NatPmpDefect.TooShort;
        if (datagram[0] != NatPmpRequest.Version) return NatPmpDefect.OtherVersion;
        if ((datagram[1] & ResponseBit) == 0) return NatPmpDefect.NotAResponse;
        if (BinaryPrimitives.ReadUInt16BigEndian(datagram[2..]) != (ushort)NatPmpResultCode.Success) return NatPmpDefect.None;

        var needed = (NatPmpOpcode)(datagram[1] & ~ResponseBit) switch
        {
            NatPmpOpcode.ExternalAddress => AddressLength,
            NatPmpOpcode.MapUdp or NatPmpOpcode.MapTcp => MapLength,
            _ => HeaderLength,
        };
        return datagram.Length < needed ? NatPmpDefect.TooShort : NatPmpDefect.None;
    }
}

/// <summary>Why a datagram is not a readable response of NAT-PMP.</summary>
public enum NatPmpDefect
{
    None,
    TooShort,
    OtherVersion,
    NotAResponse,
}

/// <summary>Opcodes of NAT-PMP (RFC 6886 §3.2, §3.3).</summary>
public enum NatPmpOpcode : byte
{
    ExternalAddress = 0,
    MapUdp = 1,
    MapTcp = 2,
}

/// <summary>Result codes of NAT-PMP (RFC 6886 §3.5).</summary>
public enum NatPmpResultCode : ushort
{
    Success = 0,
    UnsupportedVersion = 1,
    NotAuthorized = 2,
    NetworkFailure = 3,
    OutOfResources = 4,
    UnsupportedOpcode = 5,
}
