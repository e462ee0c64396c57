using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using SipNat.Media.Srtp;

namespace SipNat.Tests.Media.Srtp;

/// <summary>HMAC-SHA1 side by side. The last four bytes of each text are given as the word.</summary>
public sealed class HmacSha1LanesTests
{
    private const int WordLength = 4;

    [Theory] // RFC 2202 §3
    [InlineData("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "Hi There", "b617318655057264e28bc0b6fb378c8ef146be00")]
    [InlineData("4a656665", "what do ya want for nothing?", "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79")]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "50 × dd", "125d7342b9ac11cd91a39af48aa17b4f63f175d3")]
    [InlineData("0102030405060708090a0b0c0d0e0f10111213141516171819", "50 × cd", "4c9007f4026250c6bc8414f9bf50c86c2d7235da")]
    [InlineData("0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c", "Test With Truncation", "4c1a03424b55e07fe7f27be1d58bb9324a9a5a04")]
    [InlineData("80 × aa", "Test Using Larger Than Block-Size Key - Hash Key First", "aa4ae5e15272d00e95705637ce8a3b55ed402112")]
    [InlineData("80 × aa", "Test Using Larger Than Block-Size Key and Larger Than One Block-Size Data", "e8e99d0f45237d786d6bbaa7965c7808bbff1a91")]
    public void Every_lane_hashes_as_the_rfc_does(string key, string text, string hash)
    {
        var bytes = Bytes(text, Encoding.ASCII.GetBytes);

        // A key that is longer than a block is hashed first (RFC 2104 §2); those of SRTP never are.
        var whole = Bytes(key, Convert.FromHexString);
        using HmacSha1Lanes lanes = new(whole.Length > 64 ? SHA1.HashData(whole) : whole);
        var packets = Enumerable.Repeat(new AuthenticatedPart(0, bytes.Length - WordLength, BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(bytes.Length - WordLength))), HmacSha1Lanes.Count).ToArray();
        var hashes = new byte[packets.Length * HMACSHA1.HashSizeInBytes];

        lanes.Hash(bytes, packets, hashes);

        Assert.All(hashes.Chunk(HMACSHA1.HashSizeInBytes), made => Assert.Equal(hash, Convert.ToHexStringLower(made)));
    }

    [Fact]
    public void Lanes_of_any_lengths_hash_as_the_library_does()
    {
        var lengths = Gen.Choose(0, 400).ArrayOf().SelectMany(l => Gen.Choose(0, int.MaxValue).Select(seed => new Lengths(seed, [.. l.Take(HmacSha1Lanes.Count)])));

        Prop.ForAll(lengths.ToArbitrary(), Holds).Check(Config.QuickThrowOnFailure.WithMaxTest(500).WithReplay(20261122, 3));
    }

    [Fact]
    public void Every_length_ends_at_its_place()
    {
        for (var first = 0; first < 300; first += HmacSha1Lanes.Count) Holds(new(first, [.. Enumerable.Range(first, HmacSha1Lanes.Count)]));
    }

    // The same object twice: nothing of the first is left in the second.
    private static void Holds(Lengths lengths)
    {
        Random random = new(lengths.Seed);
        var (key, bytes, word) = (new byte[20], new byte[2000], new byte[WordLength]);
        random.NextBytes(key);
        using HmacSha1Lanes lanes = new(key);
        for (var round = 0; round < 2; round++)
        {
            random.NextBytes(bytes);
            AuthenticatedPart[] packets = [.. lengths.Values.Select(length => new AuthenticatedPart(random.Next(bytes.Length - length), length, (uint)random.NextInt64(1L << 32)))];
            var hashes = new byte[packets.Length * HMACSHA1.HashSizeInBytes];

            lanes.Hash(bytes, packets, hashes);

            var expected = packets.Select(packet =>
            {
                BinaryPrimitives.WriteUInt32BigEndian(word, packet.Word);
                return Convert.ToHexString(HMACSHA1.HashData(key, (byte[])[.. bytes.AsSpan(packet.Offset, packet.Length), .. word]));
            });
            Assert.Equal(expected, hashes.Chunk(HMACSHA1.HashSizeInBytes).Select(Convert.ToHexString));
        }
    }

    private static byte[] Bytes(string text, Func<string, byte[]> read) => text.Split(" × ") is [var times, var value]
        ? [.. Enumerable.Repeat(Convert.FromHexString(value)[0], int.Parse(times))]
        : read(text);

    private sealed record Lengths(int Seed, int[] Values)
    {
        public override string ToString() => $"seed {Seed}, {string.Join(' ', Values)}";
    }
}
