using System.Text;
using SipNat.Traversal.Stun;
using SipNat.Wire;

namespace SipNat.Tests.Traversal.Stun;

public sealed class StunMessageTests
{
    private static readonly StunTransactionId Id = new(0xb7e7a701, 0xbc34d686fa87dfae);

    [Fact]
    public void Request_of_rfc5769_is_read() // RFC 5769 §2.1
    {
        var message = Read(StunVectors.Load(StunVectors.Request));

        Assert.Equal(StunClass.Request, message.Class);
        Assert.Equal(StunMethod.Binding, message.Method);
        Assert.Equal(Id, message.TransactionId);
        Assert.Equal(
            [
                "Software 5354554E207465737420636C69656E74",
                "Priority 6E0001FF",
                "IceControlled 932FF9B151263B36",
                "Username 6576746A3A68367659",
                "MessageIntegrity 9AEAA70CBFD8CB56781EF2B5B2D3F249C1B571A2",
                "Fingerprint E57A3BCF",
            ],
            List(message));
    }

    [Theory]
    [InlineData(StunVectors.IPv4Response, "192.0.2.1:32853")] // RFC 5769 §2.2
    [InlineData(StunVectors.IPv6Response, "[2001:db8:1234:5678:11:2233:4455:6677]:32853")] // RFC 5769 §2.3
    public void Responses_of_rfc5769_are_read(string name, string mapped)
    {
        var message = Read(StunVectors.Load(name));

        Assert.Equal(StunClass.Success, message.Class);
        Assert.Equal(StunMethod.Binding, message.Method);
        Assert.Equal(Id, message.TransactionId);
        Assert.True(message.TryGetMappedAddress(out var address));
        Assert.Equal(TransportAddress.Parse(mapped), address);
        Assert.True(message.TryGet(StunAttributeType.Software, out var software));
        Assert.Equal("test vector", Encoding.UTF8.GetString(software));
        Assert.False(message.HasUnknownRequiredAttribute(out _));
    }

    [Fact]
    public void Long_term_request_of_rfc5769_is_read() // RFC 5769 §2.4
    {
        var message = Read(StunVectors.Load(StunVectors.LongTerm));

        Assert.True(message.TryGet(StunAttributeType.Username, out var username));
        Assert.True(message.TryGet(StunAttributeType.Nonce, out var nonce));
        Assert.True(message.TryGet(StunAttributeType.Realm, out var realm));
        Assert.Equal(StunVectors.LongTermUsername, Encoding.UTF8.GetString(username));
        Assert.Equal("f//499k954d6OL34oL9FSTvy64sA", Encoding.UTF8.GetString(nonce));
        Assert.Equal(StunVectors.Realm, Encoding.UTF8.GetString(realm));
    }

    [Theory]
    [InlineData("", StunDefect.TooShort)]
    [InlineData("000100002112A442B7E7A701BC34D686FA87DF", StunDefect.TooShort)]
    [InlineData("400100002112A442B7E7A701BC34D686FA87DFAE", StunDefect.NotStun)]
    [InlineData("000100002112A443B7E7A701BC34D686FA87DFAE", StunDefect.NotStun)]
    [InlineData("000100042112A442B7E7A701BC34D686FA87DFAE", StunDefect.WrongLength)]
    [InlineData("000100022112A442B7E7A701BC34D686FA87DFAE0000", StunDefect.WrongLength)]
    [InlineData("000100002112A442B7E7A701BC34D686FA87DFAE00000000", StunDefect.WrongLength)]
    [InlineData("000100042112A442B7E7A701BC34D686FA87DFAE80220001", StunDefect.TruncatedAttribute)]
    [InlineData("000100042112A442B7E7A701BC34D686FA87DFAE8022FFFF", StunDefect.TruncatedAttribute)]
    [InlineData("000100042112A442B7E7A701BC34D686FA87DFAE80220000", StunDefect.None)]
    [InlineData("3FFF00002112A442B7E7A701BC34D686FA87DFAE", StunDefect.None)]
    public void Defects_are_told_apart(string hex, StunDefect expected)
    {
        Assert.Equal(expected is StunDefect.None, StunMessage.TryRead(Convert.FromHexString(hex), out _, out var defect));
        Assert.Equal(expected, defect);
    }

    [Theory]
    [InlineData(StunMessage.MaxAttributes, StunDefect.None)]
    [InlineData(StunMessage.MaxAttributes + 1, StunDefect.TooManyAttributes)]
    public void The_number_of_attributes_is_limited(int count, StunDefect expected)
    {
        var buffer = new byte[StunMessage.HeaderLength + (count * 4)];
        var writer = new StunWriter(buffer, StunClass.Request, StunMethod.Binding, Id);
        for (var i = 0; i < count; i++) writer.Add(StunAttributeType.Software, []);

        StunMessage.TryRead(writer.Written, out _, out var defect);

        Assert.Equal(expected, defect);
    }

    [Theory]
    [MemberData(nameof(StunVectors.All), MemberType = typeof(StunVectors))]
    public void Every_truncation_is_refused(string name)
    {
        var bytes = StunVectors.Load(name);
        for (var length = 0; length < bytes.Length; length++)
        {
            var expected = length < StunMessage.HeaderLength ? StunDefect.TooShort : StunDefect.WrongLength;

            Assert.False(StunMessage.TryRead(bytes.AsSpan(0, length), out _, out var defect));
            Assert.Equal(expected, defect);
            Assert.False(StunMessage.LooksLikeStun(bytes.AsSpan(0, length)));
        }
    }

    [Theory]
    [MemberData(nameof(StunVectors.All), MemberType = typeof(StunVectors))]
    public void Mutations_never_throw(string name)
    {
        var random = new Random(5769);
        var original = StunVectors.Load(name);
        var key = StunIntegrity.ShortTermKey(StunVectors.Password);
        var read = 0;
        for (var round = 0; round < 5_000; round++)
        {
            var bytes = original.ToArray();
            for (var i = random.Next(1, 6); i > 0; i--) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            if (!StunMessage.TryRead(bytes, out var message, out _)) continue;

            read++;
            Visit(message, key);
        }

        Assert.InRange(read, 100, 5_000);
    }

    [Theory]
    [InlineData(StunAttributeType.Software, false)]
    [InlineData(StunAttributeType.XorMappedAddress, false)]
    [InlineData(StunAttributeType.MessageIntegrity, false)]
    [InlineData(StunAttributeType.MessageIntegritySha256, true)]
    [InlineData(StunAttributeType.Fingerprint, true)]
    public void Behind_message_integrity_only_the_second_integrity_and_the_fingerprint_are_visible( // RFC 8489 §14.5
        StunAttributeType type, bool isVisible)
    {
        var message = Read(Attributes((StunAttributeType.MessageIntegrity, 20), (type, 8)));

        var count = 0;
        foreach (var _ in message.Attributes) count++;

        Assert.Equal(isVisible ? 2 : 1, count);
    }

    [Fact]
    public void Behind_the_second_integrity_only_the_fingerprint_and_behind_it_nothing_is_visible() // RFC 8489 §14.6, §14.7
    {
        var message = Read(Attributes(
            (StunAttributeType.Username, 1),
            (StunAttributeType.MessageIntegrity, 20),
            (StunAttributeType.Realm, 2),
            (StunAttributeType.MessageIntegritySha256, 32),
            (StunAttributeType.MessageIntegrity, 20),
            (StunAttributeType.Nonce, 3),
            (StunAttributeType.Fingerprint, 4),
            (StunAttributeType.MessageIntegritySha256, 16),
            (StunAttributeType.Software, 4)));

        var types = new List<StunAttributeType>();
        foreach (var attribute in message.Attributes) types.Add(attribute.Type);

        Assert.Equal(
            [
                StunAttributeType.Username,
                StunAttributeType.MessageIntegrity,
                StunAttributeType.MessageIntegritySha256,
                StunAttributeType.Fingerprint,
            ],
            types);
    }

    [Fact]
    public void The_first_of_two_equal_attributes_counts() // RFC 8489 §14
    {
        var buffer = new byte[64];
        var writer = new StunWriter(buffer, StunClass.Success, StunMethod.Binding, Id);
        writer.AddAddress(StunAttributeType.XorMappedAddress, TransportAddress.Parse("192.0.2.1:1"));
        writer.AddAddress(StunAttributeType.XorMappedAddress, TransportAddress.Parse("192.0.2.2:2"));

        Assert.True(Read(writer.Written).TryGetMappedAddress(out var address));
        Assert.Equal(TransportAddress.Parse("192.0.2.1:1"), address);
    }

    [Fact]
    public void The_plain_address_of_an_old_server_is_read_where_no_other_is_given()
    {
        var buffer = new byte[64];
        var writer = new StunWriter(buffer, StunClass.Success, StunMethod.Binding, Id);
        writer.AddAddress(StunAttributeType.MappedAddress, TransportAddress.Parse("192.0.2.1:1"));

        Assert.True(Read(writer.Written).TryGetMappedAddress(out var address));
        Assert.Equal(TransportAddress.Parse("192.0.2.1:1"), address);
    }

    [Theory]
    [InlineData("")]
    [InlineData("000104D2")]
    [InlineData("000104D2C00002")]
    [InlineData("000204D2C0000201")]
    [InlineData("000304D2C0000201")]
    [InlineData("000104D2C000020100000000")]
    public void A_malformed_address_is_none(string hex)
    {
        var buffer = new byte[64];
        var writer = new StunWriter(buffer, StunClass.Success, StunMethod.Binding, Id);
        writer.Add(StunAttributeType.MappedAddress, Convert.FromHexString(hex));

        Assert.False(Read(writer.Written).TryGetMappedAddress(out var address));
        Assert.True(address.IsNone);
    }

    [Theory]
    [InlineData("00000401556E61757468", 401, "Unauth")] // RFC 8489 §14.8
    [InlineData("00000626", 638, "")]
    [InlineData("00000200", null, null)]
    [InlineData("00000700", null, null)]
    [InlineData("00000364", null, null)]
    [InlineData("000004", null, null)]
    public void Error_codes_are_read_within_their_range(string hex, int? code, string? reason)
    {
        var buffer = new byte[64];
        var writer = new StunWriter(buffer, StunClass.Error, StunMethod.Binding, Id);
        writer.Add(StunAttributeType.ErrorCode, Convert.FromHexString(hex));

        Assert.Equal(code is not null, Read(writer.Written).TryGetErrorCode(out var read, out var text));
        Assert.Equal(code ?? 0, read);
        Assert.Equal(reason ?? "", Encoding.UTF8.GetString(text));
    }

    [Fact]
    public void An_unknown_attribute_that_must_be_understood_is_found()
    {
        var message = Read(Attributes((StunAttributeType.Username, 1), ((StunAttributeType)0x9999, 1), ((StunAttributeType)0x7777, 1)));

        Assert.True(message.HasUnknownRequiredAttribute(out var type));
        Assert.Equal((StunAttributeType)0x7777, type);
    }

    [Theory]
    [InlineData("000100002112A442000000000000000000000000", true)]
    [InlineData("03FF00002112A442000000000000000000000000", true)]
    [InlineData("040100002112A442000000000000000000000000", false)] // ZRTP and others (RFC 7983 §7)
    [InlineData("000100002112A442000000000000000000000000FF", false)]
    [InlineData("0001000021120000000000000000000000000000", false)]
    [InlineData("0D0A0D0A", false)] // a SIP keepalive (RFC 5626 §4.4.1)
    public void Stun_is_told_from_its_neighbours(string hex, bool expected) =>
        Assert.Equal(expected, StunMessage.LooksLikeStun(Convert.FromHexString(hex)));

    [Fact]
    public void Sip_is_not_taken_for_stun()
    {
        Assert.False(StunMessage.LooksLikeStun("OPTIONS sip:a@example.org SIP/2.0\r\n\r\n"u8));
        Assert.False(StunMessage.LooksLikeStun("SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1\r\n\r\n"u8));
    }

    [Fact]
    public void Reading_allocates_nothing()
    {
        var bytes = StunVectors.Load(StunVectors.IPv6Response);
        var key = StunIntegrity.ShortTermKey(StunVectors.Password);

        Assert.Equal(0, Allocation.Of(() =>
        {
            for (var i = 0; i < 100; i++) Visit(Read(bytes), key);
        }));
    }

    private static StunMessage Read(ReadOnlySpan<byte> bytes) =>
        StunMessage.TryRead(bytes, out var message, out var defect)
            ? message
            : throw new InvalidOperationException(defect.ToString());

    private static void Visit(StunMessage message, byte[] key)
    {
        _ = (message.Class, message.Method, message.TransactionId);
        foreach (var attribute in message.Attributes) message.TryGetAddress(attribute.Type, out _);
        message.TryGetMappedAddress(out _);
        message.TryGetErrorCode(out _, out _);
        message.HasUnknownRequiredAttribute(out _);
        StunIntegrity.IsValid(message, key);
        StunIntegrity.IsValidSha256(message, key);
        StunFingerprint.IsValid(message);
    }

    private static List<string> List(StunMessage message)
    {
        var lines = new List<string>();
        foreach (var attribute in message.Attributes) lines.Add($"{attribute.Type} {Convert.ToHexString(attribute.Value)}");
        return lines;
    }

    // Written by hand: the writer refuses what these tests need.
    private static byte[] Attributes(params (StunAttributeType Type, int Length)[] attributes)
    {
        var bytes = new List<byte>(Convert.FromHexString("000100002112A442B7E7A701BC34D686FA87DFAE"));
        foreach (var (type, length) in attributes)
        {
            bytes.AddRange([(byte)((int)type >> 8), (byte)type, 0, (byte)length, .. new byte[(length + 3) & ~3]]);
        }

        bytes[3] = (byte)(bytes.Count - StunMessage.HeaderLength);
        return [.. bytes];
    }
}
