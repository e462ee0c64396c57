using System.Text;
using SipNat.Sip.Messages;

namespace SipNat.Sip.Digest;

/// <summary>
/// One element of WWW-Authenticate, Authorization, Authentication-Info and their kin: <c>name=value</c>, at the beginning
/// of a challenge behind the name of its scheme (RFC 3261 §25.1, RFC 9110 §11.6.1).
/// </summary>
/// <param name="Scheme">Empty where the element goes on with the scheme before it.</param>
/// <param name="Value">Without quotes and escapes.</param>
internal readonly record struct AuthParameter(string Scheme, string Name, string Value)
{
    /// <summary>Elements of one header line that are read.</summary>
    public const int MaxElements = 128;

    /// <summary>
    /// Reads a line. A line may hold several challenges one after the other, as HTTP allows. What is no parameter (the
    /// token of another scheme, the second word of a list without quotes) is passed over.
    /// </summary>
    public static List<AuthParameter> ReadAll(ReadOnlySpan<byte> line)
    {
        var elements = new List<AuthParameter>();
        var rest = line;
        while (!rest.IsEmpty && elements.Count < MaxElements)
        {
            var comma = SipText.IndexOutside(rest, (byte)',');
            var element = SipText.Trim(comma < 0 ? rest : rest[..comma]);
            rest = comma < 0 ? default : rest[(comma + 1)..];
            if (TryRead(element, out var parameter)) elements.Add(parameter);
        }

        return elements;
    }

    /// <summary>Whether the element has this name, in any case.</summary>
    public bool Is(string name) => Name.Equals(name, StringComparison.OrdinalIgnoreCase);

    private static bool TryRead(ReadOnlySpan<byte> element, out AuthParameter parameter)
    {
        parameter = default;
        var scheme = "";
        var equals = element.IndexOf((byte)'=');
        if (equals <= 0) return false;

        var name = SipText.TrimEnd(element[..equals]);
        var space = name.IndexOfAny(" \t\r\n"u8);
        if (space > 0)
        {
            scheme = Encoding.Latin1.GetString(name[..space]);
            name = SipText.TrimStart(name[space..]);
        }

        if (!SipText.IsToken(name) || !TryReadValue(SipText.TrimStart(element[(equals + 1)..]), out var value)) return false;

        parameter = new(scheme, Encoding.Latin1.GetString(name), value);
        return true;
    }

    private static bool TryReadValue(ReadOnlySpan<byte> text, out string value)
    {
        value = "";
        if (text is [(byte)'"', ..])
        {
            if (SipText.QuotedLength(text) != text.Length) return false;
            text = text[1..^1];
        }

        var bytes = new byte[text.Length];
        var length = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\\' && i + 1 < text.Length) i++;
            bytes[length++] = text[i];
        }

        length = SipText.Unfold(bytes.AsSpan(0, length), bytes);
        value = SipText.Clean(Encoding.UTF8.GetString(bytes.AsSpan(0, length)));
        return true;
    }
}
