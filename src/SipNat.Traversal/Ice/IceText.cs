using System.Buffers;

namespace SipNat.Traversal.Ice;

/// <summary>The characters of foundations, user fragments and passwords (RFC 8839 §5.1, ice-char).</summary>
internal static class IceText
{
    public const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    public static SearchValues<char> Characters { get; } = SearchValues.Create(Alphabet);

    public static string Create(Random random, int length) => random.GetString(Alphabet, length);
}
