using SipNat.Media.Srtp;

namespace SipNat.Tests.Media.Srtp;

/// <summary>The vectors of the RFCs, below the packets.</summary>
public sealed class SrtpVectorTests
{
    private const string CounterStart = "f0f1f2f3f4f5f6f7f8f9fafbfcfd0000";
    private const string GcmSalt = "517569642070726f2071756f";
    private const string GcmKey128 = "000102030405060708090a0b0c0d0e0f";
    private const string GcmKey256 = GcmKey128 + "101112131415161718191a1b1c1d1e1f";
    private const string Rtp = "8040f17b8041f8d35501a0b2" + "47616c6c696120657374206f6d6e69732064697669736120696e207061727465732074726573";
    private const string Rtcp = "81c8000d4d617273" + "4e5450314e545032525450200000042a0000e9304c756e61deadbeefdeadbeefdeadbeefdeadbeefdeadbeef";

    [Theory]
    [InlineData("2b7e151628aed2a6abf7158809cf4f3c", "e03ead0935c95e80e166b16dd92b4eb4" + "d23513162b02d0f72a43a2fe4a5f97ab" + "41e95b3bb0a2e8dd477901e4fca894c0")] // RFC 3711 B.2
    [InlineData("57f82fe3613fd170a85ec93c40b1f0922ec4cb0dc025b58272147cc438944a98", "92bdd28a93c3f52511c677d08b5515a4" + "9da71b2378a854f67050756ded165bac" + "63c4868b7096d88421b563b8c94c9a31")] // RFC 6188 §7.1
    public void Counter_mode_makes_the_stream_of_the_rfc(string key, string stream)
    {
        Assert.All(Enum.GetValues<SrtpArithmetic>(), arithmetic =>
        {
            using AesCounter aes = new(Hex(key), arithmetic);
            var made = new byte[stream.Length / 2];

            aes.Apply(Hex(CounterStart), made, made);

            Assert.Equal(stream, Text(made));
        });
    }

    [Theory]
    [InlineData("2b7e151628aed2a6abf7158809cf4f3c", 0xFEFF, "ec8cdf7398607cb0f2d21675ea9ea1e4")]
    [InlineData("2b7e151628aed2a6abf7158809cf4f3c", 0xFF00, "362b7c3c6773516318a077d7fc5073ae")]
    [InlineData("2b7e151628aed2a6abf7158809cf4f3c", 0xFF01, "6a2cc3787889374fbeb4c81b17ba6c44")]
    public void Later_blocks_of_the_stream_are_those_of_the_rfc(string key, int block, string stream) // RFC 3711 B.2
    {
        Assert.All(Enum.GetValues<SrtpArithmetic>(), arithmetic =>
        {
            using AesCounter aes = new(Hex(key), arithmetic);
            var made = new byte[(block + 1) * AesCounter.BlockLength];

            aes.Apply(Hex(CounterStart), made, made);

            Assert.Equal(stream, Text(made.AsSpan(block * AesCounter.BlockLength)));
        });
    }

    [Theory] // FIPS 197, appendix C
    [InlineData("000102030405060708090a0b0c0d0e0f", "69c4e0d86a7b0430d8cdb78070b4c55a")]
    [InlineData("000102030405060708090a0b0c0d0e0f1011121314151617", "dda97ca4864cdfe06eaf70a0ec0d7191")]
    [InlineData("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", "8ea2b7ca516745bfeafc49904b496089")]
    public void A_block_is_encrypted_as_the_standard_does(string key, string encrypted) => Assert.All(Enum.GetValues<SrtpArithmetic>(), arithmetic =>
    {
        using AesCounter aes = new(Hex(key), arithmetic);
        var made = new byte[AesCounter.BlockLength];

        aes.Apply(Hex("00112233445566778899aabbccddeeff"), made, made);

        Assert.Equal(encrypted, Text(made));
    });

    // One side by the processor, the other by the library, block for block: every length, and a counter that overflows.
    [Theory]
    [InlineData(16)]
    [InlineData(24)]
    [InlineData(32)]
    public void Both_ways_of_counting_make_the_same_stream(int keyLength)
    {
        Random random = new(keyLength);
        var (key, first) = (new byte[keyLength], new byte[AesCounter.BlockLength]);
        for (var length = 0; length < 700; length++)
        {
            random.NextBytes(key);
            random.NextBytes(first);
            if (length % 3 == 0) first.AsSpan(12).Fill(0xFF);
            var (text, expected, made) = (new byte[length], new byte[length], new byte[length]);
            random.NextBytes(text);
            using AesCounter library = new(key, SrtpArithmetic.Library);
            using AesCounter processor = new(key, SrtpArithmetic.Processor);

            library.Apply(first, text, expected);
            processor.Apply(first, text, made);

            Assert.Equal(Text(expected), Text(made));
        }
    }

    [Theory]
    [InlineData("e1f97a0d3e018be0d64fa32c06de4139", "0ec675ad498afeebb6960b3aabe6", 0, "c61e7a93744f39ee10734afe3ff7a087")] // RFC 3711 B.3
    [InlineData("e1f97a0d3e018be0d64fa32c06de4139", "0ec675ad498afeebb6960b3aabe6", 2, "30cbbc08863d8c85d49db34a9ae1")]
    [InlineData("e1f97a0d3e018be0d64fa32c06de4139", "0ec675ad498afeebb6960b3aabe6", 1, "cebe321f6ff7716b6fd4ab49af256a156d38baa48f0a0acf3c34e2359e6cdbcee049646c43d9327ad175578ef72270986371c10c9a369ac2f94a8c5fbcdddc256d6e919a48b610ef17c2041e474035766b68642c59bbfc2f34db60dbdfb2")]
    [InlineData("f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b6", "3b04803de51ee7c96423ab5b78d2", 0, "5ba1064e30ec51613cad926c5a28ef731ec7fb397f70a960653caf06554cd8c4")] // RFC 6188 §7.2
    [InlineData("f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b6", "3b04803de51ee7c96423ab5b78d2", 2, "fa31791685ca444a9e07c6c64e93")]
    [InlineData("f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b6", "3b04803de51ee7c96423ab5b78d2", 1, "fd9c32d39ed5fbb5a9dc96b30818454d1313dc05")]
    [InlineData("73edc66c4fa15776fb57f9505c17136550ffda71f3e8e5f1", "c8522f3acd4ce86d5add78edbb11", 0, "31874736a8f1143870c26e4857d8a5b2c4a354407faadabb")] // RFC 6188 §7.4
    [InlineData("73edc66c4fa15776fb57f9505c17136550ffda71f3e8e5f1", "c8522f3acd4ce86d5add78edbb11", 2, "2372b82d639b6d8503a47adc0a6c")]
    [InlineData("73edc66c4fa15776fb57f9505c17136550ffda71f3e8e5f1", "c8522f3acd4ce86d5add78edbb11", 1, "355b10973cd95b9eacf4061c7e1a7151e7cfbfcb")]
    public void Session_keys_are_those_of_the_rfcs(string key, string salt, int label, string expected)
    {
        Assert.All(Enum.GetValues<SrtpArithmetic>(), arithmetic =>
        {
            using SrtpKeyDerivation keys = new(Hex(key), Hex(salt), arithmetic);
            var derived = new byte[expected.Length / 2];

            keys.Derive((SrtpKeyLabel)((label + 1) % 3), new byte[40]); // one key says nothing of the next
            keys.Derive((SrtpKeyLabel)label, derived);

            Assert.Equal(expected, Text(derived));
        });
    }

    [Theory]
    [InlineData(GcmKey128, "f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833", "899d7f27beb16a9152cf765ee4390cce")] // §16.1
    [InlineData(GcmKey256, "32b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f1ba63799b87b", "7aa3db36dfffd6b0f9bb7878d7a76c13")] // §16.2
    public void Gcm_protects_rtp_as_the_rfc_does(string key, string body, string tag) =>
        CheckGcm(key, isControl: false, Rtp, header: 12, 0x5501A0B2, 0xF17B, word: 0, body, tag);

    [Theory]
    [InlineData(GcmKey128, "63e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce09b4686303ded0bb9275b", "c84aa45896cf4d2fc5abf87245d9eade")] // §17.1
    [InlineData(GcmKey256, "d50ae4d1f5ce5d304ba297e47d470c282c3ece5dbffe0a50a2eaa5c1110555be8415f658c61de0476f1b6fad", "1d1eb30c4446839f57ff6f6cb26ac3be")] // §17.2
    public void Gcm_protects_rtcp_as_the_rfc_does(string key, string body, string tag) =>
        CheckGcm(key, isControl: true, Rtcp, header: 8, 0x4D617273, 0x5D4, word: 0x800005D4, body, tag);

    private static void CheckGcm(string key, bool isControl, string packet, int header, uint ssrc, ulong index, uint word, string body, string tag)
    {
        Assert.All(Enum.GetValues<SrtpArithmetic>(), arithmetic =>
        {
            using GcmCipher cipher = new(Hex(key), Hex(GcmSalt), isControl, arithmetic);
            var whole = Hex(packet);
            var (text, made) = (whole[header..], new byte[16]);

            cipher.Seal(ssrc, index, whole.AsSpan(0, header), text, word, made);
            var plain = new byte[text.Length];
            var opened = cipher.TryOpen(ssrc, index, whole.AsSpan(0, header), text, word, made, plain, place: -1);
            var forged = cipher.TryOpen(ssrc, index + 1, whole.AsSpan(0, header), text, word, made, new byte[text.Length], place: -1);

            Assert.Equal((body, tag), (Text(text), Text(made)));
            Assert.True(opened);
            Assert.Equal(packet[(2 * header)..], Text(plain));
            Assert.False(forged);
        });
    }

    private static byte[] Hex(string text) => Convert.FromHexString(text);

    private static string Text(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(bytes);
}
