using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;

namespace SipNat.Sip.Digest;

/// <summary>
/// Hash algorithms of digest authentication, the weakest first (RFC 7616 §6.1, RFC 8760 §2.1). Those of a session hash the
/// password with the first nonce once, and not with each (RFC 7616 §3.4.2).
/// </summary>
public enum DigestAlgorithm
{
    /// <summary>Kept for servers that know nothing else (RFC 8760 §2.1).</summary>
    Md5,
    Md5Session,
    Sha256,
    Sha256Session,
    Sha512T256,
    Sha512T256Session,
}

public static class DigestAlgorithms
{
    extension(DigestAlgorithm algorithm)
    {
        /// <summary>The value of the <c>algorithm</c> parameter.</summary>
        public string Name => algorithm switch
        {
            DigestAlgorithm.Md5 => "MD5",
            DigestAlgorithm.Md5Session => "MD5-sess",
            DigestAlgorithm.Sha256 => "SHA-256",
            DigestAlgorithm.Sha256Session => "SHA-256-sess",
            DigestAlgorithm.Sha512T256 => "SHA-512-256",
            DigestAlgorithm.Sha512T256Session => "SHA-512-256-sess",
            _ => throw new UnreachableException(),
        };

        public bool IsSession => algorithm is DigestAlgorithm.Md5Session or DigestAlgorithm.Sha256Session or DigestAlgorithm.Sha512T256Session;

        /// <summary>Broken as a hash; in digest authentication not yet, but passwords are guessed fastest with it.</summary>
        public bool IsMd5 => algorithm is DigestAlgorithm.Md5 or DigestAlgorithm.Md5Session;

        /// <summary>0–2; the same with and without a session.</summary>
        public int Strength => (int)algorithm / 2;

        /// <summary>H(data) of RFC 7616 §3.3 in lower-case hexadecimal digits; the text is taken as UTF-8.</summary>
        public string Hash(string text)
        {
            var data = Encoding.UTF8.GetBytes(text);
            return Convert.ToHexStringLower(algorithm.Strength switch
            {
                0 => MD5.HashData(data),
                1 => SHA256.HashData(data),
                _ => Sha512T256.HashData(data),
            });
        }
    }

    /// <summary>The algorithm of a name in any case; null for one that is not known.</summary>
    public static DigestAlgorithm? Find(string name)
    {
        foreach (var algorithm in Enum.GetValues<DigestAlgorithm>())
        {
            if (name.Equals(algorithm.Name, StringComparison.OrdinalIgnoreCase)) return algorithm;
        }

        return null;
    }
}
