using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Security.Cryptography;

namespace SipNat.Simulation.Srtp;

/// <summary>
/// One direction of SRTP, step by step as RFC 3711 and RFC 7714 tell it: numbers are numbers, every call is the one-shot
/// one, and nothing is shared with the program under test. Slow, and meant to be read beside the RFCs.
/// </summary>
public sealed class PlainSrtp
{
    private const int GcmTag = 16;
    private const int ControlTag = 10;
    private readonly bool _isGcm;
    private readonly int _keyLength;
    private readonly int _saltLength;
    private readonly int _tag;
    private readonly byte[] _master;
    private readonly byte[] _mki;
    private readonly Dictionary<uint, ulong> _sent = [];
    private uint _controlIndex;

    /// <param name="suite">As the IANA registry has it.</param>
    public PlainSrtp(string suite, byte[] keyAndSalt, byte[]? mki = null)
    {
        _isGcm = suite.StartsWith("AEAD", StringComparison.Ordinal);
        _keyLength = suite.Contains("256", StringComparison.Ordinal) ? 32 : suite.Contains("192", StringComparison.Ordinal) ? 24 : 16;
        _saltLength = _isGcm ? 12 : 14;
        _tag = _isGcm ? GcmTag : int.Parse(suite[^2..], CultureInfo.InvariantCulture) / 8;
        (_master, _mki) = (keyAndSalt, mki ?? []);
        if (_master.Length != _keyLength + _saltLength) throw new ArgumentException($"{suite} takes {_keyLength + _saltLength} bytes.", nameof(keyAndSalt));
    }

    private byte[] MasterKey => _master[.._keyLength];

    /// <summary>Protects the next packet; within one SSRC they come in order.</summary>
    public byte[] Protect(byte[] packet)
    {
        var ssrc = BinaryPrimitives.ReadUInt32BigEndian(packet.AsSpan(8));
        var sequence = BinaryPrimitives.ReadUInt16BigEndian(packet.AsSpan(2));
        var index = _sent.TryGetValue(ssrc, out var last)
            ? (last & ~0xFFFFUL) + sequence + (sequence < (ushort)last ? 0x10000UL : 0)
            : sequence;
        _sent[ssrc] = index;
        return Protect(packet, index);
    }

    /// <summary>Protects a packet of a given index.</summary>
    public byte[] Protect(byte[] packet, ulong index)
    {
        var (header, payload) = (packet[..HeaderOf(packet)], packet[HeaderOf(packet)..]);
        var ssrc = BinaryPrimitives.ReadUInt32BigEndian(packet.AsSpan(8));
        if (_isGcm) return [.. header, .. Gcm(Derive(0, _keyLength), Nonce(Derive(2, _saltLength), ssrc, index), payload, header), .. _mki];

        byte[] body = [.. header, .. Counter(Derive(0, _keyLength), Iv(Derive(2, _saltLength), ssrc, index), payload)];
        return [.. body, .. _mki, .. Authenticate(Derive(1, 20), [.. body, .. Word((uint)(index >> 16))])[.._tag]];
    }

    /// <summary>Protects the next RTCP compound.</summary>
    public byte[] ProtectControl(byte[] compound)
    {
        var ssrc = BinaryPrimitives.ReadUInt32BigEndian(compound.AsSpan(4));
        var (index, word) = (++_controlIndex, Word(_controlIndex | 0x80000000));
        if (_isGcm)
        {
            var sealed_ = Gcm(Derive(3, _keyLength), Nonce(Derive(5, _saltLength), ssrc, index), compound[8..], [.. compound[..8], .. word]);
            return [.. compound[..8], .. sealed_, .. word, .. _mki];
        }

        byte[] body = [.. compound[..8], .. Counter(Derive(3, _keyLength), Iv(Derive(5, _saltLength), ssrc, index), compound[8..]), .. word];
        return [.. body, .. _mki, .. Authenticate(Derive(4, 20), body)[..ControlTag]];
    }

    /// <summary>The packet of a given roll-over counter; null where it is not genuine.</summary>
    public byte[]? Unprotect(byte[] datagram, uint rollOver = 0)
    {
        var ssrc = BinaryPrimitives.ReadUInt32BigEndian(datagram.AsSpan(8));
        var index = ((ulong)rollOver << 16) + BinaryPrimitives.ReadUInt16BigEndian(datagram.AsSpan(2));
        var header = datagram[..HeaderOf(datagram)];
        if (_isGcm)
        {
            if (!datagram[^_mki.Length..].SequenceEqual(_mki)) return null;

            var plain = OpenGcm(Derive(0, _keyLength), Nonce(Derive(2, _saltLength), ssrc, index), datagram[header.Length..^_mki.Length], header);
            return plain is null ? null : [.. header, .. plain];
        }

        var body = datagram[..^(_tag + _mki.Length)];
        byte[] trailer = [.. _mki, .. Authenticate(Derive(1, 20), [.. body, .. Word(rollOver)])[.._tag]];
        return datagram[body.Length..].SequenceEqual(trailer)
            ? [.. header, .. Counter(Derive(0, _keyLength), Iv(Derive(2, _saltLength), ssrc, index), body[header.Length..])]
            : null;
    }

    /// <summary>The compound; null where it is not genuine.</summary>
    public byte[]? UnprotectControl(byte[] datagram)
    {
        var ssrc = BinaryPrimitives.ReadUInt32BigEndian(datagram.AsSpan(4));
        if (_isGcm)
        {
            var word = datagram[^(4 + _mki.Length)..^_mki.Length];
            var text = datagram[8..^(4 + _mki.Length)];
            var plain = OpenGcm(Derive(3, _keyLength), Nonce(Derive(5, _saltLength), ssrc, BinaryPrimitives.ReadUInt32BigEndian(word) & 0x7FFFFFFF), text, [.. datagram[..8], .. word]);
            return plain is null ? null : [.. datagram[..8], .. plain];
        }

        var body = datagram[..^(ControlTag + _mki.Length)];
        byte[] trailer = [.. _mki, .. Authenticate(Derive(4, 20), body)[..ControlTag]];
        var index = BinaryPrimitives.ReadUInt32BigEndian(body.AsSpan(body.Length - 4)) & 0x7FFFFFFF;
        return datagram[body.Length..].SequenceEqual(trailer)
            ? [.. body[..8], .. Counter(Derive(3, _keyLength), Iv(Derive(5, _saltLength), ssrc, index), body[8..^4])]
            : null;
    }

    // RFC 3711 §4.3.1: x = label · 2^48 XOR salt, and the stream of AES-CM at x · 2^16.
    private byte[] Derive(byte label, int length)
    {
        byte[] salt = [.. _master[_keyLength..], .. new byte[14 - _saltLength]];
        return Counter(MasterKey, (Number(salt) ^ ((BigInteger)label << 48)) << 16, new byte[length]);
    }

    // RFC 3711 §4.1.1
    private static BigInteger Iv(byte[] salt, uint ssrc, ulong index) => (Number(salt) << 16) ^ ((BigInteger)ssrc << 64) ^ ((BigInteger)index << 16);

    // RFC 7714 §8.1 and §9.1
    private static byte[] Nonce(byte[] salt, uint ssrc, ulong index) => Bytes(Number(salt) ^ ((BigInteger)ssrc << 48) ^ index, 12);

    private static byte[] Counter(byte[] key, BigInteger start, byte[] text)
    {
        using var aes = Aes.Create();
        aes.Key = key;
        var result = new byte[text.Length];
        for (var block = 0; block * 16 < text.Length; block++)
        {
            var stream = aes.EncryptEcb(Bytes(start + block, 16), PaddingMode.None);
            for (var i = block * 16; i < Math.Min(text.Length, (block + 1) * 16); i++) result[i] = (byte)(text[i] ^ stream[i % 16]);
        }

        return result;
    }

    private static byte[] Authenticate(byte[] key, byte[] text) => HMACSHA1.HashData(key, text);

    private static byte[] Gcm(byte[] key, byte[] nonce, byte[] text, byte[] associated)
    {
        using AesGcm gcm = new(key, GcmTag);
        var (result, tag) = (new byte[text.Length], new byte[GcmTag]);
        gcm.Encrypt(nonce, text, result, tag, associated);
        return [.. result, .. tag];
    }

    private static byte[]? OpenGcm(byte[] key, byte[] nonce, byte[] sealed_, byte[] associated)
    {
        using AesGcm gcm = new(key, GcmTag);
        var plain = new byte[sealed_.Length - GcmTag];
        try
        {
            gcm.Decrypt(nonce, sealed_[..^GcmTag], sealed_[^GcmTag..], plain, associated);
            return plain;
        }
        catch (AuthenticationTagMismatchException)
        {
            return null;
        }
    }

    private static int HeaderOf(byte[] packet)
    {
        var length = 12 + (4 * (packet[0] & 15));
        return (packet[0] & 16) == 0 ? length : length + 4 + (4 * BinaryPrimitives.ReadUInt16BigEndian(packet.AsSpan(length + 2)));
    }

    private static byte[] Word(uint value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        return bytes;
    }

    private static BigInteger Number(byte[] bytes) => new(bytes, isUnsigned: true, isBigEndian: true);

    private static byte[] Bytes(BigInteger number, int length)
    {
        var bytes = number.ToByteArray(isUnsigned: true, isBigEndian: true);
        return [.. new byte[length - bytes.Length], .. bytes];
    }
}
