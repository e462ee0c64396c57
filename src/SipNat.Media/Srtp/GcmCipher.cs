using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;

namespace SipNat.Media.Srtp;

/// <summary>AES-GCM (RFC 7714).</summary>
/// <remarks>
/// AesGcm.Decrypt throws where a tag is wrong, so that whoever sends forged packets would choose how much time is spent on
/// exceptions. Here a packet is decrypted by the counter mode that GCM is made of, and encrypted again: the tag that comes
/// out is the one that it ought to have.
/// </remarks>
internal sealed class GcmCipher : ISrtpCipher
{
    private const int NonceLength = 12;
    private const int TagLength = 16;
    private const int SsrcPlace = 2;
    private const int IndexPlace = 4;

    // The counter of the first block of text; the tag has the one before (NIST SP 800-38D §7.1).
    private const uint FirstCounter = 2;

    // Of RTCP: its first eight bytes and the word.
    private const int ControlAssociatedLength = 12;

    private readonly AesGcm _gcm;
    private readonly AesCounter _counter;
    private readonly byte[] _salt;
    private readonly bool _isControl;

    /// <param name="isControl">RTCP: the word is authenticated. That of RTP is in the nonce.</param>
    public GcmCipher(ReadOnlySpan<byte> key, ReadOnlySpan<byte> salt, bool isControl, SrtpArithmetic arithmetic)
    {
        (_gcm, _counter, _salt, _isControl) = (new(key, TagLength), new(key, arithmetic), salt.ToArray(), isControl);
    }

    public void Seal(uint ssrc, ulong index, ReadOnlySpan<byte> header, Span<byte> body, uint word, Span<byte> tag)
    {
        Span<byte> nonce = stackalloc byte[NonceLength];
        WriteNonce(nonce, ssrc, index);
        Encrypt(nonce, header, body, body, word, tag);
    }

    public bool TryOpen(uint ssrc, ulong index, ReadOnlySpan<byte> header, ReadOnlySpan<byte> body, uint word, ReadOnlySpan<byte> tag, Span<byte> plain, int place)
    {
        Span<byte> first = stackalloc byte[AesCounter.BlockLength];
        WriteNonce(first, ssrc, index);
        BinaryPrimitives.WriteUInt32BigEndian(first[NonceLength..], FirstCounter);
        _counter.Apply(first, body, plain);

        Span<byte> expected = stackalloc byte[TagLength];
        var again = ArrayPool<byte>.Shared.Rent(Math.Max(body.Length, 1));
        Encrypt(first[..NonceLength], header, plain, again.AsSpan(0, body.Length), word, expected);
        ArrayPool<byte>.Shared.Return(again);
        return CryptographicOperations.FixedTimeEquals(expected, tag);
    }

    public void Dispose()
    {
        _gcm.Dispose();
        _counter.Dispose();
        CryptographicOperations.ZeroMemory(_salt);
    }

    private void Encrypt(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> header, ReadOnlySpan<byte> plain, Span<byte> body, uint word, Span<byte> tag)
    {
        if (!_isControl)
        {
            _gcm.Encrypt(nonce, plain, body, tag, header);
            return;
        }

        // RFC 7714 §9.2: the first eight bytes and the word with the index, though the latter stands at the end.
        Span<byte> associated = stackalloc byte[ControlAssociatedLength];
        header.CopyTo(associated);
        BinaryPrimitives.WriteUInt32BigEndian(associated[header.Length..], word);
        _gcm.Encrypt(nonce, plain, body, tag, associated);
    }

    // Two bytes of zero, SSRC, index in six bytes, all XOR salt (RFC 7714 §8.1, §9.1).
    private void WriteNonce(Span<byte> nonce, uint ssrc, ulong index)
    {
        nonce[..NonceLength].Clear();
        BinaryPrimitives.WriteUInt64BigEndian(nonce[IndexPlace..], index);
        BinaryPrimitives.WriteUInt32BigEndian(nonce[SsrcPlace..], ssrc);
        for (var i = 0; i < _salt.Length; i++) nonce[i] ^= _salt[i];
    }
}
