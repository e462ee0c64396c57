using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using SipNat.Sip.Digest;
using SipNat.Sip.Messages;

namespace SipNat.Tests.Sip.Digest;

public sealed partial class DigestSessionTests
{
    private const string Uri = "sip:registrar.example";

    private DigestSession _session = new(new("bob", "zanzibar"), allowsMd5: true, new Random(1));

    [Fact]
    public void A_challenge_is_answered_and_later_requests_carry_the_next_count_unasked()
    {
        Assert.Empty(_session.Authorize(SipMethod.Register, Uri));
        Assert.Equal(DigestDefect.None, Challenge([], "WWW: Digest realm=\"a\", nonce=\"n1\", qop=\"auth\", opaque=\"x\\\\y\", algorithm=SHA-256"));

        var first = Assert.Single(_session.Authorize(SipMethod.Register, Uri));
        var second = Assert.Single(_session.Authorize(SipMethod.Invite, "sip:alice@example"));

        Assert.Equal("Authorization", first.Name);
        Assert.EndsWith($"algorithm=SHA-256, cnonce=\"{Of(first, "cnonce")}\", opaque=\"x\\\\y\", qop=auth, nc=00000001", first.Value, StringComparison.Ordinal);
        Assert.Equal("00000002", Of(second, "nc"));
        Assert.Equal("sip:alice@example", Of(second, "uri"));
        Assert.True(IsRight(first, "REGISTER") && IsRight(second, "INVITE"));
        Assert.Matches("^[0-9a-f]{16}$", Of(first, "cnonce"));
    }

    [Fact]
    public void The_strongest_algorithm_is_taken_whatever_the_order()
    {
        Challenge(
            [],
            "WWW: Digest realm=\"a\", nonce=\"1\", algorithm=MD5",
            "WWW: Digest realm=\"a\", nonce=\"2\", algorithm=SHA-512-256",
            "WWW: Digest realm=\"a\", nonce=\"3\", algorithm=SHA-256",
            "WWW: Digest realm=\"a\", nonce=\"4\", algorithm=SHA-999",
            "WWW: Digest realm=\"a\", nonce=\"5\", algorithm=SHA-512-256-sess");

        var field = Assert.Single(_session.Authorize(SipMethod.Register, Uri));

        Assert.Equal(("2", "SHA-512-256"), (Of(field, "nonce"), Of(field, "algorithm")));
    }

    [Theory]
    [InlineData(DigestDefect.NoChallenge)]
    [InlineData(DigestDefect.NoChallenge, "WWW: Basic realm=\"a\"")]
    [InlineData(DigestDefect.UnsupportedAlgorithm, "WWW: Digest realm=\"a\", nonce=\"n\", algorithm=SHA-1")]
    [InlineData(DigestDefect.Md5NotAllowed, "WWW: Digest realm=\"a\", nonce=\"n\"")]
    [InlineData(DigestDefect.Md5NotAllowed, "WWW: Digest realm=\"a\", nonce=\"n\", algorithm=MD5-sess, qop=auth")]
    [InlineData(DigestDefect.UnsupportedProtection, "WWW: Digest realm=\"a\", nonce=\"n\", qop=\"auth-int\", algorithm=SHA-256")]
    [InlineData(DigestDefect.OtherRealm, "WWW: Digest realm=\"A\", nonce=\"n\", algorithm=SHA-256")]
    [InlineData(DigestDefect.None, "WWW: Digest realm=\"b\", nonce=\"n\"", "Proxy: Digest realm=\"a\", nonce=\"n\", algorithm=SHA-256")]
    public void What_cannot_be_answered_is_told(DigestDefect expected, params string[] challenges)
    {
        _session = new(new("bob", "zanzibar", "a"), allowsMd5: false, new Random(1));

        Assert.Equal(expected, Challenge([], challenges));
        Assert.Equal(expected is DigestDefect.None, _session.HasChallenge);
        Assert.NotEmpty(expected.Explain());
    }

    [Fact]
    public void A_wrong_password_is_told_after_the_same_nonce_once_and_after_other_nonces_twice()
    {
        Challenge([], "WWW: Digest realm=\"a\", nonce=\"n\"");
        Assert.Equal(DigestDefect.Refused, Challenge(Register(), "WWW: Digest realm=\"a\", nonce=\"n\""));
        Assert.False(_session.HasChallenge);

        Assert.Equal(DigestDefect.None, Challenge(Register(), "WWW: Digest realm=\"a\", nonce=\"n1\""));
        Assert.Equal(DigestDefect.None, Challenge(Register(), "WWW: Digest realm=\"a\", nonce=\"n2\""));
        Assert.Equal(DigestDefect.Refused, Challenge(Register(), "WWW: Digest realm=\"a\", nonce=\"n3\""));
    }

    [Fact]
    public void A_stale_nonce_says_nothing_against_the_password_unless_each_is_stale()
    {
        Challenge([], "WWW: Digest realm=\"a\", nonce=\"0\"");
        for (var i = 1; i <= 4; i++) Assert.Equal(DigestDefect.None, Challenge(Register(), $"WWW: Digest realm=\"a\", nonce=\"{i}\", stale=true"));

        Assert.Equal("4", Of(_session.Authorize(SipMethod.Register, Uri)[0], "nonce"));
        Assert.Equal(DigestDefect.AlwaysStale, Challenge(Register(), "WWW: Digest realm=\"a\", nonce=\"5\", stale=true"));
    }

    [Fact]
    public void A_nonce_that_was_right_once_is_only_old_when_it_is_refused()
    {
        Challenge([], "WWW: Digest realm=\"a\", nonce=\"0\", qop=auth");
        for (var i = 1; i <= 10; i++)
        {
            Answer(200, Register());
            Assert.Equal(DigestDefect.None, Challenge(Register(), $"WWW: Digest realm=\"a\", nonce=\"{i}\", qop=auth"));
        }

        // The password was changed at the server.
        Assert.Equal(DigestDefect.None, Challenge(Register(), "WWW: Digest realm=\"a\", nonce=\"11\", qop=auth"));
        Assert.Equal(DigestDefect.Refused, Challenge(Register(), "WWW: Digest realm=\"a\", nonce=\"12\", qop=auth"));
    }

    [Theory]
    [InlineData(200, DigestDefect.None)]
    [InlineData(404, DigestDefect.None)]
    [InlineData(486, DigestDefect.None)]
    [InlineData(100, DigestDefect.Refused)]
    [InlineData(403, DigestDefect.Refused)]
    [InlineData(503, DigestDefect.Refused)]
    public void Only_a_response_of_somebody_who_looked_proves_the_password(int status, DigestDefect expected)
    {
        Challenge([], "WWW: Digest realm=\"a\", nonce=\"n\"");
        Answer(status, Register());

        Assert.Equal(expected, Challenge(Register(), "WWW: Digest realm=\"a\", nonce=\"n\""));
    }

    [Fact]
    public void Requests_under_way_with_an_older_nonce_are_no_refusals()
    {
        Challenge([], "WWW: Digest realm=\"a\", nonce=\"0\"");
        var (first, second, third) = (Register(), Register(), Register());

        Assert.Equal(DigestDefect.None, Challenge(first, "WWW: Digest realm=\"a\", nonce=\"1\", stale=true"));
        Assert.Equal(DigestDefect.None, Challenge(second, "WWW: Digest realm=\"a\", nonce=\"2\""));
        Assert.Equal(DigestDefect.None, Challenge(third, "WWW: Digest realm=\"a\", nonce=\"3\""));
        Assert.Equal("3", Of(Register()[0], "nonce"));
    }

    [Fact]
    public void The_count_goes_on_with_its_nonce_and_begins_anew_with_another()
    {
        Challenge([], "WWW: Digest realm=\"a\", nonce=\"n\", qop=auth");
        Answer(200, Register());
        var before = Register()[0];
        Challenge([before], "WWW: Digest realm=\"a\", nonce=\"n\", qop=auth");
        var same = Register()[0];
        Answer(200, [same], "Authentication-Info: nextnonce=\"m\", qop=auth, rspauth=\"x\"");
        var next = Register()[0];

        Assert.Equal(("n", "00000002"), (Of(before, "nonce"), Of(before, "nc")));
        Assert.Equal(("n", "00000003", Of(before, "cnonce")), (Of(same, "nonce"), Of(same, "nc"), Of(same, "cnonce")));
        Assert.Equal(("m", "00000001"), (Of(next, "nonce"), Of(next, "nc")));
        Assert.True(IsRight(same, "REGISTER") && IsRight(next, "REGISTER"));
    }

    [Fact]
    public void The_key_of_a_session_outlives_its_first_nonce() // RFC 7616 §3.4.2
    {
        Challenge([], "WWW: Digest realm=\"a\", nonce=\"n\", qop=auth, algorithm=MD5-sess");
        var first = Register()[0];
        Answer(200, [first], "Authentication-Info: nextnonce=\"m\"");
        var next = Register()[0];

        var key = Md5($"{Md5("bob:a:zanzibar")}:n:{Of(first, "cnonce")}");
        Assert.Equal(Md5($"{key}:n:00000001:{Of(first, "cnonce")}:auth:{Md5($"REGISTER:{Uri}")}"), Of(first, "response"));
        Assert.Equal(Md5($"{key}:m:00000001:{Of(next, "cnonce")}:auth:{Md5($"REGISTER:{Uri}")}"), Of(next, "response"));
    }

    [Fact]
    public void A_proxy_and_a_server_are_answered_each_with_its_field()
    {
        Challenge([], "Proxy: Digest realm=\"p\", nonce=\"1\"");
        Challenge(Register(), "WWW: Digest realm=\"p\", nonce=\"2\"");

        Assert.Equal(["Proxy-Authorization 1", "Authorization 2"], Register().Select(static field => $"{field.Name} {Of(field, "nonce")}"));
    }

    [Fact]
    public void A_server_with_another_realm_each_time_is_left()
    {
        for (var i = 0; i < 4; i++) Assert.Equal(DigestDefect.None, Challenge(Register(), $"WWW: Digest realm=\"r{i}\", nonce=\"n\""));

        Assert.Equal(DigestDefect.TooManyRealms, Challenge(Register(), "WWW: Digest realm=\"r4\", nonce=\"n\""));
        Assert.Equal(DigestDefect.None, Challenge([], "WWW: Digest realm=\"r5\", nonce=\"n\""));
        Assert.Equal(["r1", "r2", "r3", "r5"], Register().Select(static field => Of(field, "realm")));
    }

    private IReadOnlyList<SipHeaderField> Register() => _session.Authorize(SipMethod.Register, Uri);

    private DigestDefect Challenge(IReadOnlyList<SipHeaderField> sent, params string[] challenges) =>
        _session.HandleChallenge(Request(sent), Response(401, [.. challenges.Select(static text => text
            .Replace("WWW:", "WWW-Authenticate:", StringComparison.Ordinal)
            .Replace("Proxy:", "Proxy-Authenticate:", StringComparison.Ordinal))]).View);

    private void Answer(int status, IReadOnlyList<SipHeaderField> sent, params string[] lines) =>
        _session.HandleResponse(Request(sent), Response(status, lines).View);

    private static SipRequest Request(IReadOnlyList<SipHeaderField> sent) => new()
    {
        Method = SipMethod.Register,
        Uri = Uri,
        From = "<sip:bob@example>;tag=1",
        To = "<sip:bob@example>",
        CallId = "1",
        CSeq = 1,
        Headers = [new(SipHeader.Expires, "600"), .. sent],
    };

    private static StoredSipMessage Response(int status, string[] lines) => Wired.Store(string.Join('\n', [
        $"SIP/2.0 {status} Text",
        "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1",
        "From: <sip:bob@example>;tag=1",
        "To: <sip:bob@example>;tag=2",
        "Call-ID: 1",
        "CSeq: 1 REGISTER",
        .. lines]));

    // The server's side, written apart: RFC 7616 §3.4.1 with the framework's hashes.
    private static bool IsRight(SipHeaderField field, string method)
    {
        Func<string, string> hash = field.Value.Contains("SHA-256", StringComparison.Ordinal) ? Sha256 : Md5;
        var key = hash($"bob:{Of(field, "realm")}:zanzibar");
        var subject = hash($"{method}:{Of(field, "uri")}");
        return Of(field, "response") == hash($"{key}:{Of(field, "nonce")}:{Of(field, "nc")}:{Of(field, "cnonce")}:auth:{subject}");
    }

    private static string Md5(string text) => Convert.ToHexStringLower(MD5.HashData(Encoding.UTF8.GetBytes(text)));

    private static string Sha256(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    private static string Of(SipHeaderField field, string name) =>
        Parameter().Matches(field.Value).Where(match => match.Groups["name"].Value == name).Select(static match => match.Groups["value"].Value).Single();

    [GeneratedRegex("""(?<name>\w+)=("(?<value>[^"]*)"|(?<value>[^", ]+))""", RegexOptions.ExplicitCapture)]
    private static partial Regex Parameter();
}
