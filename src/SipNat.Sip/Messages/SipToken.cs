namespace SipNat.Sip.Messages;

/// <summary>Random tokens for tags, branches and Call-IDs: 64 bits, twice what RFC 3261 §19.3 asks for.</summary>
public static class SipToken
{
    public static string Next(Random random)
    {
        ArgumentNullException.ThrowIfNull(random);
        Span<byte> bytes = stackalloc byte[8];
        random.NextBytes(bytes);
        return Convert.ToHexStringLower(bytes);
    }

    /// <summary>A branch as long as any of this client, to measure a request by.</summary>
    public const string SampleBranch = $"{Via.MagicCookie}0123456789abcdef";

    /// <summary>A branch of this client (RFC 3261 §8.1.1.7).</summary>
    public static string NextBranch(Random random) => Via.MagicCookie + Next(random);
}
