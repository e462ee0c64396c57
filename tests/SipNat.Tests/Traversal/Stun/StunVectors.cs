using System.Text;

namespace SipNat.Tests.Traversal.Stun;

/// <summary>The test vectors of RFC 5769 and RFC 8489 Appendix B.1, read from <c>tests/data/stun</c>.</summary>
internal static class StunVectors
{
    public const string Request = "rfc5769-2.1-request";
    public const string IPv4Response = "rfc5769-2.2-ipv4-response";
    public const string IPv6Response = "rfc5769-2.3-ipv6-response";
    public const string LongTerm = "rfc5769-2.4-long-term";
    public const string Sha256 = "rfc8489-b.1-sha256";

    public const string Password = "VOkJxbRl1RmTxUk/WvJxBt";
    public const string LongTermUsername = "\u30DE\u30C8\u30EA\u30C3\u30AF\u30B9";
    public const string LongTermPassword = "TheMatrIX";
    public const string Realm = "example.org";

    public static TheoryData<string> All => [Request, IPv4Response, IPv6Response, LongTerm, Sha256];

    public static byte[] Load(string name)
    {
        var hex = new StringBuilder();
        foreach (var line in File.ReadLines(Path.Combine(AppContext.BaseDirectory, "data", "stun", name + ".hex")))
        {
            if (!line.StartsWith('#')) hex.Append(line.Replace(" ", "", StringComparison.Ordinal));
        }

        return Convert.FromHexString(hex.ToString());
    }
}
