using System.Text;
using SipNat.Fuzz.Engine;
using SipNat.Sip.Sdp;

namespace SipNat.Fuzz.Targets;

/// <summary>The value of one <c>a=crypto</c> line.</summary>
internal sealed class SdpCryptoTarget : IFuzzTarget
{
    private const string Key = "PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR";

    public string Name => "sdp-crypto";

    public string Promise => "lists are capped; an identifier and a lifetime have the lengths of RFC 4568; a key is in no text; what is written again is read again";

    public int MaxLength => 4096;

    public IReadOnlyList<byte[]> Tokens { get; } =
        [.. new[] { "inline:", Key, "|2^20", "|2^48", "|1:4", "|4294967296:4", "|1:128", ";inline:", " KDR=0", " WSH=128", " -x", " UNENCRYPTED_SRTCP", "AES_CM_128_HMAC_SHA1_80", "=", "==" }.Select(Encoding.ASCII.GetBytes)];

    public IEnumerable<byte[]> Seeds(Corpus corpus) =>
        new[]
        {
            $"1 AES_CM_128_HMAC_SHA1_80 inline:{Key}",
            $"2 AES_CM_128_HMAC_SHA1_32 inline:{Key}|2^20|1:32 KDR=0 WSH=64",
            $"1 AES_CM_128_HMAC_SHA1_80 inline:{Key}|2^20|1:4;inline:{Key}|2^20|2:4 FEC_ORDER=FEC_SRTP",
            $"999999999 AEAD_AES_128_GCM inline:{Key}|71680",
            "1 AES_256_CM_HMAC_SHA1_80 uri:x",
        }.Select(Encoding.ASCII.GetBytes);

    public long AllowedBytes(int inputLength) => (64 * 1024) + (64L * inputLength);

    public int Run(ReadOnlySpan<byte> input)
    {
        if (!SdpCryptoReader.TryRead(Encoding.UTF8.GetString(input), out var crypto, out var defect))
        {
            Invariant.Holds(defect is not SdpCryptoDefect.None, "What cannot be read has a defect.");
            return (int)defect;
        }

        Invariant.Holds(crypto.Keys.Count is > 0 and <= SdpCryptoReader.MaxKeys, "Keys are capped.");
        Invariant.Holds(crypto.SessionParameters.Count <= SdpCryptoReader.MaxSessionParameters, "Session parameters are capped.");
        foreach (var key in crypto.Keys) Check(crypto, key);

        var line = SdpCrypto.Write(crypto.Tag, crypto.Suite, Convert.ToBase64String(crypto.Keys[0].KeyAndSalt.Span));
        Invariant.Holds(SdpCryptoReader.TryRead(line.Value, out var again, out _), "What is written is read.");
        Invariant.Holds((again!.Tag, again.Suite) == (crypto.Tag, crypto.Suite), "Tag and suite stay as they were written.");
        Invariant.Holds(again.Keys[0].KeyAndSalt.Span.SequenceEqual(crypto.Keys[0].KeyAndSalt.Span), "A key stays what it was.");
        return HashCode.Combine(crypto.Keys.Count, crypto.SessionParameters.Count, crypto.IsAcceptable);
    }

    private static void Check(SdpCrypto crypto, SdpCryptoKey key)
    {
        Invariant.Holds(key.KeyAndSalt.Length > 0, "A key is not empty.");
        Invariant.Holds(key.Lifetime is null or (> 0 and <= 1UL << 48), "A key protects 2^48 packets at most.");
        Invariant.Holds(key.Mki.Length <= SdpCryptoReader.MaxMkiLength, "An identifier is capped.");
        var text = Convert.ToBase64String(key.KeyAndSalt.Span);
        Invariant.Holds(text.Length < 8 || !$"{crypto}{key}".Contains(text, StringComparison.Ordinal), "A key is in no text.");
    }
}
