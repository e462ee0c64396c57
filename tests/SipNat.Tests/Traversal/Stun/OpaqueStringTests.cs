using SipNat.Traversal.Stun;

namespace SipNat.Tests.Traversal.Stun;

public sealed class OpaqueStringTests
{
    [Theory] // RFC 8265 §4.3, table 3, and what keyboards give
    [InlineData("correct horse battery staple", "correct horse battery staple")]
    [InlineData("Correct Horse Battery Staple", "Correct Horse Battery Staple")]
    [InlineData("\u03C0\u00DF\u00E5", "\u03C0\u00DF\u00E5")]
    [InlineData("Jack of \u2666s", "Jack of \u2666s")]
    [InlineData("foo\u1680bar", "foo bar")]
    [InlineData("\u00A0\u3000", "  ")]
    [InlineData("Gr\u00FC\u00DFe", "Gr\u00FC\u00DFe")]
    [InlineData("\u30DE\u30C8\u30EA\u30C3\u30AF\u30B9", "\u30DE\u30C8\u30EA\u30C3\u30AF\u30B9")] // the username of RFC 8489 appendix B.1
    [InlineData("\u041F\u0430\u0440\u043E\u043B\u044C \uD83D\uDD11", "\u041F\u0430\u0440\u043E\u043B\u044C \uD83D\uDD11")]
    public void A_text_is_prepared(string text, string expected)
    {
        Assert.True(OpaqueString.TryPrepare(text, out var prepared));
        Assert.Equal(expected, prepared);
    }

    [Theory]
    [InlineData("")] // RFC 8265 §4.3, table 4
    [InlineData("my cat is a \u0009by")]
    [InlineData("\u0000")]
    [InlineData("a\u007F")]
    [InlineData("a\u0085")]
    [InlineData("soft\u00ADhyphen")]
    [InlineData("zero\u200Bwidth")]
    [InlineData("left\u202Eright")]
    [InlineData("e\u0301")] // é in two characters: the other way to write U+00E9
    [InlineData("\u212B")] // the sign for ångström, which is Å in form C
    [InlineData("\u1100\u1161")] // Hangul in parts
    [InlineData("\uE000")]
    [InlineData("\uFFFE")]
    [InlineData("\uD800")]
    public void What_is_forbidden_or_may_be_written_in_another_way_is_refused(string text) =>
        Assert.False(OpaqueString.TryPrepare(text, out _));
}
