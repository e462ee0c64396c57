using System.Text;
using SipNat.Sip.Digest;

namespace SipNat.Tests.Sip.Digest;

public sealed class Sha512T256Tests
{
    [Theory] // NIST, Examples with Intermediate Values, SHA512_256.pdf; the CAVP vector of length 0
    [InlineData("", "c672b8d1ef56ed28ab87c3622c5114069bdd3ad7b8f9737498d0c01ecef0967a")]
    [InlineData("abc", "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23")]
    [InlineData(
        "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
        "3928e184fb8690f840da3988121d31be65cb9d3ef83ee6146feac861e19b563a")]
    public void The_examples_of_NIST_are_met(string text, string hash) =>
        Assert.Equal(hash, Convert.ToHexStringLower(Sha512T256.HashData(Encoding.ASCII.GetBytes(text))));

    [Fact]
    public void A_million_letters_are_hashed() => Assert.Equal(
        "9a59a052930187a97038cae692f30708aa6491923ef5194394dc68d56c74fb21",
        Convert.ToHexStringLower(Sha512T256.HashData(Encoding.ASCII.GetBytes(new string('a', 1_000_000)))));

    [Theory] // by openssl dgst -sha512-256: every place where the padding takes another form
    [InlineData(3, "3ebca6ae309ae6ee4154c7500c1773319fad8db1beeabcfb0f33b9544db51069")]
    [InlineData(111, "86cd5320f5792906a1304af8ece50986782be56e57727239ac3c2827d03a22e9")]
    [InlineData(112, "3ca6f01d248bb2a6a2c13dff32318654e0b0fbd20e21ebc6f44df93e384d3b22")]
    [InlineData(127, "e6a744892a022b510a51bf51d40c19dcebc5dfb87222bc98338543c9b5a1fe66")]
    [InlineData(128, "f68a28f2103cf5105d30918354cb2a56a5518ad44e798ae73014a832bf0bb772")]
    [InlineData(129, "1b06652cf73654c3d00acf6feaa60f92f384f4544ccbc6ab2616728c6e46f71d")]
    [InlineData(239, "67110b242c80164d873a85f5c2741e69838ada9dcd810b91c531345152599f13")]
    [InlineData(240, "16def0c05de87f68ab2b893893084a535c1739b86ff5acb271b206b0038d511e")]
    [InlineData(256, "61a9b27327d1e6ffbd5a24551a9731b3456ec9698375624308110adc8b1695dd")]
    public void Every_form_of_the_padding_is_right(int length, string hash)
    {
        var data = Enumerable.Range(0, length).Select(i => (byte)((i * 7) + length)).ToArray();

        Assert.Equal(hash, Convert.ToHexStringLower(Sha512T256.HashData(data)));
    }
}
