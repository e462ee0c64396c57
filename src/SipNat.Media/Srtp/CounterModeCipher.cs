using System.Buffers.Binary;
using System.Security.Cryptography;

namespace SipNat.Media.Srtp;

/// <summary>AES in counter mode with HMAC-SHA1 over header, encrypted body and word (RFC 3711 §4.1.1, §4.2.1).</summary>
internal sealed class CounterModeCipher : ISrtpCipher
{
    private const int SsrcPlace = 4;
    private const int IndexPlace = 8;

    private readonly AesCounter _aes;
    private readonly IncrementalHash _hmac;
    private readonly byte[] _salt;

    public CounterModeCipher(ReadOnlySpan<byte> key, ReadOnlySpan<byte> authenticationKey, ReadOnlySpan<byte> salt)
    {
        (_aes, _salt) = (new(key), salt.ToArray());
        _hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA1, authenticationKey);
    }

    public void Seal(uint ssrc, ulong index, ReadOnlySpan<byte> header, Span<byte> body, uint word, Span<byte> tag)
    {
        Apply(ssrc, index, body, body);
        Span<byte> whole = stackalloc byte[HMACSHA1.HashSizeInBytes];
        Authenticate(header, body, word, whole);
        whole[..tag.Length].CopyTo(tag);
    }

    public bool TryOpen(uint ssrc, ulong index, ReadOnlySpan<byte> header, ReadOnlySpan<byte> body, uint word, ReadOnlySpan<byte> tag, Span<byte> plain)
    {
        Span<byte> whole = stackalloc byte[HMACSHA1.HashSizeInBytes];
        Authenticate(header, body, word, whole);
        if (!CryptographicOperations.FixedTimeEquals(whole[..tag.Length], tag)) return false;

        Apply(ssrc, index, body, plain);
        return true;
    }

    public void Dispose()
    {
        _aes.Dispose();
        _hmac.Dispose();
        CryptographicOperations.ZeroMemory(_salt);
    }

    private void Authenticate(ReadOnlySpan<byte> header, ReadOnlySpan<byte> body, uint word, Span<byte> whole)
    {
        Span<byte> last = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(last, word);
        _hmac.AppendData(header);
        _hmac.AppendData(body);
        _hmac.AppendData(last);
        _hmac.GetHashAndReset(whole);
    }

    // salt · 2^16 XOR ssrc · 2^64 XOR index · 2^16
    private void Apply(uint ssrc, ulong index, ReadOnlySpan<byte> source, Span<byte> destination)
    {
        Span<byte> first = stackalloc byte[AesCounter.BlockLength];
        first.Clear();
        BinaryPrimitives.WriteUInt32BigEndian(first[SsrcPlace..], ssrc);
        BinaryPrimitives.WriteUInt64BigEndian(first[IndexPlace..], index << 16);
        for (var i = 0; i < _salt.Length; i++) first[i] ^= _salt[i];
        _aes.Apply(first, source, destination);
    }
}
