using System.Security.Cryptography;
using System.Text;
using SipNat.Traversal.Stun;

namespace SipNat.Tests.Traversal.Stun;

public sealed class StunIntegrityTests
{
    [Theory]
    [InlineData(StunVectors.Request)]
    [InlineData(StunVectors.IPv4Response)]
    [InlineData(StunVectors.IPv6Response)]
    public void Short_term_vectors_of_rfc5769_are_valid(string name) // RFC 5769 §2.1–§2.3
    {
        StunMessage.TryRead(StunVectors.Load(name), out var message, out _);

        Assert.True(StunIntegrity.IsValid(message, StunIntegrity.ShortTermKey(StunVectors.Password)));
        Assert.False(StunIntegrity.IsValid(message, StunIntegrity.ShortTermKey(StunVectors.Password + "x")));
        Assert.False(StunIntegrity.IsValidSha256(message, StunIntegrity.ShortTermKey(StunVectors.Password)));
        Assert.True(StunFingerprint.IsValid(message));
    }

    [Fact]
    public void Long_term_vector_of_rfc5769_is_valid() // RFC 5769 §2.4
    {
        StunMessage.TryRead(StunVectors.Load(StunVectors.LongTerm), out var message, out _);

        Assert.True(StunIntegrity.IsValid(
            message, StunIntegrity.LongTermKey(StunVectors.LongTermUsername, StunVectors.Realm, StunVectors.LongTermPassword)));
        Assert.False(StunFingerprint.IsValid(message));
    }

    [Fact]
    public void Sha256_vector_of_rfc8489_is_valid_and_agrees_with_an_hmac_over_its_bytes() // RFC 8489 Appendix B.1
    {
        var bytes = StunVectors.Load(StunVectors.Sha256);
        StunMessage.TryRead(bytes, out var message, out _);
        var credentials = Encoding.UTF8.GetBytes(
            $"{StunVectors.LongTermUsername}:{StunVectors.Realm}:{StunVectors.LongTermPassword}");

        // The attribute is the last one, so the length field in the header is the one that the HMAC wants.
        var independent = HMACSHA256.HashData(SHA256.HashData(credentials), bytes[..^36]);

        Assert.Equal(independent, bytes[^32..]);
        Assert.True(StunIntegrity.IsValidSha256(
            message, StunIntegrity.LongTermKeySha256(StunVectors.LongTermUsername, StunVectors.Realm, StunVectors.LongTermPassword)));
        Assert.True(message.TryGet(StunAttributeType.UserHash, out var hash));
        Assert.Equal(StunIntegrity.UserHash(StunVectors.LongTermUsername, StunVectors.Realm), hash);
    }

    [Fact]
    public void A_single_changed_bit_of_the_covered_bytes_or_of_the_value_is_noticed()
    {
        var bytes = StunVectors.Load(StunVectors.LongTerm);
        var key = StunIntegrity.LongTermKey(StunVectors.LongTermUsername, StunVectors.Realm, StunVectors.LongTermPassword);
        for (var bit = 0; bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));

            if (StunMessage.TryRead(bytes, out var message, out _)) Assert.False(StunIntegrity.IsValid(message, key));

            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    [Fact]
    public void A_changed_fingerprint_is_noticed_and_does_not_touch_the_integrity()
    {
        var bytes = StunVectors.Load(StunVectors.Request);
        bytes[^1] ^= 1;
        StunMessage.TryRead(bytes, out var message, out _);

        Assert.False(StunFingerprint.IsValid(message));
        Assert.True(StunIntegrity.IsValid(message, StunIntegrity.ShortTermKey(StunVectors.Password)));
    }

    [Fact]
    public void A_fingerprint_that_is_not_the_last_attribute_is_invalid() // RFC 8489 §14.7
    {
        // Its value is right for the message that the length field describes.
        var bytes = new byte[32];
        var writer = new StunWriter(bytes, StunClass.Request, StunMethod.Binding, default);
        writer.AddFingerprint();
        bytes[3] = 12;
        var value = StunFingerprint.Compute(bytes.AsSpan(0, 20));
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(24), value);
        bytes[28] = 0x80;
        bytes[29] = 0x22;

        Assert.True(StunMessage.TryRead(bytes, out var message, out _));
        Assert.False(StunFingerprint.IsValid(message));
    }

    [Theory]
    [InlineData(12, false)]
    [InlineData(14, false)]
    [InlineData(16, true)]
    [InlineData(18, false)]
    [InlineData(20, true)]
    [InlineData(28, true)]
    [InlineData(32, true)]
    [InlineData(36, false)]
    public void Sha256_is_shortened_to_sixteen_bytes_or_more_in_steps_of_four(int length, bool expected) // RFC 8489 §14.6
    {
        var key = "key"u8.ToArray();
        var head = new byte[20];
        _ = new StunWriter(head, StunClass.Request, StunMethod.Binding, default);
        var padded = (length + 3) & ~3;
        head[3] = (byte)(4 + length);
        byte[] value = [.. HMACSHA256.HashData(key, head), .. new byte[4]];
        head[3] = (byte)(4 + padded);
        byte[] bytes = [.. head, 0x00, 0x1C, 0x00, (byte)length, .. value[..length], .. new byte[padded - length]];

        Assert.True(StunMessage.TryRead(bytes, out var message, out _));
        Assert.Equal(expected, StunIntegrity.IsValidSha256(message, key));
    }

    [Theory]
    [InlineData(12)]
    [InlineData(18)]
    [InlineData(36)]
    public void The_writer_refuses_other_lengths(int length) =>
        Assert.Throws<ArgumentOutOfRangeException>(() =>
        {
            var writer = new StunWriter(new byte[256], StunClass.Request, StunMethod.Binding, default);
            writer.AddIntegritySha256([1], length);
        });

    [Fact]
    public void Sha1_of_another_length_is_invalid()
    {
        var writer = new StunWriter(new byte[256], StunClass.Request, StunMethod.Binding, default);
        writer.Add(StunAttributeType.MessageIntegrity, new byte[16]);
        StunMessage.TryRead(writer.Written, out var message, out _);

        Assert.False(StunIntegrity.IsValid(message, [1]));
    }

    [Theory]
    [InlineData(100)]
    [InlineData(10_000)]
    public void Making_and_checking_an_integrity_allocates_nothing(int size)
    {
        var buffer = new byte[size + 200];
        var text = new byte[size];
        var key = "key"u8.ToArray();

        Assert.Equal(0, Allocation.Of(() =>
        {
            for (var i = 0; i < 50; i++) MakeAndCheck();
        }));

        void MakeAndCheck()
        {
            var writer = new StunWriter(buffer, StunClass.Request, StunMethod.Binding, new(1, 2));
            writer.Add(StunAttributeType.Data, text);
            writer.AddIntegrity(key);
            writer.AddIntegritySha256(key);
            writer.AddFingerprint();
            StunMessage.TryRead(writer.Written, out var message, out _);
            if (!StunIntegrity.IsValid(message, key) || !StunIntegrity.IsValidSha256(message, key)) throw new InvalidOperationException();
        }
    }
}
