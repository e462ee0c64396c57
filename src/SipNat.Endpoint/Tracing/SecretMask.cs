using System.Text;

namespace SipNat.Endpoint.Tracing;

/// <summary>
/// Overwrites with asterisks what nobody may learn from a SIP message that is shown to people. Its length and its lines
/// stay as they are, so that Content-Length goes on to be right and any reader reads it.
/// </summary>
/// <remarks>
/// Overwritten are: credentials but for what names them and the challenge (RFC 3261 §22, RFC 7616), passwords in URIs,
/// keys and passwords of session descriptions (RFC 4568, RFC 8839, RFC 4567, <c>k=</c>), digits that travel by INFO, and
/// whole bodies that are encoded in a way that hides their words. It goes by lines and knows no grammar: a message that
/// no reader takes may hold a password all the same.
/// </remarks>
public static class SecretMask
{
    private const byte Mark = (byte)'*';

    // What a response was computed from and is no secret. Whatever else stands there is masked, known or not.
    private static readonly string[] KeptParameters = ["username", "realm", "uri", "algorithm", "qop", "nc", "nonce", "nextnonce", "opaque"];

    private static readonly string[] CredentialHeaders = ["Authorization", "Proxy-Authorization", "Authentication-Info", "Proxy-Authentication-Info"];

    /// <summary>Masks a message in place.</summary>
    public static void Mask(Span<byte> message)
    {
        for (var at = 0; at < message.Length;)
        {
            var field = message[at..FieldEnd(message, at)];
            var hidesRest = MaskField(field);
            at += field.Length;
            if (hidesRest) MaskBody(message[at..], keepsNames: IsHeader(field, "Content-Type", "c"));
        }

        MaskAfter(message, "inline:", "|; \r\n");
        MaskAfter(message, "ice-pwd:", " \r\n");
        MaskAfter(message, "a=key-mgmt:", "\r\n");
        MaskUriPasswords(message, "sip:");
        MaskUriPasswords(message, "sips:");
    }

    // True where the body that follows is to be masked too.
    private static bool MaskField(Span<byte> field)
    {
        foreach (var name in CredentialHeaders)
        {
            if (IsHeader(field, name)) MaskCredentials(field[(field.IndexOf((byte)':') + 1)..]);
        }

        if (field.StartsWith("k="u8)) Blank(field[2..]);
        if (IsHeader(field, "Content-Type", "c")) return Find(field, "dtmf") >= 0 || Find(field, "digits") >= 0;
        if (IsHeader(field, "Content-Encoding", "e")) return Find(field, "identity") < 0;

        return IsHeader(field, "Content-Transfer-Encoding") && (Find(field, "base64") >= 0 || Find(field, "quoted-printable") >= 0);
    }

    // A line with the lines that continue it (RFC 3261 §7.3.1).
    private static int FieldEnd(ReadOnlySpan<byte> message, int start)
    {
        var end = start;
        do
        {
            var feed = message[end..].IndexOf((byte)'\n');
            if (feed < 0) return message.Length;

            end += feed + 1;
        }
        while (end < message.Length && message[end] is (byte)' ' or (byte)'\t');

        return end;
    }

    private static bool IsHeader(ReadOnlySpan<byte> field, string name, string? compact = null)
    {
        var colon = field.IndexOf((byte)':');
        if (colon < 0) return false;

        var found = field[..colon].Trim(" \t"u8);
        return Ascii.EqualsIgnoreCase(found, name) || (compact is not null && Ascii.EqualsIgnoreCase(found, compact));
    }

    private static void MaskCredentials(Span<byte> value)
    {
        var at = SkipSpace(value, 0);
        var scheme = at;
        while (at < value.Length && !IsSpace(value[at]) && value[at] is not ((byte)'=' or (byte)',')) at++;

        // Authentication-Info has no scheme; any other than Digest is a secret from there on.
        var hasScheme = at < value.Length && IsSpace(value[at]);
        if (!hasScheme) at = scheme;
        else if (!Ascii.EqualsIgnoreCase(value[scheme..at], "Digest"))
        {
            Blank(value[(at + 1)..]);
            return;
        }

        while ((at = SkipSpace(value, at)) < value.Length) at = MaskParameter(value, at);
    }

    // The place behind the parameter.
    private static int MaskParameter(Span<byte> value, int start)
    {
        var at = start;
        while (at < value.Length && value[at] is not ((byte)'=' or (byte)',')) at++;
        if (at == value.Length || value[at] == (byte)',')
        {
            Blank(value[start..at]);
            return at == value.Length ? at : at + 1;
        }

        var isKept = IsKept(value[start..at]);
        var from = SkipSpace(value, at + 1);
        var isQuoted = from < value.Length && value[from] == (byte)'"';
        var to = isQuoted ? ++from : from;
        while (to < value.Length && value[to] != (isQuoted ? (byte)'"' : (byte)',')) to += isQuoted && value[to] == (byte)'\\' ? 2 : 1;

        to = Math.Min(to, value.Length);
        if (!isKept) Blank(value[from..to]);

        // Behind a closing quote stands nothing; where something does, the quotes were none.
        var end = isQuoted ? Math.Min(to + 1, value.Length) : to;
        for (; end < value.Length && value[end] != (byte)','; end++)
        {
            if (!IsSpace(value[end])) value[end] = Mark;
        }

        return end == value.Length ? end : end + 1;
    }

    private static bool IsKept(ReadOnlySpan<byte> name)
    {
        foreach (var kept in KeptParameters)
        {
            if (Ascii.EqualsIgnoreCase(name.Trim(" \t\r\n"u8), kept)) return true;
        }

        return false;
    }

    // Digits are values behind a name, or all that there is.
    private static void MaskBody(Span<byte> rest, bool keepsNames)
    {
        var start = BodyOf(rest);
        while (start < rest.Length)
        {
            var feed = rest[start..].IndexOf((byte)'\n');
            var line = rest[start..(feed < 0 ? rest.Length : start + feed + 1)];
            var equals = keepsNames ? line.IndexOf((byte)'=') : -1;
            Blank(line[(equals + 1)..]);
            start += line.Length;
        }
    }

    private static int BodyOf(ReadOnlySpan<byte> rest)
    {
        if (rest.StartsWith("\r\n"u8) || rest.StartsWith("\n"u8)) return 1;

        var (wide, narrow) = (rest.IndexOf("\r\n\r\n"u8), rest.IndexOf("\n\n"u8));
        return wide < 0 && narrow < 0 ? rest.Length : wide < 0 || (narrow >= 0 && narrow < wide) ? narrow : wide + 3;
    }

    private static void MaskAfter(Span<byte> message, string word, string ends)
    {
        for (var at = 0; Find(message[at..], word) is var found and >= 0;)
        {
            var start = at + found + word.Length;
            at = start;
            while (at < message.Length && !ends.Contains((char)message[at], StringComparison.Ordinal)) at++;
            Blank(message[start..at]);
        }
    }

    // sip:user:password@host (RFC 3261 §19.1.1).
    private static void MaskUriPasswords(Span<byte> message, string scheme)
    {
        for (var at = 0; Find(message[at..], scheme) is var found and >= 0;)
        {
            var user = at + found + scheme.Length;
            at = user;
            while (at < message.Length && !"@<>\" \t\r\n".Contains((char)message[at], StringComparison.Ordinal)) at++;
            if (at == message.Length || message[at] != (byte)'@') continue;

            var colon = message[user..at].IndexOf((byte)':');
            if (colon >= 0) Blank(message[(user + colon + 1)..at]);
        }
    }

    private static int Find(ReadOnlySpan<byte> text, string word)
    {
        for (var i = 0; i + word.Length <= text.Length; i++)
        {
            if (Ascii.EqualsIgnoreCase(text.Slice(i, word.Length), word)) return i;
        }

        return -1;
    }

    private static void Blank(Span<byte> secret)
    {
        foreach (ref var b in secret)
        {
            if (b is not ((byte)'\r' or (byte)'\n')) b = Mark;
        }
    }

    private static int SkipSpace(ReadOnlySpan<byte> value, int at)
    {
        while (at < value.Length && IsSpace(value[at])) at++;
        return at;
    }

    private static bool IsSpace(byte b) => b is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n';
}
