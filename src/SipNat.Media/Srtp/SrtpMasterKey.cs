using System.Security.Cryptography;

namespace SipNat.Media.Srtp;

/// <summary>A master key with its salt, and the identifier by which packets name it (MKI, RFC 3711 §3.2.1).</summary>
public sealed class SrtpMasterKey
{
    /// <summary>The longest identifier in bytes (RFC 4568 §6.1).</summary>
    public const int MaxMkiLength = 128;

    private readonly byte[] _keyAndSalt;
    private readonly byte[] _mki;

    /// <param name="keyAndSalt">Key and salt in one, <see cref="SrtpProfile.MasterLength"/> bytes.</param>
    /// <param name="mki">Empty where packets name no key.</param>
    public SrtpMasterKey(SrtpProfile profile, ReadOnlySpan<byte> keyAndSalt, ReadOnlySpan<byte> mki = default)
    {
        if (keyAndSalt.Length != profile.MasterLength) throw new ArgumentException($"{profile.Name} takes {profile.MasterLength} bytes.", nameof(keyAndSalt));
        if (mki.Length > MaxMkiLength) throw new ArgumentException($"An identifier has at most {MaxMkiLength} bytes.", nameof(mki));

        (Profile, _keyAndSalt, _mki) = (profile, keyAndSalt.ToArray(), mki.ToArray());
    }

    public SrtpProfile Profile { get; }

    public ReadOnlySpan<byte> Mki => _mki;

    internal ReadOnlySpan<byte> Key => _keyAndSalt.AsSpan(0, Profile.KeyLength);

    internal ReadOnlySpan<byte> Salt => _keyAndSalt.AsSpan(Profile.KeyLength);

    /// <summary>A key of our own.</summary>
    /// <param name="random">In production one that cannot be guessed.</param>
    public static SrtpMasterKey Draw(SrtpProfile profile, Random random)
    {
        Span<byte> bytes = stackalloc byte[profile.MasterLength];
        random.NextBytes(bytes);
        SrtpMasterKey key = new(profile, bytes);
        CryptographicOperations.ZeroMemory(bytes);
        return key;
    }

    /// <summary>The same suite, key, salt and identifier.</summary>
    public bool IsSameAs(SrtpMasterKey? other) =>
        other is not null && Profile == other.Profile && Mki.SequenceEqual(other.Mki)
        && CryptographicOperations.FixedTimeEquals(_keyAndSalt, other._keyAndSalt);

    /// <summary>Key and salt as a session description has them (RFC 4568 §6.1), for that purpose alone.</summary>
    public string ToBase64() => Convert.ToBase64String(_keyAndSalt);

    /// <summary>The suite. The key is in no text that is meant for people.</summary>
    public override string ToString() => Profile.Name;
}
