using System.Globalization;
using System.Text;

namespace SipNat.Server.Hosting;

/// <summary>
/// Text from the wire for people to see. Control characters could drive a terminal or forge a line of a log, and
/// direction overrides could show a text as another: all of them are written out as <c>\u{1B}</c>.
/// </summary>
public static class SafeText
{
    public static string Escape(string text)
    {
        if (!text.EnumerateRunes().Any(IsUnsafe)) return text;

        var escaped = new StringBuilder(text.Length + 16);
        foreach (var rune in text.EnumerateRunes())
        {
            if (IsUnsafe(rune)) escaped.Append(CultureInfo.InvariantCulture, $"\\u{{{rune.Value:X}}}");
            else escaped.Append(rune);
        }

        return escaped.ToString();
    }

    /// <summary>The same for a text of several lines of ours: its line ends stay.</summary>
    public static string EscapeLines(string text) => string.Join('\n', text.ReplaceLineEndings("\n").Split('\n').Select(Escape));

    // Format covers the direction overrides, zero-width characters and tags; the separators break lines.
    private static bool IsUnsafe(Rune rune) => Rune.GetUnicodeCategory(rune)
        is UnicodeCategory.Control
        or UnicodeCategory.Format
        or UnicodeCategory.LineSeparator
        or UnicodeCategory.ParagraphSeparator
        or UnicodeCategory.PrivateUse;
}
