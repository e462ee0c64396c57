namespace SipNat.Media.Srtp;

/// <summary>A crypto suite: how packets are encrypted and authenticated, and how long its keys and tags are, in bytes.</summary>
/// <param name="Name">As the IANA registry of SRTP crypto suites has it.</param>
/// <param name="KeyLength">Of the master key and of the encryption keys: 16, 24 or 32.</param>
/// <param name="SaltLength">Of the master salt and of the session salts: 14, or 12 with GCM (RFC 7714 §12).</param>
/// <param name="TagLength">What authenticates an RTP packet.</param>
/// <param name="ControlTagLength">What authenticates an RTCP packet, which is never the short one (RFC 4568 §6.2.2).</param>
/// <param name="IsAead">AES-GCM; else AES in counter mode with HMAC-SHA1.</param>
public sealed record SrtpProfile(string Name, int KeyLength, int SaltLength, int TagLength, int ControlTagLength, bool IsAead)
{
    private const int CounterModeSalt = 14;
    private const int GcmSalt = 12;
    private const int LongTag = 10;
    private const int ShortTag = 4;
    private const int GcmTag = 16;

    /// <summary>RFC 4568 §6.2.1.</summary>
    public static readonly SrtpProfile AesCm128HmacSha1Tag80 = CounterMode("AES_CM_128_HMAC_SHA1_80", 16, LongTag);

    /// <summary>RFC 4568 §6.2.2.</summary>
    public static readonly SrtpProfile AesCm128HmacSha1Tag32 = CounterMode("AES_CM_128_HMAC_SHA1_32", 16, ShortTag);

    /// <summary>RFC 6188 §4.</summary>
    public static readonly SrtpProfile Aes192CmHmacSha1Tag80 = CounterMode("AES_192_CM_HMAC_SHA1_80", 24, LongTag);

    /// <summary>RFC 6188 §4.</summary>
    public static readonly SrtpProfile Aes192CmHmacSha1Tag32 = CounterMode("AES_192_CM_HMAC_SHA1_32", 24, ShortTag);

    /// <summary>RFC 6188 §4.</summary>
    public static readonly SrtpProfile Aes256CmHmacSha1Tag80 = CounterMode("AES_256_CM_HMAC_SHA1_80", 32, LongTag);

    /// <summary>RFC 6188 §4.</summary>
    public static readonly SrtpProfile Aes256CmHmacSha1Tag32 = CounterMode("AES_256_CM_HMAC_SHA1_32", 32, ShortTag);

    /// <summary>RFC 7714 §12.</summary>
    public static readonly SrtpProfile AeadAes128Gcm = new("AEAD_AES_128_GCM", 16, GcmSalt, GcmTag, GcmTag, IsAead: true);

    /// <summary>RFC 7714 §12.</summary>
    public static readonly SrtpProfile AeadAes256Gcm = new("AEAD_AES_256_GCM", 32, GcmSalt, GcmTag, GcmTag, IsAead: true);

    /// <summary>Every profile.</summary>
    public static IReadOnlyList<SrtpProfile> All { get; } =
    [
        AesCm128HmacSha1Tag80, AesCm128HmacSha1Tag32,
        Aes192CmHmacSha1Tag80, Aes192CmHmacSha1Tag32, Aes256CmHmacSha1Tag80, Aes256CmHmacSha1Tag32,
        AeadAes128Gcm, AeadAes256Gcm,
    ];

    /// <summary>Bytes of master key and master salt together, which is what a session description carries.</summary>
    public int MasterLength => KeyLength + SaltLength;

    public override string ToString() => Name;

    private static SrtpProfile CounterMode(string name, int key, int tag) => new(name, key, CounterModeSalt, tag, LongTag, IsAead: false);
}
