using System.Security.Cryptography;
using System.Text;
using SipNat.Traversal.Stun;
using SipNat.Wire;

namespace SipNat.Tests.Traversal.Stun;

public sealed class StunCredentialTests
{
    private const string User = "user";
    private const string Password = "pass";
    private const string Realm = "realm";
    private static readonly byte[] Md5Key = MD5.HashData("user:realm:pass"u8);
    private static readonly byte[] Sha256Key = SHA256.HashData("user:realm:pass"u8);

    // gAAA: algorithms; QAAA: anonymity; wAAA: both (RFC 8489 §9.2, bit 0 is the leftmost).
    [Theory]
    [InlineData("obMatJos2gAAA/rest", true, StunSecurityFeatures.PasswordAlgorithms)]
    [InlineData("obMatJos2QAAA", true, StunSecurityFeatures.UsernameAnonymity)]
    [InlineData("obMatJos2wAAA", true, StunSecurityFeatures.PasswordAlgorithms | StunSecurityFeatures.UsernameAnonymity)]
    [InlineData("obMatJos2AAAA", true, StunSecurityFeatures.None)]
    [InlineData("obMatJos2AAA", false, StunSecurityFeatures.None)]
    [InlineData("obMatJos2AA=A", false, StunSecurityFeatures.None)]
    [InlineData("obMatJos1gAAA", false, StunSecurityFeatures.None)]
    [InlineData("", false, StunSecurityFeatures.None)]
    public void A_nonce_tells_its_features_by_its_cookie(string nonce, bool isCookie, StunSecurityFeatures features)
    {
        Assert.Equal((isCookie, features), (StunNonceCookie.TryRead(Encoding.ASCII.GetBytes(nonce), out var read), read));
        if (!isCookie) return;

        var written = new byte[StunNonceCookie.Length];
        StunNonceCookie.Write(written, features);
        Assert.Equal(nonce[..StunNonceCookie.Length], Encoding.ASCII.GetString(written));
    }

    [Fact]
    public void The_nonce_of_the_sha256_vector_has_a_cookie() // RFC 8489 Appendix B.1; its bits are of those not yet assigned
    {
        StunMessage.TryRead(StunVectors.Load(StunVectors.Sha256), out var message, out _);
        message.TryGet(StunAttributeType.Nonce, out var nonce);

        Assert.True(StunNonceCookie.TryRead(nonce, out var features));
        Assert.Equal(2, (int)features);
    }

    [Fact]
    public void The_request_of_the_long_term_vector_is_made_from_its_challenge() // RFC 5769 §2.4
    {
        var credential = new StunLongTermCredential(new(StunVectors.LongTermUsername, StunVectors.LongTermPassword));
        var vector = StunVectors.Load(StunVectors.LongTerm);
        StunMessage.TryRead(vector, out var wanted, out _);
        wanted.TryGet(StunAttributeType.Nonce, out var nonce);
        Challenge(credential, 401, Encoding.ASCII.GetString(nonce), StunVectors.Realm);

        var writer = new StunWriter(new byte[1024], StunClass.Request, StunMethod.Binding, wanted.TransactionId);
        credential.Write(ref writer);

        // The vector has the nonce in front of the realm; the attributes are the same.
        StunMessage.TryRead(writer.Written, out var made, out _);
        Assert.Equal(vector.Length, writer.Length);
        foreach (var attribute in wanted.Attributes)
        {
            Assert.True(made.TryGet(attribute.Type, out var value));
            if (attribute.Type is not StunAttributeType.MessageIntegrity) Assert.Equal(attribute.Value, value);
        }

        Assert.True(StunIntegrity.IsValid(made, MD5.HashData(Encoding.UTF8.GetBytes($"{StunVectors.LongTermUsername}:{StunVectors.Realm}:{StunVectors.LongTermPassword}"))));
    }

    [Fact]
    public void Nothing_is_added_before_a_challenge()
    {
        var writer = new StunWriter(new byte[64], StunClass.Request, StunMethod.Allocate, default);
        new StunLongTermCredential(new(User, Password)).Write(ref writer);

        Assert.Equal(StunMessage.HeaderLength, writer.Length);
    }

    [Theory]
    [InlineData("nonce", null, "Username Realm Nonce MessageIntegrity")]
    [InlineData("obMatJos2gAAA", "00020000", "Username Realm Nonce PasswordAlgorithms PasswordAlgorithm MessageIntegritySha256")]
    [InlineData("obMatJos2wAAA", "0002000000010000", "UserHash Realm Nonce PasswordAlgorithms PasswordAlgorithm MessageIntegritySha256")]
    [InlineData("obMatJos2gAAA", "00010000", "Username Realm Nonce PasswordAlgorithms PasswordAlgorithm MessageIntegritySha256")]
    [InlineData("obMatJos2QAAA", null, "UserHash Realm Nonce MessageIntegrity")]
    public void A_challenge_decides_what_a_request_carries(string nonce, string? algorithms, string expected) // RFC 8489 §9.2.5
    {
        var credential = new StunLongTermCredential(new(User, Password));
        Assert.Equal(StunVerdict.Retry, Challenge(credential, 401, nonce, Realm, algorithms));

        var request = Request(credential);

        StunMessage.TryRead(request, out var message, out _);
        var types = new List<string>();
        foreach (var attribute in message.Attributes) types.Add(attribute.Type.ToString());
        Assert.Equal(expected, string.Join(' ', types));
        if (algorithms is null) Assert.True(StunIntegrity.IsValid(message, Md5Key));
        else Assert.True(StunIntegrity.IsValidSha256(message, algorithms.StartsWith("0002", StringComparison.Ordinal) ? Sha256Key : Md5Key));
    }

    [Fact]
    public void A_cookie_that_promises_algorithms_without_them_is_no_challenge_and_no_answer() // RFC 8489 §9.2.5
    {
        var credential = new StunLongTermCredential(new(User, Password));

        Assert.Equal(StunVerdict.Discard, Challenge(credential, 401, "obMatJos2gAAA", Realm));
        Assert.Equal(StunVerdict.Discard, Challenge(credential, 400, "obMatJos2gAAA", Realm));
        Assert.False(credential.HasChallenge);
    }

    [Fact]
    public void Algorithms_of_which_none_is_known_end_the_request() => Assert.Equal(
        StunVerdict.Refuse,
        Challenge(new(new(User, Password)), 401, "obMatJos2gAAA", Realm, "7FFF000400000000"));

    [Fact]
    public void An_unknown_algorithm_with_parameters_is_passed_over()
    {
        Assert.True(StunPasswordAlgorithms.TryChoose(Convert.FromHexString("7FFF0003AABBCC0000020000"), out var algorithm));
        Assert.Equal(StunPasswordAlgorithm.Sha256, algorithm);
    }

    [Fact]
    public void A_challenge_does_not_lead_back_from_sha256_to_sha1()
    {
        var credential = new StunLongTermCredential(new(User, Password));
        Challenge(credential, 401, "obMatJos2gAAA1", Realm, "00020000");

        Assert.Equal(StunVerdict.Discard, Challenge(credential, 438, "plain", Realm, wasAuthenticated: true));
        Assert.Equal(StunVerdict.Retry, Challenge(credential, 438, "obMatJos2gAAA2", Realm, "00020000", wasAuthenticated: true));

        // A response that is protected by HMAC-SHA1 alone does not count either.
        Assert.Equal(StunVerdict.Discard, Judge(credential, static (ref writer) => writer.AddIntegrity(Sha256Key)));
        Assert.Equal(StunVerdict.Accept, Judge(credential, static (ref writer) => writer.AddIntegritySha256(Sha256Key)));
    }

    [Fact]
    public void The_same_realm_twice_means_wrong_credentials_and_another_one_does_not()
    {
        var credential = new StunLongTermCredential(new(User, Password));
        Challenge(credential, 401, "1", Realm);

        Assert.Equal(StunVerdict.Refuse, Challenge(credential, 401, "2", Realm, wasAuthenticated: true));
        Assert.Equal(StunVerdict.Retry, Challenge(credential, 401, "3", "elsewhere", wasAuthenticated: true));
    }

    [Fact]
    public void A_stale_nonce_is_replaced_and_its_realm_kept()
    {
        var credential = new StunLongTermCredential(new(User, Password));
        Challenge(credential, 401, "old", Realm);

        Assert.Equal(StunVerdict.Retry, Challenge(credential, 438, "new", "forged", wasAuthenticated: true));

        StunMessage.TryRead(Request(credential), out var message, out _);
        message.TryGet(StunAttributeType.Realm, out var realm);
        message.TryGet(StunAttributeType.Nonce, out var nonce);
        Assert.Equal((Realm, "new"), (Encoding.ASCII.GetString(realm), Encoding.ASCII.GetString(nonce)));
    }

    [Fact]
    public void Answers_to_authenticated_requests_count_only_with_integrity()
    {
        var credential = new StunLongTermCredential(new(User, Password));
        Assert.Equal(StunVerdict.Accept, Judge(credential, static (ref _) => { }, wasAuthenticated: false));
        Challenge(credential, 401, "nonce", Realm);

        Assert.Equal(StunVerdict.Discard, Judge(credential, static (ref _) => { }));
        Assert.Equal(StunVerdict.Discard, Judge(credential, static (ref writer) => writer.AddIntegrity([1])));
        Assert.Equal(StunVerdict.Accept, Judge(credential, static (ref writer) => writer.AddIntegrity(Md5Key)));
    }

    [Fact]
    public void Texts_that_are_too_long_are_no_challenge()
    {
        var credential = new StunLongTermCredential(new(User, Password));

        Assert.Equal(StunVerdict.Discard, Challenge(credential, 401, new('n', 764), Realm));
        Assert.Equal(StunVerdict.Discard, Challenge(credential, 401, "nonce", new('r', 764)));
        Assert.Equal(StunVerdict.Retry, Challenge(credential, 401, new('n', 763), new('r', 763)));
    }

    [Fact]
    public void A_short_term_client_begins_with_both_integrities_and_stays_with_the_one_that_is_answered() // RFC 8489 §9.1.5
    {
        var credential = new StunShortTermCredential(new(User, Password));
        Assert.Equal("Username MessageIntegrity MessageIntegritySha256", Types(credential));

        Assert.Equal(StunVerdict.Discard, JudgeShort(credential, static (ref _) => { }));
        Assert.Equal(StunVerdict.Discard, JudgeShort(credential, static (ref writer) => writer.AddIntegritySha256("wrong"u8)));
        Assert.Equal(StunVerdict.Accept, JudgeShort(credential, static (ref writer) => writer.AddIntegritySha256("pass"u8)));
        Assert.Equal("Username MessageIntegritySha256", Types(credential));
        Assert.Equal(StunVerdict.Discard, JudgeShort(credential, static (ref writer) => writer.AddIntegrity("pass"u8)));
    }

    [Fact]
    public void An_agreed_integrity_is_the_only_one() =>
        Assert.Equal("Username MessageIntegrity", Types(new(new(User, Password), StunIntegrityKind.Sha1)));

    // Computed with: printf '1700003600:alice' | openssl dgst -sha1 -hmac secret -binary | base64
    [Fact]
    public void Time_limited_credentials_are_an_expiry_and_its_hmac()
    {
        var wall = DateTimeOffset.FromUnixTimeSeconds(1_700_000_000);
        var credentials = StunCredentials.TimeLimited("secret", "alice", wall, TimeSpan.FromHours(1));

        Assert.Equal(("1700003600:alice", "LLPLO4qjdVL2qZhwr3eImhn7J20="), (credentials.Username, credentials.Password));
        Assert.Equal("1700003600", StunCredentials.TimeLimited("secret", "", wall, TimeSpan.FromHours(1)).Username);
        Assert.DoesNotContain(credentials.Password, credentials.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void At_most_three_alternate_servers_are_followed_and_none_twice() // RFC 8489 §10
    {
        var redirection = new StunRedirection(TransportAddress.Parse("198.51.100.1:3478"));

        Assert.True(Follow(redirection, "198.51.100.2:3478"));
        Assert.False(Follow(redirection, "198.51.100.1:3478"));
        Assert.False(Follow(redirection, "[2001:db8::1]:3478"));
        Assert.False(Follow(redirection, "198.51.100.9:0"));
        Assert.False(Follow(redirection, "127.0.0.1:3478"));
        Assert.False(Follow(redirection, "224.0.0.1:3478"));
        Assert.True(Follow(redirection, "198.51.100.3:3478"));
        Assert.True(Follow(redirection, "198.51.100.4:3478"));
        Assert.False(Follow(redirection, "198.51.100.5:3478"));
        Assert.Equal(TransportAddress.Parse("198.51.100.4:3478"), redirection.Server);
    }

    [Theory]
    [InlineData("other.example", "other.example")]
    [InlineData("", null)]
    [InlineData("other example", null)]
    [InlineData("other.example\0", null)]
    public void The_name_of_an_alternate_server_may_be_another_one(string told, string? expected) // RFC 8489 §14.16
    {
        var redirection = new StunRedirection(TransportAddress.Parse("198.51.100.1:5349"));

        Assert.True(Follow(redirection, "198.51.100.2:5349", told));

        Assert.Equal(expected, redirection.Domain);
        Assert.True(Follow(redirection, "198.51.100.3:5349"));
        Assert.Equal(expected, redirection.Domain);
        redirection.Reset();
        Assert.Null(redirection.Domain);
    }

    [Fact]
    public void Unknown_attributes_are_named_once_each_in_a_420() // RFC 8489 §14.13
    {
        StunMessage.TryRead(
            Convert.FromHexString("000100142112A442000000000000000000000000" + "7FFE0000" + "7FFF0000" + "7FFE0000" + "FFFF0000" + "00060000"),
            out var request,
            out _);
        var writer = new StunWriter(new byte[128], StunClass.Error, StunMethod.Binding, default);

        StunUnknownAttributes.Write(ref writer, request);

        Assert.EndsWith("000A00047FFE7FFF", Convert.ToHexString(writer.Written), StringComparison.Ordinal);
        StunMessage.TryRead(writer.Written, out var response, out _);
        Assert.True(response.TryGetErrorCode(out var code, out _));
        var types = new StunAttributeType[8];
        Assert.Equal((420, 2), (code, StunUnknownAttributes.Read(response, types)));
        Assert.Equal([(StunAttributeType)0x7FFE, (StunAttributeType)0x7FFF], types[..2]);
    }

    private delegate void Ending(ref StunWriter writer);

    private static StunVerdict Challenge(
        StunLongTermCredential credential, int code, string nonce, string realm, string? algorithms = null, bool wasAuthenticated = false)
    {
        var writer = new StunWriter(new byte[2048], StunClass.Error, StunMethod.Allocate, default);
        writer.AddErrorCode(code, "");
        writer.AddText(StunAttributeType.Realm, realm);
        writer.AddText(StunAttributeType.Nonce, nonce);
        if (algorithms is not null) writer.Add(StunAttributeType.PasswordAlgorithms, Convert.FromHexString(algorithms));
        StunMessage.TryRead(writer.Written, out var message, out _);
        return credential.Judge(message, wasAuthenticated);
    }

    private static StunVerdict Judge(StunLongTermCredential credential, Ending end, bool wasAuthenticated = true)
    {
        var writer = new StunWriter(new byte[256], StunClass.Success, StunMethod.Allocate, default);
        end(ref writer);
        StunMessage.TryRead(writer.Written, out var message, out _);
        return credential.Judge(message, wasAuthenticated);
    }

    private static StunVerdict JudgeShort(StunShortTermCredential credential, Ending end)
    {
        var writer = new StunWriter(new byte[256], StunClass.Success, StunMethod.Binding, default);
        end(ref writer);
        StunMessage.TryRead(writer.Written, out var message, out _);
        return credential.Judge(message);
    }

    private static byte[] Request(StunLongTermCredential credential)
    {
        var writer = new StunWriter(new byte[2048], StunClass.Request, StunMethod.Allocate, default);
        credential.Write(ref writer);
        return writer.Written.ToArray();
    }

    private static string Types(StunShortTermCredential credential)
    {
        var writer = new StunWriter(new byte[256], StunClass.Request, StunMethod.Binding, default);
        credential.Write(ref writer);
        StunMessage.TryRead(writer.Written, out var message, out _);
        var types = new List<string>();
        foreach (var attribute in message.Attributes) types.Add(attribute.Type.ToString());
        return string.Join(' ', types);
    }

    private static bool Follow(StunRedirection redirection, string server, string? domain = null)
    {
        var writer = new StunWriter(new byte[128], StunClass.Error, StunMethod.Allocate, default);
        writer.AddAddress(StunAttributeType.AlternateServer, TransportAddress.Parse(server));
        if (domain is not null) writer.Add(StunAttributeType.AlternateDomain, Encoding.ASCII.GetBytes(domain));
        StunMessage.TryRead(writer.Written, out var message, out _);
        return redirection.TryFollow(message);
    }
}
