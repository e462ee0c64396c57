using SipNat.Sip.Sdp;

namespace SipNat.Tests.Sip.Sdp;

public sealed class SdpCryptoReaderTests
{
    // The keys of RFC 4568 §4.1 and §6.1.
    private const string Key = "PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR";
    private const string OtherKey = "YUJDZGVmZ2hpSktMbW9QUXJzVHVWd3l6MTIzNDU2";

    [Fact]
    public void Every_part_of_a_line_is_read() // RFC 4568 §6.1
    {
        var crypto = Read($"1 AES_CM_128_HMAC_SHA1_80 inline:{Key}|2^20|1:4;inline:{OtherKey}|71680|258:4 KDR=0 -extra");

        Assert.Equal(("1", "AES_CM_128_HMAC_SHA1_80"), (crypto.Tag, crypto.Suite));
        Assert.Equal(
            [(Key, 1UL << 20, "00000001"), (OtherKey, 71680UL, "00000102")],
            crypto.Keys.Select(k => (Convert.ToBase64String(k.KeyAndSalt.Span), k.Lifetime!.Value, Convert.ToHexString(k.Mki.Span))));
        Assert.Equal(["KDR=0", "-extra"], crypto.SessionParameters);
    }

    [Theory]
    [InlineData("1 S inline:QUJD", "414243", null, "")]
    [InlineData("000000001 S inline:QUI=", "4142", null, "")]
    [InlineData("1 S inline:QUI", "4142", null, "")] // without padding
    [InlineData("1  S\tinline:QUJD|2^48", "414243", 1L << 48, "")]
    [InlineData("1 S inline:QUJD|1:1", "414243", null, "01")]
    [InlineData("1 S INLINE:QUJD||1:1", null, null, null)]
    [InlineData("1 S INLINE:QUJD|4|0:2", "414243", 4L, "0000")]
    public void What_may_be_left_out_may_be(string line, string? key, long? lifetime, string? mki)
    {
        Assert.Equal(key is not null, SdpCryptoReader.TryRead(line, out var crypto, out _));
        if (crypto is not null) Assert.Equal((key, (ulong?)lifetime, mki), (Convert.ToHexString(crypto.Keys[0].KeyAndSalt.Span), crypto.Keys[0].Lifetime, Convert.ToHexString(crypto.Keys[0].Mki.Span)));
    }

    [Theory]
    [InlineData(null, SdpCryptoDefect.MalformedTag)]
    [InlineData("", SdpCryptoDefect.MalformedTag)]
    [InlineData("x S inline:QUJD", SdpCryptoDefect.MalformedTag)]
    [InlineData("1234567890 S inline:QUJD", SdpCryptoDefect.MalformedTag)]
    [InlineData("-1 S inline:QUJD", SdpCryptoDefect.MalformedTag)]
    [InlineData("1", SdpCryptoDefect.MalformedSuite)]
    [InlineData("1 AES;CM inline:QUJD", SdpCryptoDefect.MalformedSuite)]
    [InlineData("1 S", SdpCryptoDefect.NoKey)]
    [InlineData("1 S uri:QUJD", SdpCryptoDefect.UnknownKeyMethod)]
    [InlineData("1 S inline:QUJD;", SdpCryptoDefect.UnknownKeyMethod)]
    [InlineData("1 S inline:", SdpCryptoDefect.MalformedKey)]
    [InlineData("1 S inline:Q", SdpCryptoDefect.MalformedKey)]
    [InlineData("1 S inline:QU===", SdpCryptoDefect.MalformedKey)]
    [InlineData("1 S inline:QU%D", SdpCryptoDefect.MalformedKey)]
    [InlineData("1 S inline:QUJD|0", SdpCryptoDefect.MalformedLifetime)]
    [InlineData("1 S inline:QUJD|2^49", SdpCryptoDefect.MalformedLifetime)]
    [InlineData("1 S inline:QUJD|281474976710657", SdpCryptoDefect.MalformedLifetime)]
    [InlineData("1 S inline:QUJD|", SdpCryptoDefect.MalformedLifetime)]
    [InlineData("1 S inline:QUJD|+5", SdpCryptoDefect.MalformedLifetime)]
    [InlineData("1 S inline:QUJD|1:0", SdpCryptoDefect.MalformedMki)]
    [InlineData("1 S inline:QUJD|1:129", SdpCryptoDefect.MalformedMki)]
    [InlineData("1 S inline:QUJD|256:1", SdpCryptoDefect.MalformedMki)]
    [InlineData("1 S inline:QUJD|:1", SdpCryptoDefect.MalformedMki)]
    [InlineData("1 S inline:QUJD|4|5", SdpCryptoDefect.MalformedMki)]
    [InlineData("1 S inline:QUJD|4|1:1|x", SdpCryptoDefect.MalformedMki)]
    [InlineData("1 S inline:QUJD;inline:QUJE", SdpCryptoDefect.MalformedMki)] // which of them a packet has, nothing says
    [InlineData("1 S inline:QUJD|1:1;inline:QUJE|2:2", SdpCryptoDefect.MalformedMki)]
    [InlineData("1 S inline:QUJD a b c d e f g h i j k l m n o p q", SdpCryptoDefect.TooManySessionParameters)]
    public void What_cannot_be_read_is_told_by_its_defect(string? line, SdpCryptoDefect expected)
    {
        Assert.False(SdpCryptoReader.TryRead(line, out _, out var defect));
        Assert.Equal(expected, defect);
    }

    [Fact]
    public void Lists_and_lengths_are_bounded()
    {
        var keys = Enumerable.Range(1, 9).Select(i => $"inline:QUJD|{i}:1").ToList();

        Assert.True(SdpCryptoReader.TryRead($"1 S {string.Join(';', keys.Take(8))}", out _, out _));
        Assert.False(SdpCryptoReader.TryRead($"1 S {string.Join(';', keys)}", out _, out var tooMany));
        Assert.False(SdpCryptoReader.TryRead($"1 S inline:{new string('A', 2048)}", out _, out var tooLong));
        Assert.Equal((SdpCryptoDefect.TooManyKeys, SdpCryptoDefect.TooLong), (tooMany, tooLong));
    }

    [Theory]
    [InlineData("", true)]
    [InlineData("KDR=0 WSH=64 -anything", true)]
    [InlineData("KDR=1", false)]
    [InlineData("UNENCRYPTED_SRTP", false)]
    [InlineData("UNENCRYPTED_SRTCP", false)]
    [InlineData("UNAUTHENTICATED_SRTP", false)]
    [InlineData("FEC_ORDER=FEC_SRTP", false)]
    [InlineData("FEC_KEY=inline:QUJD", false)]
    [InlineData("anything", false)]
    public void Session_parameters_that_would_weaken_or_change_packets_are_not_acceptable(string parameters, bool acceptable) => // RFC 4568 §6.3
        Assert.Equal(acceptable, Read($"1 S inline:QUJD {parameters}").IsAcceptable);

    [Fact]
    public void A_line_is_written_as_it_is_read_and_a_key_is_in_no_text()
    {
        var line = SdpCrypto.Write("7", "AES_CM_128_HMAC_SHA1_80", Key);
        var crypto = Read(line.Value!);

        Assert.Equal($"7 AES_CM_128_HMAC_SHA1_80 inline:{Key}", line.Value);
        Assert.Equal("7 AES_CM_128_HMAC_SHA1_80", $"{crypto}");
        Assert.Equal("SdpAttribute { Name = crypto, Value = (masked) }", $"{line}");
        Assert.Equal("SdpAttribute { Name = label, Value = 1 }", $"{new SdpAttribute("label", "1")}");
    }

    private static SdpCrypto Read(string line)
    {
        Assert.True(SdpCryptoReader.TryRead(line, out var crypto, out var defect), $"{defect}");
        return crypto;
    }
}
