using System.Globalization;
using System.Text;

namespace SipNat.Bench.Compare;

/// <summary>
/// Bencoding (BitTorrent's BEP 3), which rtpengine's control protocol uses: integers as <see cref="long"/>, strings,
/// lists as <see cref="List{T}"/> and dictionaries with sorted keys. A character of a string is a byte.
/// </summary>
public static class Bencode
{
    private const int MaxDepth = 16;

    public static byte[] Write(object value)
    {
        var text = new StringBuilder();
        Write(text, value);
        return Encoding.Latin1.GetBytes(text.ToString());
    }

    /// <exception cref="InvalidDataException">The bytes are no value, or more than one.</exception>
    public static object Read(ReadOnlySpan<byte> bytes)
    {
        var text = Encoding.Latin1.GetString(bytes);
        var at = 0;
        var value = Read(text, ref at, 0);
        return at == text.Length ? value : throw Bad(at);
    }

    private static void Write(StringBuilder text, object value)
    {
        switch (value)
        {
            case long number:
                text.Append(CultureInfo.InvariantCulture, $"i{number}e");
                break;
            case string word:
                text.Append(CultureInfo.InvariantCulture, $"{word.Length}:{word}");
                break;
            case List<object> list:
                text.Append('l');
                list.ForEach(item => Write(text, item));
                text.Append('e');
                break;
            case SortedDictionary<string, object> fields:
                text.Append('d');
                foreach (var (key, field) in fields)
                {
                    Write(text, key);
                    Write(text, field);
                }

                text.Append('e');
                break;
            default:
                throw new ArgumentException($"{value.GetType()} cannot be bencoded.", nameof(value));
        }
    }

    private static object Read(string text, ref int at, int depth)
    {
        if (at >= text.Length || depth > MaxDepth) throw Bad(at);
        switch (text[at])
        {
            case 'i':
                at++;
                return ReadNumber(text, ref at, 'e');
            case 'l':
                var list = new List<object>();
                for (at++; !IsEnd(text, at);) list.Add(Read(text, ref at, depth + 1));
                at++;
                return list;
            case 'd':
                var fields = new SortedDictionary<string, object>(StringComparer.Ordinal);
                for (at++; !IsEnd(text, at);)
                {
                    if (Read(text, ref at, depth + 1) is not string key) throw Bad(at);
                    fields[key] = Read(text, ref at, depth + 1);
                }

                at++;
                return fields;
            default:
                var length = ReadNumber(text, ref at, ':');
                if (length < 0 || length > text.Length - at) throw Bad(at);
                at += (int)length;
                return text[(at - (int)length)..at];
        }
    }

    private static bool IsEnd(string text, int at) => at < text.Length ? text[at] == 'e' : throw Bad(at);

    private static long ReadNumber(string text, ref int at, char end)
    {
        var stop = text.IndexOf(end, at);
        if (stop < 0 || !long.TryParse(text.AsSpan(at, stop - at), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)) throw Bad(at);

        at = stop + 1;
        return number;
    }

    private static InvalidDataException Bad(int at) => new($"Not bencoded at byte {at}.");
}
