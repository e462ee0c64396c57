using System.Text;
using SipNat.Sip.Digest;
using SipNat.Sip.Messages;

namespace SipNat.Tests.Sip.Digest;

public sealed class DigestChallengeTests
{
    [Theory]
    [InlineData("Digest realm=\"atlanta.com\", domain=\"sip:ss1.carrier.com\", qop=\"auth\", nonce=\"f84f1cec41e6cbe5aea9c8e88d359\", opaque=\"\", stale=FALSE, algorithm=MD5", "atlanta.com|f84f1cec41e6cbe5aea9c8e88d359|opaque=|Md5!|Auth")] // RFC 3261 §20.44
    [InlineData("digest\tREALM = \"a\" ,NONCE=n,Algorithm=\"sha-512-256\",QOP=auth,STALE=\"True\",UserHash=TRUE", "a|n|Sha512T256!|Auth|stale|userhash")]
    [InlineData("Digest realm=\"a \\\"b\\\" \\\\, c\",nonce=\" n \"", "a \"b\" \\, c| n |Md5|Legacy")]
    [InlineData("Digest realm=\"\",nonce=\"n\",qop=\"\",algorithm=SHA-256-sess", "|n|Sha256Session!|Legacy")]
    [InlineData("Digest realm=\"a\",nonce=\"n\",qop=\"auth-int\",algorithm=AKAv1-MD5", "a|n|!|Other")]
    [InlineData("Digest realm=\"a\",nonce=\"n\",qop=auth,auth-int,x=y=z,opaque=\"o\"", "a|n|opaque=o|Md5|Auth")]
    [InlineData("Digest realm=\"a\",realm=\"b\",nonce=\"n\",,nonce=\"m\"", "a|n|Md5|Legacy")]
    [InlineData("Digest realm=\"a\r\n b\",nonce=\"n\"", "a b|n|Md5|Legacy")]
    [InlineData("Basic realm=\"w\", Digest realm=\"a\", nonce=\"1\", algorithm=SHA-256, Digest realm=\"a\", nonce=\"2\", Bearer realm=\"v\", nonce=\"3\"", "a|1|Sha256!|Legacy", "a|2|Md5|Legacy")]
    [InlineData("NTLM TlRMTVNTUAAB==, Digest realm=\"a\", nonce=\"1\", Negotiate", "a|1|Md5|Legacy")]
    [InlineData("Digest realm=\"a\"")]
    [InlineData("Digest realm=\"a\", nonce=\"\"")]
    [InlineData("Digest nonce=\"n\"")]
    [InlineData("Digest realm=a\"b\", nonce=\"n\"")]
    [InlineData("Digest realm=\"a, nonce=\"n\"")]
    [InlineData("Digest")]
    [InlineData("realm=\"a\", nonce=\"n\"")]
    [InlineData("Basic realm=\"a\", nonce=\"n\"")]
    public void Challenges_are_read(string line, params string[] expected) =>
        Assert.Equal(expected, DigestChallenge.Read(Encoding.UTF8.GetBytes(line), isProxy: false).Select(Text));

    [Fact]
    public void Text_that_could_not_be_sent_back_is_no_challenge()
    {
        Assert.Empty(DigestChallenge.Read("Digest realm=\"\xE9\", nonce=\"n\"".Select(c => (byte)c).ToArray(), isProxy: false));
        foreach (var name in (string[])["realm", "nonce", "opaque"])
        {
            Assert.Single(Read(DigestChallenge.MaxTextLength));
            Assert.Empty(Read(DigestChallenge.MaxTextLength + 1));

            IReadOnlyList<DigestChallenge> Read(int length) => DigestChallenge.Read(
                Encoding.UTF8.GetBytes($"Digest {name}={new string('x', length)}, realm=\"a\", nonce=\"n\""), isProxy: false);
        }
    }

    [Fact]
    public void Every_header_line_counts_and_those_of_proxies_are_told_apart()
    {
        var response = Wired.Store("""
            SIP/2.0 401 Unauthorized
            Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1
            From: <sip:a@example>;tag=1
            To: <sip:a@example>;tag=2
            Call-ID: 1
            CSeq: 1 REGISTER
            Proxy-Authenticate: Digest realm="p", nonce="3"
            WWW-Authenticate: Digest realm="a", nonce="1", algorithm=SHA-256
            www-authenticate: Digest realm="a", nonce="2"
            """);

        var challenges = DigestChallenge.ReadAll(response.View);

        Assert.Equal(["a|1|Sha256!|Legacy", "a|2|Md5|Legacy", "p|3|Md5|Legacy"], challenges.Select(Text));
        Assert.Equal([false, false, true], challenges.Select(static challenge => challenge.IsProxy));
    }

    [Fact]
    public void A_flood_of_challenges_is_read_up_to_its_cap()
    {
        var lines = string.Concat(Enumerable.Range(0, 100).Select(static i => $"WWW-Authenticate: Digest realm=\"r{i}\", nonce=\"n\", Digest realm=\"s{i}\", nonce=\"n\"\r\n"));
        var response = Wired.Store($"SIP/2.0 401 No\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: 1\r\nCSeq: 1 REGISTER\r\n{lines}\r\n");

        Assert.Equal(16, DigestChallenge.ReadAll(response.View).Count);
    }

    [Fact]
    public void Every_beginning_of_a_challenge_is_read_or_is_none()
    {
        var line = "Digest realm=\"atlanta\\\" com\", qop=\"auth,auth-int\", nonce=\"f84f1cec\", opaque=\"\", stale=FALSE, algorithm=SHA-256, Digest realm=\"b\", nonce=\"c\""u8.ToArray();
        for (var length = 0; length < line.Length; length++)
        {
            Assert.All(DigestChallenge.Read(line.AsSpan(0, length), isProxy: true), static challenge => Assert.True(challenge.Nonce.Length > 0));
        }
    }

    [Fact]
    public void No_algorithm_has_two_names()
    {
        foreach (var algorithm in Enum.GetValues<DigestAlgorithm>()) Assert.Equal(algorithm, DigestAlgorithms.Find(algorithm.Name.ToUpperInvariant()));

        Assert.Null(DigestAlgorithms.Find("SHA-1"));
    }

    [Fact]
    public void A_password_is_printed_nowhere()
    {
        var credentials = new DigestCredentials("bob", "zanzibar");

        Assert.Equal("bob", credentials.ToString());
        Assert.DoesNotContain("zanzibar", System.Text.Json.JsonSerializer.Serialize(credentials), StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(static () => new DigestCredentials("b\nob", ""));
        Assert.Throws<ArgumentException>(static () => new DigestCredentials("", ""));
    }

    private static string Text(DigestChallenge challenge) => string.Join('|', (string?[])
    [
        challenge.Realm,
        challenge.Nonce,
        .. challenge.Opaque is { } opaque ? [$"opaque={opaque}"] : Array.Empty<string>(),
        $"{challenge.Algorithm}{(challenge.HasAlgorithm ? "!" : "")}",
        $"{challenge.Protection}",
        .. challenge.IsStale ? ["stale"] : Array.Empty<string>(),
        .. challenge.WantsUserHash ? ["userhash"] : Array.Empty<string>(),
    ]);
}
