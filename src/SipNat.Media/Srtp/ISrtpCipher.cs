namespace SipNat.Media.Srtp;

/// <summary>What a suite does with the packets of one kind, RTP or RTCP, in one direction.</summary>
/// <remarks>
/// A packet is seen as three parts: the header, which stays readable, the body, which does not, and a word: of RTP the
/// roll-over counter, which is not sent, of RTCP the index with its E flag, which is.
/// </remarks>
internal interface ISrtpCipher : IDisposable
{
    /// <summary>Encrypts the body where it stands, and writes the tag.</summary>
    /// <param name="index">The packet index: 48 bits of RTP (RFC 3711 §3.3.1), 31 of RTCP.</param>
    void Seal(uint ssrc, ulong index, ReadOnlySpan<byte> header, Span<byte> body, uint word, Span<byte> tag);

    /// <summary>Decrypts into <paramref name="plain"/>, which is as long as the body and apart from it. False where the tag is wrong.</summary>
    /// <param name="place">Where it stood among the packets that the cipher looked ahead at last; below 0 where it did not.</param>
    bool TryOpen(uint ssrc, ulong index, ReadOnlySpan<byte> header, ReadOnlySpan<byte> body, uint word, ReadOnlySpan<byte> tag, Span<byte> plain, int place);
}
