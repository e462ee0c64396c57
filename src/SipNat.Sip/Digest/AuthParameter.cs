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

        var value = SipText.TrimStart(element[(equals + 1)..]);
        var isWhole = value is [(byte)'"', ..] ? SipText.QuotedLength(value) == value.Length : !value.Contains((byte)'"');
        if (!SipText.IsToken(name) || !isWhole) return false;

        parameter = new(scheme, Encoding.Latin1.GetString(name), SipText.Unquote(value));
        return true;
    }
}
