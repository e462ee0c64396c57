using System.Text;
using SipNat.Endpoint.Tracing;

namespace SipNat.Tests.Endpoint.Tracing;

public sealed class SecretMaskTests
{
    [Theory]
    [InlineData( // RFC 3261 §22.4
        "Authorization: Digest username=\"bob\", realm=\"biloxi.com\", nonce=\"dcd98b\", uri=\"sip:bob@biloxi.com\", qop=auth, nc=00000001, cnonce=\"0a4f113b\", response=\"6629fae4\", opaque=\"5ccc069c\"",
        "Authorization: Digest username=\"bob\", realm=\"biloxi.com\", nonce=\"dcd98b\", uri=\"sip:bob@biloxi.com\", qop=auth, nc=00000001, cnonce=\"********\", response=\"********\", opaque=\"5ccc069c\"")]
    [InlineData("Proxy-Authorization : Digest\r\n response = \"66\\\"29\"\r\n\t, realm=\"a\"", "Proxy-Authorization : Digest\r\n response = \"******\"\r\n\t, realm=\"a\"")]
    [InlineData("AUTHORIZATION: digest response=6629, secret", "AUTHORIZATION: digest response=****, ******")]
    [InlineData("Authorization: Digest realm=\"open, response=\"6629\"", "Authorization: Digest realm=\"open, response=\"*****")]
    [InlineData("Authorization: Basic Ym9iOnpvbw==", "Authorization: Basic ************")]
    [InlineData("Authorization: Bearer\r\n eyJh", "Authorization: Bearer\r\n*****")]
    [InlineData("Authentication-Info: nextnonce=\"47364c\", rspauth=\"6629fae4\", cnonce=\"0a4f\"", "Authentication-Info: nextnonce=\"47364c\", rspauth=\"********\", cnonce=\"****\"")]
    [InlineData("From: <sip:alice:zanzibar@atlanta.com>;tag=1, <SIPS:bob:x@b>", "From: <sip:alice:********@atlanta.com>;tag=1, <SIPS:bob:*@b>")]
    [InlineData("To: <sip:alice@atlanta.com:5060>, <sip:atlanta.com:5060;lr>", "To: <sip:alice@atlanta.com:5060>, <sip:atlanta.com:5060;lr>")]
    [InlineData("WWW-Authenticate: Digest realm=\"a\", nonce=\"b\"", "WWW-Authenticate: Digest realm=\"a\", nonce=\"b\"")]
    public void What_proves_somebody_is_overwritten_in_headers(string header, string masked) =>
        Assert.Equal(Message(masked), Mask(Message(header)));

    [Theory]
    [InlineData("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3|2^20|1:4", "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:****************|2^20|1:4")]
    [InlineData("a=crypto:1 X INLINE:abc;inline:def KDR=1", "a=crypto:1 X INLINE:***;inline:*** KDR=1")]
    [InlineData("a=ice-pwd:asd88fgpdd777uzjYhagZg", "a=ice-pwd:**********************")]
    [InlineData("a=key-mgmt:mikey AQAFgM0XflABAAAA", "a=key-mgmt:**********************")]
    [InlineData("k=clear:open sesame", "k=*****************")]
    [InlineData("a=ice-ufrag:8hhY", "a=ice-ufrag:8hhY")]
    public void Keys_of_session_descriptions_are_overwritten(string line, string masked) =>
        Assert.Equal(Message("Content-Type: application/sdp", $"v=0\r\n{masked}\r\n"), Mask(Message("Content-Type: application/sdp", $"v=0\r\n{line}\r\n")));

    [Theory]
    [InlineData("Content-Type: application/dtmf-relay", "Signal=5\r\nDuration=160\r\n", "Signal=*\r\nDuration=***\r\n")]
    [InlineData("c: application/dtmf", "5", "*")]
    [InlineData("Content-Encoding: gzip", "\u001f\bsecret", "********")]
    [InlineData("Content-Type: text/plain", "Hello, sip:x@y", "Hello, sip:x@y")]
    public void Digits_and_what_cannot_be_read_are_overwritten_in_bodies(string header, string body, string masked) =>
        Assert.Equal(Message($"{header}\r\nAuthorization: Basic ****", masked), Mask(Message($"{header}\r\nAuthorization: Basic abcd", body)));

    [Fact]
    public void A_part_that_is_encoded_is_overwritten_to_the_end_of_the_message()
    {
        const string Multipart = "--b\r\nContent-Type: application/sdp\r\nContent-Transfer-Encoding: base64\r\n\r\ndj0wDQo=\r\n--b--\r\n";

        Assert.Equal(
            Message("Content-Type: multipart/mixed;boundary=b", "--b\r\nContent-Type: application/sdp\r\nContent-Transfer-Encoding: base64\r\n\r\n********\r\n*****\r\n"),
            Mask(Message("Content-Type: multipart/mixed;boundary=b", Multipart)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("\r\n\r\n")]
    [InlineData("Authorization:")]
    [InlineData("Authorization: Digest")]
    [InlineData("Authorization: Digest ,,=,=\"")]
    [InlineData("inline:")]
    [InlineData("sip:a:")]
    public void What_is_no_message_keeps_its_length(string text) => Assert.Equal(text.Length, Mask(text).Length);

    private static string Message(string header, string body = "") =>
        $"REGISTER sip:registrar.biloxi.com SIP/2.0\r\n{header}\r\nCall-ID: 843817637684230\r\n\r\n{body}";

    private static string Mask(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        SecretMask.Mask(bytes);
        return Encoding.UTF8.GetString(bytes);
    }
}
