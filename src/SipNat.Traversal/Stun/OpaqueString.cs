using System.Text;

namespace SipNat.Traversal.Stun;

/// <summary>
/// Prepares usernames and passwords, so that the same text typed on two keyboards gives the same key: the OpaqueString
/// profile (RFC 8265 §4.2), which RFC 8489 §9 asks for. Spaces of other scripts become the usual one, controls and
/// invisible characters are refused.
/// </summary>
/// <remarks>
/// The profile wants normalization form C, for which the program has no tables (it runs without the data of a culture).
/// Characters that are in that form whatever stands beside them, letters with accents as keyboards give them among them,
/// are taken as they are; a text with others is refused, as it might be written in another way elsewhere.
/// </remarks>
public static class OpaqueString
{
    // First and last of ranges in which every character stands for itself in form C (NFC_Quick_Check=Yes and not a
    // combining mark), and is of a category that PRECIS allows (RFC 8264 §4.3) without a contextual rule.
    private static readonly (int First, int Last)[] Plain =
    [
        (0x20, 0x7E), (0xA1, 0xAC), (0xAE, 0xB6), (0xB8, 0x2FF), // Latin without soft hyphen and middle dot
        (0x370, 0x373), (0x376, 0x377), (0x37B, 0x37D), (0x388, 0x38A), (0x38E, 0x3A1), (0x3A3, 0x482), (0x48A, 0x52F), // Greek, Cyrillic
        (0x531, 0x556), (0x559, 0x58A), (0x5D0, 0x5EA), (0x621, 0x64A), (0x671, 0x6D3), (0xE01, 0xE30), // Armenian, Hebrew, Arabic, Thai
        (0x1E00, 0x1EFF), // Latin with accents
        (0x2010, 0x2027), (0x2030, 0x205E), (0x20A0, 0x20C0), (0x2100, 0x2125), (0x2190, 0x2328), (0x2500, 0x2ADB), // signs
        (0x3001, 0x3029), (0x3041, 0x3093), (0x30A1, 0x30FA), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xAC00, 0xD7A3), // Kana, Han, Hangul
        (0x1F300, 0x1F64F), (0x1F900, 0x1F9FF),
    ];

    /// <summary>Prepares a text.</summary>
    /// <param name="text">As it was typed.</param>
    /// <param name="prepared">As it is hashed and sent.</param>
    /// <returns>False where it is empty, or holds what the profile forbids or this program cannot normalize.</returns>
    public static bool TryPrepare(string text, out string prepared)
    {
        var result = new StringBuilder(text.Length);
        prepared = "";
        foreach (var rune in text.EnumerateRunes())
        {
            var mapped = IsSpace(rune.Value) ? new Rune(' ') : rune;
            if (!IsPlain(mapped.Value)) return false;

            result.Append(mapped);
        }

        prepared = result.ToString();
        return prepared.Length > 0;
    }

    // The category Zs beyond ASCII.
    private static bool IsSpace(int character) => character is 0xA0 or 0x1680 or (>= 0x2000 and <= 0x200A) or 0x202F or 0x205F or 0x3000;

    private static bool IsPlain(int character)
    {
        foreach (var (first, last) in Plain)
        {
            if (character >= first && character <= last) return true;
        }

        return false;
    }
}
