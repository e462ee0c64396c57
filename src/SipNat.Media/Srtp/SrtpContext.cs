using System.Buffers.Binary;
using System.Security.Cryptography;

namespace SipNat.Media.Srtp;

/// <summary>
/// One direction under one master key: protects what is sent, or checks and decrypts what is received, RTP and RTCP
/// (RFC 3711). Roll-over counters and replay lists are kept for each SSRC; addresses mean nothing here, so that a peer that
/// moves is no other peer.
/// </summary>
public sealed class SrtpContext : IDisposable
{
    /// <summary>SSRCs under one key. One of the peer takes its place with a genuine packet only.</summary>
    public const int MaxSources = 128;

    /// <summary>Packets that are looked ahead at, at once.</summary>
    public const int MaxAhead = 16;

    private const int HeaderLength = 12;
    private const int ExtensionHeaderLength = 4;
    private const int ControlHeaderLength = 8;
    private const uint EncryptedFlag = 0x8000_0000;
    private const uint MaxControlIndex = 0x7FFF_FFFF;

    private readonly SrtpMasterKey _master;
    private readonly SrtpArithmetic _arithmetic;
    private readonly SrtpTrailer _trailer;
    private readonly SrtpTrailer _controlTrailer;
    private readonly ISrtpCipher _rtp;
    private readonly ISrtpCipher _rtcp;
    private readonly Dictionary<uint, SrtpSource> _sources = [];
    private SrtpSource _unknown = new();
    private uint _controlIndex;

    public SrtpContext(SrtpMasterKey master, SrtpArithmetic arithmetic = SrtpArithmetic.Processor)
    {
        (_master, _arithmetic) = (master, arithmetic);
        _trailer = SrtpTrailer.OfRtp(Profile, master.Mki.Length);
        _controlTrailer = SrtpTrailer.OfRtcp(Profile, master.Mki.Length);
        using SrtpKeyDerivation keys = new(master.Key, master.Salt, arithmetic);
        _rtp = CreateCipher(keys, SrtpKeyLabel.RtpEncryption, SrtpKeyLabel.RtpAuthentication, SrtpKeyLabel.RtpSalt);
        _rtcp = CreateCipher(keys, SrtpKeyLabel.RtcpEncryption, SrtpKeyLabel.RtcpAuthentication, SrtpKeyLabel.RtcpSalt);
    }

    public SrtpProfile Profile => _master.Profile;

    /// <summary>Bytes that protection adds to an RTP packet.</summary>
    public int Overhead => _trailer.Length;

    /// <summary>Bytes that protection adds to an RTCP compound.</summary>
    public int ControlOverhead => _controlTrailer.Length;

    /// <summary>Whether it is the context of this key.</summary>
    public bool IsOf(SrtpMasterKey? master) => _master.IsSameAs(master);

    /// <summary>Protects an RTP packet where it stands. False where its key may protect no more (RFC 3711 §9.2).</summary>
    /// <param name="buffer">The packet, and <see cref="Overhead"/> bytes after it.</param>
    public bool TryProtect(Span<byte> buffer)
    {
        var packet = buffer[..^Overhead];
        var trailer = buffer[^Overhead..];
        if (!TryMeasureHeader(packet, out var header)) throw new ArgumentException("This is no RTP packet.", nameof(buffer));

        var (ssrc, sequence) = ReadSource(packet);
        var source = Find(ssrc);
        if (!TryKeep(ssrc, source)) throw new InvalidOperationException($"A sender has at most {MaxSources} SSRCs.");
        if (source.Next(sequence) is not { } index) return false;

        source.Accept(index);
        _master.Mki.CopyTo(trailer[_trailer.Mki]);
        _rtp.Seal(ssrc, index, packet[..header], packet[header..], (uint)(index >> 16), trailer[_trailer.Tag]);
        return true;
    }

    /// <summary>Protects an RTCP compound where it stands. False where its key may protect no more (RFC 3711 §9.2).</summary>
    /// <param name="buffer">The compound, and <see cref="ControlOverhead"/> bytes after it.</param>
    public bool TryProtectControl(Span<byte> buffer)
    {
        var compound = buffer[..^ControlOverhead];
        var trailer = buffer[^ControlOverhead..];
        if (compound.Length < ControlHeaderLength) throw new ArgumentException("This is no RTCP compound.", nameof(buffer));
        if (_controlIndex == MaxControlIndex) return false;

        var word = ++_controlIndex | EncryptedFlag;
        BinaryPrimitives.WriteUInt32BigEndian(trailer[_controlTrailer.Word], word);
        _master.Mki.CopyTo(trailer[_controlTrailer.Mki]);
        _rtcp.Seal(
            BinaryPrimitives.ReadUInt32BigEndian(compound[4..]),
            _controlIndex,
            compound[..ControlHeaderLength],
            compound[ControlHeaderLength..],
            word,
            trailer[_controlTrailer.Tag]);
        return true;
    }

    /// <summary>
    /// Takes RTP packets that are about to be unprotected, one after the other: their tags are computed side by side, under
    /// the indices that they are likely to have. Nothing is decided here, so that what comes of a packet is the same.
    /// </summary>
    /// <param name="bytes">Where all of them are. They may not change until then.</param>
    /// <param name="datagrams">At most <see cref="MaxAhead"/>.</param>
    internal void LookAhead(ReadOnlySpan<byte> bytes, ReadOnlySpan<Range> datagrams)
    {
        if (_rtp is not CounterModeCipher { HasLanes: true } cipher) return;

        Span<AuthenticatedPart> packets = stackalloc AuthenticatedPart[MaxAhead];
        for (var i = 0; i < datagrams.Length; i++) packets[i] = Foresee(bytes, datagrams[i]);
        cipher.LookAhead(bytes, packets[..datagrams.Length]);
    }

    /// <summary>Checks and decrypts an RTP packet.</summary>
    /// <param name="plain">At least as long as the datagram, and apart from it. Its content counts only where nothing is wrong.</param>
    /// <param name="length">Bytes of the packet that came out.</param>
    public SrtpDefect Unprotect(ReadOnlySpan<byte> datagram, Span<byte> plain, out int length) => Unprotect(datagram, plain, out length, place: -1);

    /// <summary>As the other, of a datagram that may have been looked ahead at.</summary>
    /// <param name="place">Where this very datagram stood in the last <see cref="LookAhead"/>; below 0 where it did not.</param>
    internal SrtpDefect Unprotect(ReadOnlySpan<byte> datagram, Span<byte> plain, out int length, int place)
    {
        length = datagram.Length - Overhead;
        if (length < HeaderLength || !TryMeasureHeader(datagram[..length], out var header)) return SrtpDefect.TooShort;

        var packet = datagram[..length];
        var trailer = datagram[length..];
        if (!trailer[_trailer.Mki].SequenceEqual(_master.Mki)) return SrtpDefect.UnknownMki;

        var (ssrc, sequence) = ReadSource(packet);
        var source = Find(ssrc);
        var index = source.Estimate(sequence);
        var standing = source.Judge(index);
        if (standing is ReplayStanding.Seen) return SrtpDefect.Replayed;

        if (standing is ReplayStanding.TooOld || !TryOpen(index, packet, header, trailer, plain, place))
        {
            index += SrtpSource.Round;
            if (!source.MayBeFurther(sequence) || !TryOpen(index, packet, header, trailer, plain, place))
            {
                return standing is ReplayStanding.TooOld ? SrtpDefect.Replayed : SrtpDefect.AuthenticationFailed;
            }
        }

        if (!TryKeep(ssrc, source)) return SrtpDefect.TooManySources;

        source.Accept((ulong)index);
        packet[..header].CopyTo(plain);
        return SrtpDefect.None;
    }

    /// <summary>Checks and decrypts an RTCP compound.</summary>
    /// <param name="plain">At least as long as the datagram, and apart from it. Its content counts only where nothing is wrong.</param>
    /// <param name="length">Bytes of the compound that came out.</param>
    public SrtpDefect UnprotectControl(ReadOnlySpan<byte> datagram, Span<byte> plain, out int length)
    {
        length = datagram.Length - ControlOverhead;
        if (length < ControlHeaderLength) return SrtpDefect.TooShort;

        var trailer = datagram[length..];
        if (!trailer[_controlTrailer.Mki].SequenceEqual(_master.Mki)) return SrtpDefect.UnknownMki;

        var word = BinaryPrimitives.ReadUInt32BigEndian(trailer[_controlTrailer.Word]);
        if ((word & EncryptedFlag) == 0) return SrtpDefect.NotEncrypted;

        var ssrc = BinaryPrimitives.ReadUInt32BigEndian(datagram[4..]);
        var index = word & MaxControlIndex;
        var source = Find(ssrc);
        if (source.JudgeControl(index) is not ReplayStanding.Open) return SrtpDefect.Replayed;

        var header = datagram[..ControlHeaderLength];
        var body = datagram[ControlHeaderLength..length];
        if (!_rtcp.TryOpen(ssrc, index, header, body, word, trailer[_controlTrailer.Tag], plain[ControlHeaderLength..length], place: -1)) return SrtpDefect.AuthenticationFailed;
        if (!TryKeep(ssrc, source)) return SrtpDefect.TooManySources;

        source.AcceptControl(index);
        header.CopyTo(plain);
        return SrtpDefect.None;
    }

    /// <summary>Forgets the session keys.</summary>
    public void Dispose()
    {
        _rtp.Dispose();
        _rtcp.Dispose();
    }

    private AuthenticatedPart Foresee(ReadOnlySpan<byte> bytes, Range datagram)
    {
        var (offset, length) = datagram.GetOffsetAndLength(bytes.Length);
        if (length < HeaderLength + Overhead) return default;

        var (ssrc, sequence) = ReadSource(bytes[offset..]);
        var source = Find(ssrc);
        var index = source.Estimate(sequence);
        if (source.Judge(index) is ReplayStanding.TooOld) index += SrtpSource.Round;
        return new(offset, length - Overhead, (uint)(index >> 16));
    }

    private bool TryOpen(long index, ReadOnlySpan<byte> packet, int header, ReadOnlySpan<byte> trailer, Span<byte> plain, int place) => _rtp.TryOpen(
        ReadSource(packet).Ssrc, (ulong)index, packet[..header], packet[header..], (uint)(index >> 16), trailer[_trailer.Tag], plain[header..packet.Length], place);

    // Whoever is not known yet is judged by a source that has seen nothing, and becomes one with its first genuine packet.
    private SrtpSource Find(uint ssrc) => _sources.GetValueOrDefault(ssrc, _unknown);

    private bool TryKeep(uint ssrc, SrtpSource source)
    {
        if (source != _unknown) return true;
        if (_sources.Count == MaxSources) return false;

        _sources.Add(ssrc, source);
        _unknown = new();
        return true;
    }

    private static (uint Ssrc, ushort Sequence) ReadSource(ReadOnlySpan<byte> packet) =>
        (BinaryPrimitives.ReadUInt32BigEndian(packet[8..]), BinaryPrimitives.ReadUInt16BigEndian(packet[2..]));

    // Contributing sources and the extension stay readable (RFC 3711 §3.1); the padding is encrypted with the payload.
    private static bool TryMeasureHeader(ReadOnlySpan<byte> packet, out int length)
    {
        length = HeaderLength;
        if (packet.Length < HeaderLength) return false;

        length += (packet[0] & 0x0F) * sizeof(uint);
        if ((packet[0] & 0x10) == 0) return length <= packet.Length;
        if (packet.Length < length + ExtensionHeaderLength) return false;

        length += ExtensionHeaderLength + (BinaryPrimitives.ReadUInt16BigEndian(packet[(length + 2)..]) * sizeof(uint));
        return length <= packet.Length;
    }

    private ISrtpCipher CreateCipher(SrtpKeyDerivation keys, SrtpKeyLabel encryption, SrtpKeyLabel authentication, SrtpKeyLabel salting)
    {
        Span<byte> key = stackalloc byte[Profile.KeyLength];
        Span<byte> salt = stackalloc byte[Profile.SaltLength];
        Span<byte> proof = stackalloc byte[SrtpKeyDerivation.AuthenticationKeyLength];
        keys.Derive(encryption, key);
        keys.Derive(salting, salt);
        keys.Derive(authentication, proof);
        ISrtpCipher cipher = Profile.IsAead
            ? new GcmCipher(key, salt, isControl: encryption is SrtpKeyLabel.RtcpEncryption, _arithmetic)
            : new CounterModeCipher(key, proof, salt, _arithmetic);
        CryptographicOperations.ZeroMemory(key);
        CryptographicOperations.ZeroMemory(salt);
        CryptographicOperations.ZeroMemory(proof);
        return cipher;
    }
}
