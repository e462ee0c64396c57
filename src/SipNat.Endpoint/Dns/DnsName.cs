using System.Buffers;
using System.Text;

namespace SipNat.Endpoint.Dns;

/// <summary>Domain names on the wire and as text: lower case, without the last full stop; the root is empty.</summary>
internal static class DnsName
{
    /// <summary>Characters of a name as text.</summary>
    public const int MaxLength = 253;

    /// <summary>Bytes of a name on the wire (RFC 1035 §2.3.4).</summary>
    public const int MaxWireLength = 255;

    private const int MaxLabel = 63;
    private const int PointerBits = 0b1100_0000;

    private static readonly SearchValues<char> Characters = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");

    /// <summary>Whether a text is a name that is asked for: letters, digits, hyphens and underscores, with or without the last full stop.</summary>
    public static bool IsValid(string text)
    {
        var name = text.EndsWith('.') ? text.AsSpan(..^1) : text;
        if (name.Length is 0 or > MaxLength) return false;

        foreach (var range in name.Split('.'))
        {
            var label = name[range];
            if (label.Length is 0 or > MaxLabel || label.ContainsAnyExcept(Characters)) return false;
        }

        return true;
    }

    public static string Normalize(string text) => text.TrimEnd('.').ToLowerInvariant();

    /// <summary>Writes a valid name and gives its bytes.</summary>
    public static int Write(Span<byte> destination, string name)
    {
        var length = 0;
        foreach (var label in name.Split('.'))
        {
            destination[length] = (byte)label.Length;
            length += 1 + Encoding.ASCII.GetBytes(label, destination[(length + 1)..]);
        }

        destination[length] = 0;
        return length + 1;
    }

    /// <summary>
    /// Reads a name and moves behind it. A pointer leads back, and each further one before the last, so that no loop is
    /// possible (RFC 1035 §4.1.4). Bytes that are no part of host names are written as <c>\DDD</c>.
    /// </summary>
    public static bool TryRead(ReadOnlySpan<byte> message, ref int offset, out string name)
    {
        name = "";
        var text = new StringBuilder();
        var (position, limit, wireLength, isBehind) = (offset, offset, 1, false);
        while (position < message.Length)
        {
            int length = message[position];
            if (length == 0)
            {
                if (!isBehind) offset = position + 1;
                name = text.ToString();
                return true;
            }

            if ((length & PointerBits) == PointerBits)
            {
                if (position + 1 >= message.Length) return false;

                var target = ((length & ~PointerBits) << 8) | message[position + 1];
                if (!isBehind) offset = position + 2;
                isBehind = true;
                if (target >= limit) return false;

                (position, limit) = (target, target);
                continue;
            }

            wireLength += length + 1;
            if (length > MaxLabel || wireLength > MaxWireLength || position + length >= message.Length) return false;

            if (text.Length > 0) text.Append('.');
            Append(text, message.Slice(position + 1, length));
            position += length + 1;
        }

        return false;
    }

    private static void Append(StringBuilder text, ReadOnlySpan<byte> label)
    {
        foreach (var octet in label)
        {
            var character = char.ToLowerInvariant((char)octet);
            if (Characters.Contains(character)) text.Append(character);
            else text.Append('\\').Append((char)('0' + (octet / 100))).Append((char)('0' + (octet / 10 % 10))).Append((char)('0' + (octet % 10)));
        }
    }
}
