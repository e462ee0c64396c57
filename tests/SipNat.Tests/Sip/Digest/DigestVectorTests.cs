using SipNat.Sip.Digest;

namespace SipNat.Tests.Sip.Digest;

/// <summary>Whole header values against the examples of the RFCs, with the client nonces that these use.</summary>
public sealed class DigestVectorTests
{
    private const string Bob = "dcd98b7102dd2f0e8b11d0f600bfb0c093";

    [Fact]
    public void The_example_of_RFC_2617_is_met() => Assert.Equal( // §3.5
        "Authorization: Digest username=\"Mufasa\", realm=\"testrealm@host.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", "
        + "uri=\"/dir/index.html\", response=\"6629fae49393a05397450978507c4ef1\", cnonce=\"0a4f113b\", "
        + "opaque=\"5ccc069c403ebaf9f0171e9517f40e41\", qop=auth, nc=00000001",
        Answer(
            "Digest realm=\"testrealm@host.com\", qop=\"auth,auth-int\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"",
            new("Mufasa", "Circle Of Life"),
            "0a4f113b",
            "GET",
            "/dir/index.html"));

    [Theory] // RFC 7616 §3.9.1
    [InlineData("MD5", "8ca523f5e9506fed4657c9700eebdbec")]
    [InlineData("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1")]
    public void The_examples_of_RFC_7616_are_met(string algorithm, string response) => Assert.Equal(
        "Authorization: Digest username=\"Mufasa\", realm=\"http-auth@example.org\", nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", "
        + $"uri=\"/dir/index.html\", response=\"{response}\", algorithm={algorithm}, cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\", "
        + "opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\", qop=auth, nc=00000001",
        Answer(
            $"Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm={algorithm}, nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"",
            new("Mufasa", "Circle of Life"),
            "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
            "GET",
            "/dir/index.html"));

    [Fact]
    public void The_example_with_a_hashed_username_is_met() => Assert.Equal( // RFC 7616 §3.9.2, as its erratum 4897 has it
        "Authorization: Digest username=\"793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b\", realm=\"api@example.org\", "
        + "nonce=\"5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK\", uri=\"/doe.json\", "
        + "response=\"3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5\", algorithm=SHA-512-256, "
        + "cnonce=\"NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v\", opaque=\"HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS\", qop=auth, nc=00000001, userhash=true",
        Answer(
            "Digest realm=\"api@example.org\", qop=\"auth\", algorithm=SHA-512-256, nonce=\"5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK\", opaque=\"HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS\", charset=UTF-8, userhash=true",
            new("J\u00e4s\u00f8n Doe", "Secret, or not?"),
            "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v",
            "GET",
            "/doe.json"));

    [Theory] // draft-smith-sipping-auth-examples-01 §3.1, §3.3, §3.4, and §3.2 for a named algorithm
    [InlineData("", "", "bf57e4e0d0bffc0fbaedce64d59add5e", "")]
    [InlineData(", algorithm=MD5", "", "bf57e4e0d0bffc0fbaedce64d59add5e", ", algorithm=MD5")]
    [InlineData(", algorithm=MD5", ", qop=\"auth,auth-int\"", "89eb0059246c02b2f6ee02c7961d5ea3", ", algorithm=MD5, cnonce=\"0a4f113b\"")]
    [InlineData(", algorithm=MD5-sess", ", qop=auth", "e4e4ea61d186d07a92c9e1f6919902e9", ", algorithm=MD5-sess, cnonce=\"0a4f113b\"")]
    public void The_examples_for_SIP_are_met(string algorithm, string protection, string response, string echoed) => Assert.Equal(
        $"Authorization: Digest username=\"bob\", realm=\"biloxi.com\", nonce=\"{Bob}\", uri=\"sip:bob@biloxi.com\", response=\"{response}\"{echoed}, "
        + $"opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"{(protection.Length > 0 ? ", qop=auth, nc=00000001" : "")}",
        Answer(
            $"Digest realm=\"biloxi.com\"{protection}, nonce=\"{Bob}\", opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"{algorithm}",
            new("bob", "zanzibar"),
            "0a4f113b",
            "INVITE",
            "sip:bob@biloxi.com"));

    private static string Answer(string challenge, DigestCredentials credentials, string clientNonce, string method, string uri)
    {
        var read = Assert.Single(DigestChallenge.Read(System.Text.Encoding.UTF8.GetBytes(challenge), isProxy: false));
        var field = new DigestProtectionSpace(credentials, read, clientNonce).Authorize(method, uri);
        return $"{field.Name}: {field.Value}";
    }
}
