using SipNat.Server.Options;

namespace SipNat.Server.Tests.Options;

public sealed class NearestKeyTests
{
    private static readonly string[] Keys = ["Sip:Listen:N", "Sip:ForceRport", "Nat:StunServers:N", "Media:FirstPort", "Media:LastPort"];

    [Theory]
    [InlineData("Media:FirstPrt", "Media:FirstPort")]
    [InlineData("media:lastport0", "Media:LastPort")]
    [InlineData("Sip:Listn:0", "Sip:Listen:N")]
    [InlineData("Nat:StunServer:12", "Nat:StunServers:N")]
    [InlineData("FirstPort", "Media:FirstPort")]
    [InlineData("Sip:Rport", "Sip:ForceRport")]
    [InlineData("Completely:Different", null)]
    public void The_key_with_the_fewest_edits_is_suggested(string key, string? nearest) =>
        Assert.Equal(nearest, NearestKey.Find(key, Keys));

    [Fact]
    public void A_key_of_any_length_is_answered_at_once() => Assert.Null(NearestKey.Find(new string('a', 1_000_000), Keys));

    [Theory]
    [InlineData("", "", 0)]
    [InlineData("", "abc", 3)]
    [InlineData("kitten", "sitting", 3)]
    [InlineData("flaw", "lawn", 2)]
    public void Distance_counts_insertions_deletions_and_substitutions(string left, string right, int distance) =>
        Assert.Equal(distance, NearestKey.Distance(left, right));
}
