using System.Buffers.Binary;
using System.Security.Cryptography;

namespace SipNat.Media.Srtp;

/// <summary>AES in counter mode with HMAC-SHA1 over header, encrypted body and word (RFC 3711 §4.1.1, §4.2.1).</summary>
internal sealed class CounterModeCipher : ISrtpCipher
{
    private const int SsrcPlace = 4;
    private const int IndexPlace = 8;

    // A packet of 20 ms of G.711 is shorter.
    private const int UsualLength = 256;

    private readonly AesCounter _aes;
    private readonly IncrementalHash _hmac;
    private readonly byte[] _authenticationKey;
    // With two bytes of zero behind it, where the counter of blocks stands.
    private readonly byte[] _salt = new byte[AesCounter.BlockLength];
    private HmacSha1Lanes? _lanes;
    private AuthenticatedPart[] _ahead = [];
    private byte[] _hashesAhead = [];

    public CounterModeCipher(ReadOnlySpan<byte> key, ReadOnlySpan<byte> authenticationKey, ReadOnlySpan<byte> salt, SrtpArithmetic arithmetic)
    {
        (_aes, _authenticationKey) = (new(key, arithmetic), authenticationKey.ToArray());
        salt.CopyTo(_salt);
        HasLanes = arithmetic is SrtpArithmetic.Processor && HmacSha1Lanes.IsSupported;
        _hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA1, authenticationKey);
    }

    /// <summary>Whether it can look ahead.</summary>
    public bool HasLanes { get; }

    /// <summary>Takes packets that are about to be opened, one after the other: their hashes are computed side by side.</summary>
    /// <param name="bytes">Where all of them are.</param>
    /// <param name="packets">At most <see cref="SrtpContext.MaxAhead"/>, with the words that they are likely to have.</param>
    public void LookAhead(ReadOnlySpan<byte> bytes, ReadOnlySpan<AuthenticatedPart> packets)
    {
        if (_lanes is null)
        {
            _lanes = new(_authenticationKey);
            (_ahead, _hashesAhead) = (new AuthenticatedPart[SrtpContext.MaxAhead], new byte[SrtpContext.MaxAhead * HMACSHA1.HashSizeInBytes]);
        }

        packets.CopyTo(_ahead);
        for (var done = 0; done < packets.Length; done += HmacSha1Lanes.Count)
        {
            var some = packets[done..Math.Min(done + HmacSha1Lanes.Count, packets.Length)];
            _lanes.Hash(bytes, some, _hashesAhead.AsSpan(done * HMACSHA1.HashSizeInBytes));
        }
    }

    public void Seal(uint ssrc, ulong index, ReadOnlySpan<byte> header, Span<byte> body, uint word, Span<byte> tag)
    {
        Apply(ssrc, index, body, body);
        Span<byte> whole = stackalloc byte[HMACSHA1.HashSizeInBytes];
        Authenticate(header, body, word, whole);
        whole[..tag.Length].CopyTo(tag);
    }

    public bool TryOpen(uint ssrc, ulong index, ReadOnlySpan<byte> header, ReadOnlySpan<byte> body, uint word, ReadOnlySpan<byte> tag, Span<byte> plain, int place)
    {
        Span<byte> whole = stackalloc byte[HMACSHA1.HashSizeInBytes];
        if (IsAhead(place, header.Length + body.Length, word)) _hashesAhead.AsSpan(place * HMACSHA1.HashSizeInBytes, HMACSHA1.HashSizeInBytes).CopyTo(whole);
        else Authenticate(header, body, word, whole);
        if (!CryptographicOperations.FixedTimeEquals(whole[..tag.Length], tag)) return false;

        Apply(ssrc, index, body, plain);
        return true;
    }

    public void Dispose()
    {
        _aes.Dispose();
        _hmac.Dispose();
        _lanes?.Dispose();
        CryptographicOperations.ZeroMemory(_authenticationKey);
        CryptographicOperations.ZeroMemory(_salt);
    }

    // Another word than was thought is hashed by itself.
    private bool IsAhead(int place, int length, uint word) =>
        (uint)place < (uint)_ahead.Length && _ahead[place].Length == length && _ahead[place].Word == word;

    private void Authenticate(ReadOnlySpan<byte> header, ReadOnlySpan<byte> body, uint word, Span<byte> whole)
    {
        var length = header.Length + body.Length;
        Span<byte> text = stackalloc byte[UsualLength];
        if (length + sizeof(uint) <= text.Length)
        {
            // Each call of the library costs as much as 60 bytes of the hash.
            header.CopyTo(text);
            body.CopyTo(text[header.Length..]);
            BinaryPrimitives.WriteUInt32BigEndian(text[length..], word);
            _hmac.AppendData(text[..(length + sizeof(uint))]);
        }
        else
        {
            BinaryPrimitives.WriteUInt32BigEndian(text, word);
            _hmac.AppendData(header);
            _hmac.AppendData(body);
            _hmac.AppendData(text[..sizeof(uint)]);
        }

        _hmac.GetHashAndReset(whole);
    }

    // salt · 2^16 XOR ssrc · 2^64 XOR index · 2^16
    private void Apply(uint ssrc, ulong index, ReadOnlySpan<byte> source, Span<byte> destination)
    {
        Span<byte> first = stackalloc byte[AesCounter.BlockLength];
        _salt.CopyTo(first);
        BinaryPrimitives.WriteUInt32BigEndian(first[SsrcPlace..], BinaryPrimitives.ReadUInt32BigEndian(first[SsrcPlace..]) ^ ssrc);
        BinaryPrimitives.WriteUInt64BigEndian(first[IndexPlace..], BinaryPrimitives.ReadUInt64BigEndian(first[IndexPlace..]) ^ (index << 16));
        _aes.Apply(first, source, destination);
    }
}
