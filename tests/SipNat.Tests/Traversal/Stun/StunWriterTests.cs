using SipNat.Traversal.Stun;
using SipNat.Wire;

namespace SipNat.Tests.Traversal.Stun;

public sealed class StunWriterTests
{
    [Fact]
    public void Long_term_request_of_rfc5769_is_written_to_the_byte() // RFC 5769 §2.4
    {
        var writer = new StunWriter(new byte[256], StunClass.Request, StunMethod.Binding, new(0x78ad3433, 0xc6ad72c029da412e));
        writer.AddText(StunAttributeType.Username, StunVectors.LongTermUsername);
        writer.AddText(StunAttributeType.Nonce, "f//499k954d6OL34oL9FSTvy64sA");
        writer.AddText(StunAttributeType.Realm, StunVectors.Realm);
        writer.AddIntegrity(StunIntegrity.LongTermKey(StunVectors.LongTermUsername, StunVectors.Realm, StunVectors.LongTermPassword));

        Assert.Equal(StunVectors.Load(StunVectors.LongTerm), writer.Written);
    }

    [Fact]
    public void Sha256_request_of_rfc8489_is_written_to_the_byte() // RFC 8489 Appendix B.1, errata 6268
    {
        var writer = new StunWriter(new byte[256], StunClass.Request, StunMethod.Binding, new(0x78ad3433, 0xc6ad72c029da412e));
        writer.Add(StunAttributeType.UserHash, StunIntegrity.UserHash(StunVectors.LongTermUsername, StunVectors.Realm));
        writer.AddText(StunAttributeType.Nonce, "obMatJos2AAACf//499k954d6OL34oL9FSTvy64sA");
        writer.AddText(StunAttributeType.Realm, StunVectors.Realm);
        writer.AddUInt32(StunAttributeType.PasswordAlgorithm, 0x0002_0000);
        writer.AddIntegritySha256(
            StunIntegrity.LongTermKeySha256(StunVectors.LongTermUsername, StunVectors.Realm, StunVectors.LongTermPassword));

        Assert.Equal(StunVectors.Load(StunVectors.Sha256), writer.Written);
    }

    [Fact]
    public void Every_class_and_method_survives_a_round_trip()
    {
        var buffer = new byte[StunMessage.HeaderLength];
        for (var method = 0; method <= 0xFFF; method++)
        {
            for (var c = StunClass.Request; c <= StunClass.Error; c++)
            {
                _ = new StunWriter(buffer, c, (StunMethod)method, default);

                Assert.True(StunMessage.TryRead(buffer, out var message, out _));
                Assert.Equal((c, (StunMethod)method), (message.Class, message.Method));
            }
        }
    }

    [Fact]
    public void Random_messages_survive_a_round_trip()
    {
        var random = new Random(8489);
        var buffer = new byte[2048];
        for (var round = 0; round < 500; round++)
        {
            var id = StunTransactionId.Create(random);
            var (address, text, key) = (RandomAddress(random), new string('x', random.Next(500)), new byte[random.Next(80)]);
            random.NextBytes(key);
            var writer = new StunWriter(buffer, StunClass.Success, StunMethod.Binding, id);
            writer.AddText(StunAttributeType.Software, text);
            writer.AddAddress(StunAttributeType.XorMappedAddress, address);
            writer.AddAddress(StunAttributeType.OtherAddress, address);
            writer.AddErrorCode(300 + random.Next(400), text);
            writer.AddIntegrity(key);
            writer.AddIntegritySha256(key, 16 + (random.Next(5) * 4));
            writer.AddFingerprint();

            Assert.True(StunMessage.TryRead(writer.Written, out var message, out _));
            Assert.Equal(id, message.TransactionId);
            Assert.True(message.TryGet(StunAttributeType.Software, out var software));
            Assert.Equal(text.Length, software.Length);
            Assert.True(message.TryGetMappedAddress(out var mapped));
            Assert.True(message.TryGetAddress(StunAttributeType.OtherAddress, out var other));
            Assert.Equal((address, address), (mapped, other));
            Assert.True(message.TryGetErrorCode(out _, out _));
            Assert.True(StunIntegrity.IsValid(message, key));
            Assert.True(StunIntegrity.IsValidSha256(message, key));
            Assert.True(StunFingerprint.IsValid(message));
        }
    }

    [Fact]
    public void The_padding_is_zero_whatever_the_buffer_held()
    {
        var buffer = new byte[28];
        buffer.AsSpan().Fill(0xFF);
        var writer = new StunWriter(buffer, StunClass.Request, StunMethod.Binding, default);
        writer.Add(StunAttributeType.Software, "x"u8);

        Assert.Equal("000100082112A4420000000000000000000000008022000178000000", Convert.ToHexString(writer.Written));
    }

    [Fact]
    public void Nothing_unprotected_is_written_behind_an_integrity()
    {
        Assert.Throws<InvalidOperationException>(static () =>
        {
            var writer = new StunWriter(new byte[256], StunClass.Request, StunMethod.Binding, default);
            writer.AddIntegrity([1]);
            writer.AddText(StunAttributeType.Software, "late");
        });
        Assert.Throws<InvalidOperationException>(static () =>
        {
            var writer = new StunWriter(new byte[256], StunClass.Request, StunMethod.Binding, default);
            writer.AddFingerprint();
            writer.AddIntegrity([1]);
        });
    }

    private static TransportAddress RandomAddress(Random random)
    {
        var octets = new byte[random.Next(2) == 0 ? 4 : 16];
        random.NextBytes(octets);
        return new(octets, random.Next(65536));
    }
}
