using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Numerics;

namespace SipNat.Sip.Sdp;

/// <summary>
/// Reads the value of an <c>a=crypto</c> attribute (RFC 4568 §9.1): <c>1 AES_CM_128_HMAC_SHA1_80
/// inline:…|2^20|1:4 KDR=0</c>. Strictly: a key that is guessed at is none.
/// </summary>
public static class SdpCryptoReader
{
    /// <summary>Characters of a value.</summary>
    public const int MaxLength = 2048;

    /// <summary>Keys of one line.</summary>
    public const int MaxKeys = 8;

    /// <summary>Session parameters of one line.</summary>
    public const int MaxSessionParameters = 16;

    /// <summary>Bytes of an identifier (RFC 4568 §6.1).</summary>
    public const int MaxMkiLength = 128;

    private const int MaxTagLength = 9;

    // 2^48 packets is what SRTP allows for a key (RFC 3711 §9.2).
    private const int MaxLifetimeExponent = 48;
    private const string Inline = "inline:";

    public static bool TryRead(string? value, [NotNullWhen(true)] out SdpCrypto? crypto, out SdpCryptoDefect defect)
    {
        crypto = null;
        defect = Read(value ?? string.Empty, out var read);
        if (defect is SdpCryptoDefect.None) crypto = read;
        return defect is SdpCryptoDefect.None;
    }

    private static SdpCryptoDefect Read(string value, out SdpCrypto? crypto)
    {
        crypto = null;
        if (value.Length > MaxLength) return SdpCryptoDefect.TooLong;

        var fields = value.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
        if (fields is not [var tag, ..] || tag.Length > MaxTagLength || tag.AsSpan().ContainsAnyExceptInRange('0', '9')) return SdpCryptoDefect.MalformedTag;
        if (fields is not [_, var suite, ..] || !suite.All(c => char.IsAsciiLetterOrDigit(c) || c == '_')) return SdpCryptoDefect.MalformedSuite;
        if (fields is not [_, _, var parameters, .. var session]) return SdpCryptoDefect.NoKey;
        if (session.Length > MaxSessionParameters) return SdpCryptoDefect.TooManySessionParameters;

        var defect = ReadKeys(parameters, out var keys);
        if (defect is SdpCryptoDefect.None) crypto = new(tag, suite, keys, session);
        return defect;
    }

    private static SdpCryptoDefect ReadKeys(string parameters, out List<SdpCryptoKey> keys)
    {
        keys = [];
        foreach (var text in parameters.Split(';'))
        {
            if (keys.Count == MaxKeys) return SdpCryptoDefect.TooManyKeys;
            if (!text.StartsWith(Inline, StringComparison.OrdinalIgnoreCase)) return SdpCryptoDefect.UnknownKeyMethod;

            var defect = ReadKey(text[Inline.Length..], out var key);
            if (defect is not SdpCryptoDefect.None) return defect;

            keys.Add(key!);
        }

        // Where several keys are told, packets have to say which (RFC 4568 §6.1), in the same number of bytes.
        var length = keys[0].Mki.Length;
        return keys.Count > 1 && (length == 0 || keys.Exists(k => k.Mki.Length != length)) ? SdpCryptoDefect.MalformedMki : SdpCryptoDefect.None;
    }

    private static SdpCryptoDefect ReadKey(string text, out SdpCryptoKey? key)
    {
        key = null;
        var fields = text.Split('|');
        if (fields.Length > 3) return SdpCryptoDefect.MalformedMki;
        if (ReadBase64(fields[0]) is not { Length: > 0 } bytes) return SdpCryptoDefect.MalformedKey;

        // Of the two that may follow only the identifier has a colon.
        var mki = fields.Length > 1 && fields[^1].Contains(':', StringComparison.Ordinal) ? fields[^1] : null;
        var lifetime = fields.Length == 3 || (fields.Length == 2 && mki is null) ? fields[1] : null;
        if (fields.Length == 3 && mki is null) return SdpCryptoDefect.MalformedMki;

        ulong? packets = null;
        if (lifetime is not null && (packets = ReadLifetime(lifetime)) is null) return SdpCryptoDefect.MalformedLifetime;

        byte[]? identifier = [];
        if (mki is not null && (identifier = ReadMki(mki)) is null) return SdpCryptoDefect.MalformedMki;

        key = new(bytes, packets, identifier);
        return SdpCryptoDefect.None;
    }

    // Padding is left out by some, which cannot be misunderstood.
    private static byte[]? ReadBase64(string text)
    {
        var bare = text.TrimEnd('=');
        if (text.Length - bare.Length > 2 || bare.Length % 4 == 1) return null;

        var bytes = new byte[bare.Length / 4 * 3 + 3];
        var padded = bare.PadRight((bare.Length + 3) / 4 * 4, '=');
        return Convert.TryFromBase64String(padded, bytes, out var length) ? bytes[..length] : null;
    }

    private static ulong? ReadLifetime(string text)
    {
        var isPower = text.StartsWith("2^", StringComparison.Ordinal);
        if (!ulong.TryParse(isPower ? text.AsSpan(2) : text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)) return null;
        if (isPower) return number <= MaxLifetimeExponent ? 1UL << (int)number : null;

        return number is > 0 and <= 1UL << MaxLifetimeExponent ? number : null;
    }

    // A decimal number, and how many bytes it has in packets.
    private static byte[]? ReadMki(string text)
    {
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        if (!int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var length) || length is 0 or > MaxMkiLength) return null;
        if (!BigInteger.TryParse(text.AsSpan(0, colon), NumberStyles.None, CultureInfo.InvariantCulture, out var number)) return null;

        var bytes = number.ToByteArray(isUnsigned: true, isBigEndian: true);
        return bytes.Length <= length ? [.. new byte[length - bytes.Length], .. bytes] : null;
    }
}
