namespace SipNat.Media.Rtcp;

/// <summary>A compound RTCP packet viewed in place over the received bytes (RFC 3550 §6.1, §A.2).</summary>
/// <remarks>
/// Reduced-size packets (RFC 5506), which begin with neither SR nor RR, are accepted: what they carry is judged on its
/// own, and refusing them would gain nothing on a port that only one peer uses.
/// </remarks>
public readonly ref struct RtcpCompound
{
    /// <summary>Packets of one compound that are looked at; a datagram with more is refused.</summary>
    public const int MaxPackets = 64;

    private readonly ReadOnlySpan<byte> _bytes;

    private RtcpCompound(ReadOnlySpan<byte> bytes) => _bytes = bytes;

    /// <summary>Bytes of the datagram.</summary>
    public int Length => _bytes.Length;

    public Enumerator GetEnumerator() => new(_bytes);

    public static bool TryRead(ReadOnlySpan<byte> datagram, out RtcpCompound compound, out RtcpDefect defect)
    {
        compound = default;
        defect = Inspect(datagram);
        if (defect is not RtcpDefect.None) return false;

        compound = new(datagram);
        return true;
    }

    private static RtcpDefect Inspect(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < RtcpPacket.HeaderLength) return RtcpDefect.TooShort;

        var packets = 0;
        for (var rest = bytes; !rest.IsEmpty; rest = rest[RtcpPacket.LengthOf(rest)..])
        {
            if (++packets > MaxPackets) return RtcpDefect.TooManyPackets;
            if (rest.Length < RtcpPacket.HeaderLength) return RtcpDefect.WrongLength;
            if (rest[0] >> 6 != 2) return RtcpDefect.WrongVersion;
            if (rest[1] is < 192 or > 223) return RtcpDefect.WrongType;

            var length = RtcpPacket.LengthOf(rest);
            if (length > rest.Length) return RtcpDefect.WrongLength;

            var isLast = length == rest.Length;
            var defect = RtcpPacket.Inspect(rest[..length], isLast);
            if (defect is not RtcpDefect.None) return defect;
        }

        return RtcpDefect.None;
    }

    /// <summary>Walks the packets in order, without allocation.</summary>
    public ref struct Enumerator
    {
        private ReadOnlySpan<byte> _rest;

        internal Enumerator(ReadOnlySpan<byte> bytes) => _rest = bytes;

        public RtcpPacket Current { get; private set; }

        public bool MoveNext()
        {
            if (_rest.IsEmpty) return false;

            var length = RtcpPacket.LengthOf(_rest);
            Current = new(_rest[..length]);
            _rest = _rest[length..];
            return true;
        }
    }
}

/// <summary>Why a datagram is not a readable RTCP compound. A metric tag, hence no text.</summary>
public enum RtcpDefect
{
    None,
    TooShort,
    WrongVersion,
    WrongType,
    WrongLength,
    WrongPadding,
    WrongCount,
    TooManyPackets,
}
