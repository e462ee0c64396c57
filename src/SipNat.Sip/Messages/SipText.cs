using System.Buffers;
using System.Text;

namespace SipNat.Sip.Messages;

/// <summary>
/// The lexical rules of RFC 3261 §25.1 that every reader of a value shares. White space is any mix of SP, HTAB, CR and
/// LF: inside a value a line end can only be part of a fold.
/// </summary>
public static class SipText
{
    private static readonly SearchValues<byte> Tokens = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.!%*_+`'~"u8);

    private static readonly SearchValues<char> LineEnds = SearchValues.Create('\r', '\n', '\0');

    public static bool IsWhiteSpace(byte octet) => octet is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n';

    public static ReadOnlySpan<byte> Trim(ReadOnlySpan<byte> value) => TrimEnd(TrimStart(value));

    public static ReadOnlySpan<byte> TrimStart(ReadOnlySpan<byte> value)
    {
        while (value is [var first, ..] && IsWhiteSpace(first)) value = value[1..];

        return value;
    }

    public static ReadOnlySpan<byte> TrimEnd(ReadOnlySpan<byte> value)
    {
        while (value is [.., var last] && IsWhiteSpace(last)) value = value[..^1];

        return value;
    }

    /// <summary>A list without the empty elements before its first one.</summary>
    public static ReadOnlySpan<byte> TrimEmptyElements(ReadOnlySpan<byte> list)
    {
        while (list is [var first, ..] && (IsWhiteSpace(first) || first == ',')) list = list[1..];

        return list;
    }

    public static bool IsToken(ReadOnlySpan<byte> value) => !value.IsEmpty && !value.ContainsAnyExcept(Tokens);

    public static bool IsToken(string value) => value.Length > 0 && Ascii.IsValid(value) && IsToken(Encoding.ASCII.GetBytes(value));

    /// <summary>The length of the quoted string that the value begins with, both quotes included; -1 where it has no end.</summary>
    public static int QuotedLength(ReadOnlySpan<byte> value)
    {
        for (var i = 1; i < value.Length; i++)
        {
            if (value[i] == '\\') i++;
            else if (value[i] == '"') return i + 1;
        }

        return -1;
    }

    /// <summary>The first <paramref name="octet"/> outside quotes and angle brackets; -1 for none.</summary>
    public static int IndexOutside(ReadOnlySpan<byte> value, byte octet)
    {
        var bracketed = false;
        for (var i = 0; i < value.Length; i++)
        {
            if (!bracketed && value[i] == octet) return i;
            if (value[i] == '>') bracketed = false;
            else if (value[i] == '<') bracketed = true;
            else if (value[i] == '"' && !bracketed)
            {
                var quoted = QuotedLength(value[i..]);
                if (quoted < 0) return -1;
                i += quoted - 1;
            }
        }

        return -1;
    }

    /// <summary>Whether every quote and angle bracket in the value is closed: what is appended to one that is not would be inside.</summary>
    public static bool IsClosed(ReadOnlySpan<byte> value)
    {
        var bracketed = false;
        for (var i = 0; i < value.Length; i++)
        {
            if (value[i] == '>') bracketed = false;
            else if (value[i] == '<') bracketed = true;
            else if (value[i] == '"' && !bracketed)
            {
                var quoted = QuotedLength(value[i..]);
                if (quoted < 0) return false;
                i += quoted - 1;
            }
        }

        return !bracketed;
    }

    /// <summary>
    /// UTF-8 text of a value, each fold one space (RFC 3261 §7.3.1) and every other control character a space, so that
    /// it can be written into a message, a log or a terminal.
    /// </summary>
    public static string Unfold(ReadOnlySpan<byte> value)
    {
        value = Trim(value);
        if (value.IndexOfAny((byte)'\r', (byte)'\n') < 0) return Clean(Encoding.UTF8.GetString(value));

        var buffer = new byte[value.Length];
        return Clean(Encoding.UTF8.GetString(buffer.AsSpan(0, Unfold(value, buffer))));
    }

    /// <summary>
    /// Copies a value with each run of white space that holds a line end as one space, so that what is copied into a
    /// message of ours never begins another line.
    /// </summary>
    /// <param name="destination">At least as long as the value.</param>
    public static int Unfold(ReadOnlySpan<byte> value, Span<byte> destination)
    {
        var written = 0;
        while (!value.IsEmpty)
        {
            var fold = value.IndexOfAny((byte)'\r', (byte)'\n');
            var plain = fold < 0 ? value : TrimEnd(value[..fold]);
            plain.CopyTo(destination[written..]);
            written += plain.Length;
            if (fold < 0) break;

            value = TrimStart(value[fold..]);
            destination[written++] = (byte)' ';
        }

        return written;
    }

    /// <summary>UTF-8 text of a token or a quoted-string (RFC 3261 §25.1): no quotes, escapes resolved, folded and cleaned.</summary>
    public static string Unquote(ReadOnlySpan<byte> value)
    {
        if (value is not [(byte)'"', .. var quoted, (byte)'"']) return Unfold(value);

        var text = new byte[quoted.Length];
        var length = 0;
        for (var i = 0; i < quoted.Length; i++)
        {
            if (quoted[i] == '\\' && i + 1 < quoted.Length) i++;
            text[length++] = quoted[i];
        }

        return Clean(Encoding.UTF8.GetString(text.AsSpan(0, Unfold(text.AsSpan(0, length), text))));
    }

    /// <summary>The text itself; throws where it holds a line end or NUL, which no text of ours does.</summary>
    public static string OneLine(string text) =>
        text.AsSpan().ContainsAny(LineEnds) ? throw new ArgumentException("A header value is one line.", nameof(text)) : text;

    /// <summary>Text of a peer with every control character as a space.</summary>
    public static string Clean(string text) =>
        text.Any(char.IsControl) ? string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c)) : text;

    /// <summary>Text as a quoted-string (RFC 3261 §25.1), cleaned.</summary>
    public static string Quote(string text) =>
        $"\"{Clean(text).Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
}
