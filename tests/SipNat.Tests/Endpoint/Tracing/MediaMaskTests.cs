using System.Text;
using SipNat.Endpoint.Tracing;

namespace SipNat.Tests.Endpoint.Tracing;

public sealed class MediaMaskTests
{
    [Theory]
    [InlineData("8000 0001 00000002 00000003 aabbccdd", 12)]
    [InlineData("8200 0001 00000002 00000003 11111111 22222222 aabbccdd", 20)]
    [InlineData("9000 0001 00000002 00000003 bede0001 10ff0000 aabbccdd", 20)]
    [InlineData("9000 0001 00000002 00000003 bede00ff 10ff0000 aabbccdd", 12)] // an extension that is not there
    [InlineData("81c9 0007 00000001 00000002 00000000 00000000 00000000 00000000 00000000", 32)]
    [InlineData("16fe ff00 00000000 00000000 0004 aabbccdd", 13)] // DTLS
    [InlineData("4000 0010 8000 0001 00000002 00000003 aabbccdd", 16)] // ChannelData
    [InlineData("00", 0)]
    [InlineData("ffffffff", 0)]
    [InlineData("", 0)]
    public void Of_a_datagram_the_headers_are_shown(string hex, int shown) => Assert.Equal(shown, MediaMask.Mask(Bytes(hex)));

    [Fact]
    public void A_check_of_ice_loses_its_integrity_and_keeps_its_names()
    {
        // RFC 5769 §2.1, with the values of MESSAGE-INTEGRITY and FINGERPRINT cleared and computed anew.
        var request = Bytes(
            """
            00010058 2112a442 b7e7a701 bc34d686 fa87dfae 80220010 5354554e 20746573 7420636c 69656e74 00240004 6e0001ff
            80290008 932ff9b1 51263b36 00060009 6576746a 3a683676 59202020 00080014 9aeaa70c bfd8cb56 781ef2b5 b2d3f249 c1b571a2
            80280004 e57a3bcf
            """);

        Assert.Equal(request.Length, MediaMask.Mask(request));
        Assert.Equal(
            Bytes(
                """
                00010058 2112a442 b7e7a701 bc34d686 fa87dfae 80220010 5354554e 20746573 7420636c 69656e74 00240004 6e0001ff
                80290008 932ff9b1 51263b36 00060009 6576746a 3a683676 59202020 00080014 00000000 00000000 00000000 00000000 00000000
                80280004 f29b7d67
                """),
            request);
    }

    [Fact]
    public void The_account_of_a_turn_server_is_overwritten_where_a_realm_stands_beside_it()
    {
        var request = Bytes($"00030024 2112a442 000000000000000000000001 00060008 {Hex("17000:al")} 00140003 {Hex("org")}00 00080000 00070004 {Hex("pass")} 001e0000");

        Assert.Equal(request.Length, MediaMask.Mask(request));
        Assert.Equal(Bytes($"00030024 2112a442 000000000000000000000001 00060008 {Hex("********")} 00140003 {Hex("org")}00 00080000 00070004 00000000 001e0000"), request);
    }

    [Fact]
    public void Audio_in_an_indication_of_a_relay_is_cleared()
    {
        var indication = Bytes("00170018 2112a442 000000000000000000000001 00130014 80000001 00000002 00000003 aabbccdd aabbccdd");

        Assert.Equal(indication.Length, MediaMask.Mask(indication));
        Assert.Equal(Bytes("00170018 2112a442 000000000000000000000001 00130014 80000001 00000002 00000003 00000000 00000000"), indication);
    }

    private static string Hex(string text) => Convert.ToHexString(Encoding.ASCII.GetBytes(text));

    private static byte[] Bytes(string hex) => Convert.FromHexString(string.Concat(hex.Where(c => !char.IsWhiteSpace(c))));
}
