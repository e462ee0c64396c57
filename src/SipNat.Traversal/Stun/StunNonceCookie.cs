using System.Buffers;
using System.Buffers.Text;

namespace SipNat.Traversal.Stun;

/// <summary>
/// The beginning of a NONCE by which a server of RFC 8489 says what it can do (§9.2): "obMatJos2" and 24 bits in base64.
/// A man in the middle who takes a feature away has to change the nonce with it, which the server then refuses.
/// </summary>
public static class StunNonceCookie
{
    /// <summary>Bytes: nine characters and four of base64.</summary>
    public const int Length = 13;

    private const int FeatureBytes = 3;

    private static ReadOnlySpan<byte> Prefix => "obMatJos2"u8;

    /// <summary>Reads the features; false where the nonce has no cookie, as with servers of RFC 5389.</summary>
    public static bool TryRead(ReadOnlySpan<byte> nonce, out StunSecurityFeatures features)
    {
        features = StunSecurityFeatures.None;
        if (nonce.Length < Length || !nonce.StartsWith(Prefix)) return false;

        Span<byte> bits = stackalloc byte[FeatureBytes];
        var status = Base64.DecodeFromUtf8(nonce[Prefix.Length..Length], bits, out _, out var written);
        if (status is not OperationStatus.Done || written != FeatureBytes) return false;

        features = (StunSecurityFeatures)((bits[0] << 16) | (bits[1] << 8) | bits[2]);
        return true;
    }

    /// <summary>Writes the cookie into the first <see cref="Length"/> bytes of a nonce.</summary>
    public static void Write(Span<byte> nonce, StunSecurityFeatures features)
    {
        var value = (int)features;
        Span<byte> bits = [(byte)(value >> 16), (byte)(value >> 8), (byte)value];
        Prefix.CopyTo(nonce);
        Base64.EncodeToUtf8(bits, nonce[Prefix.Length..Length], out _, out _);
    }
}

/// <summary>The STUN security features, bit 0 being the leftmost of 24 (RFC 8489 §18.1).</summary>
[Flags]
public enum StunSecurityFeatures
{
    None = 0,

    /// <summary>Bit 0: PASSWORD-ALGORITHMS stands beside this nonce.</summary>
    PasswordAlgorithms = 1 << 23,

    /// <summary>Bit 1: USERHASH is to be sent in place of USERNAME.</summary>
    UsernameAnonymity = 1 << 22,
}
