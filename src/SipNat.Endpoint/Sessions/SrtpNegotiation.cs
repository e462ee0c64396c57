using SipNat.Media.Srtp;
using SipNat.Sip.Sdp;

namespace SipNat.Endpoint.Sessions;

/// <summary>SDES in session descriptions (RFC 4568): which suites there are, and what a line says of keys.</summary>
public static class SrtpNegotiation
{
    // As it is written by some for RFC 6188's AES_256_CM and its kin, after the pattern of AES_CM_128. An answer repeats it.
    private static readonly (string Name, SrtpProfile Profile)[] Misspelt =
    [
        ("AES_128_CM_HMAC_SHA1_80", SrtpProfile.AesCm128HmacSha1Tag80),
        ("AES_128_CM_HMAC_SHA1_32", SrtpProfile.AesCm128HmacSha1Tag32),
        ("AES_CM_192_HMAC_SHA1_80", SrtpProfile.Aes192CmHmacSha1Tag80),
        ("AES_CM_192_HMAC_SHA1_32", SrtpProfile.Aes192CmHmacSha1Tag32),
        ("AES_CM_256_HMAC_SHA1_80", SrtpProfile.Aes256CmHmacSha1Tag80),
        ("AES_CM_256_HMAC_SHA1_32", SrtpProfile.Aes256CmHmacSha1Tag32),
    ];

    private static readonly Dictionary<string, SrtpProfile> Profiles = new(
        [.. SrtpProfile.All.Select(p => KeyValuePair.Create(p.Name, p)), .. Misspelt.Select(m => KeyValuePair.Create(m.Name, m.Profile))],
        StringComparer.OrdinalIgnoreCase);

    private static readonly Dictionary<string, int> Lengths = Profiles.ToDictionary(p => p.Key, p => p.Value.MasterLength, StringComparer.OrdinalIgnoreCase);

    /// <summary>What an endpoint takes, with every suite that there is.</summary>
    public static SdpCapabilities With(SdpCapabilities supported, SrtpMode mode) => supported with { Srtp = mode, CryptoSuites = Lengths };

    /// <summary>The profile of a suite that was accepted by <see cref="With"/>.</summary>
    public static SrtpProfile ProfileOf(SdpCrypto crypto) => Profiles[crypto.Suite];

    /// <summary>
    /// The keys of a line that was accepted by <see cref="With"/>. How many packets its sender protects with them is its own
    /// affair: whoever goes on longer is heard all the same.
    /// </summary>
    public static IReadOnlyList<SrtpMasterKey> KeysOf(SdpCrypto crypto)
    {
        var profile = ProfileOf(crypto);
        return [.. crypto.Keys.Select(key => new SrtpMasterKey(profile, key.KeyAndSalt.Span, key.Mki.Span))];
    }
}
