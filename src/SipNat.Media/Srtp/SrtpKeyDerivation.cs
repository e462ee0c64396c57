namespace SipNat.Media.Srtp;

/// <summary>
/// The session keys that a master key makes (RFC 3711 §4.3, RFC 6188 §3, RFC 7714 §11). They are derived once: the key
/// derivation rate is 0.
/// </summary>
internal sealed class SrtpKeyDerivation : IDisposable
{
    /// <summary>The key of HMAC-SHA1 (RFC 3711 §8.2).</summary>
    public const int AuthenticationKeyLength = 20;

    // The label stands over the last 7 bytes of the salt's 14: the packet index below it is 0 at this rate.
    private const int LabelPlace = 7;

    private readonly AesCounter _prf;
    private readonly byte[] _salt = new byte[AesCounter.BlockLength];

    /// <param name="key">Master key: its length chooses AES-128, AES-192 or AES-256.</param>
    /// <param name="salt">Master salt; one that is shorter than 14 bytes has zeros after it (RFC 7714 §11).</param>
    public SrtpKeyDerivation(ReadOnlySpan<byte> key, ReadOnlySpan<byte> salt, SrtpArithmetic arithmetic)
    {
        _prf = new(key, arithmetic);
        salt.CopyTo(_salt);
    }

    /// <summary>Fills <paramref name="derived"/>.</summary>
    public void Derive(SrtpKeyLabel label, Span<byte> derived)
    {
        _salt[LabelPlace] ^= (byte)label;
        derived.Clear();
        _prf.Apply(_salt, derived, derived);
        _salt[LabelPlace] ^= (byte)label;
    }

    public void Dispose()
    {
        _prf.Dispose();
        _salt.AsSpan().Clear();
    }
}

/// <summary>What a derived key is for (RFC 3711 §4.3.1, §4.3.2).</summary>
internal enum SrtpKeyLabel : byte
{
    RtpEncryption = 0,
    RtpAuthentication = 1,
    RtpSalt = 2,
    RtcpEncryption = 3,
    RtcpAuthentication = 4,
    RtcpSalt = 5,
}
