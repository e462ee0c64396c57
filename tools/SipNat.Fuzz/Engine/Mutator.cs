using System.Buffers.Binary;
using System.Text;

namespace SipNat.Fuzz.Engine;

/// <summary>
/// Makes an input out of one or two others. Everything comes from the given source of randomness: the same one makes
/// the same inputs.
/// </summary>
public sealed class Mutator(Random random, IReadOnlyList<byte[]> tokens, int maxLength)
{
    private const int MaxSteps = 6;
    private const int MaxChunk = 64;
    private const int HugeLength = 72 * 1024;

    // One in so many inputs is blown up: they take long, and what they find they find at once.
    private const int HugeEvery = 400;

    private static readonly byte[][] LineEnds = ["\r\n"u8.ToArray(), "\n"u8.ToArray(), "\r"u8.ToArray(), "\r\n "u8.ToArray(), "\r\n\r\n"u8.ToArray(), "\0"u8.ToArray()];

    private static readonly string[] Numbers =
    [
        "0", "-1", "1", "00", "127", "128", "255", "256", "32767", "65535", "65536", "2147483647", "2147483648", "4294967295",
        "4294967296", "9223372036854775807", "18446744073709551616", "99999999999999999999999999", "1e999", "0.5", "+1", "0x10", "",
    ];

    private static readonly uint[] Extremes = [0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF];

    private byte[] _bytes = [];

    /// <summary>A mutation of <paramref name="input"/>, which may borrow from <paramref name="other"/>.</summary>
    public byte[] Mutate(byte[] input, byte[] other)
    {
        _bytes = input;
        var steps = 1 + random.Next(MaxSteps);
        for (var step = 0; step < steps; step++) Step(other);
        if (random.Next(HugeEvery) == 0) Repeat(HugeLength);
        if (_bytes.Length > maxLength) _bytes = _bytes[..maxLength];
        return _bytes;
    }

    private void Step(byte[] other)
    {
        switch (random.Next(16))
        {
            case 0 or 1:
                Change(at => (byte)(_bytes[at] ^ (1 << random.Next(8))));
                break;
            case 2:
                Change(_ => (byte)random.Next(256));
                break;
            case 3:
                _bytes = _bytes[..random.Next(_bytes.Length + 1)];
                break;
            case 4:
                Replace(Chunk(_bytes, MaxChunk), []);
                break;
            case 5:
                Replace(At(), Slice(_bytes, Chunk(_bytes, MaxChunk)));
                break;
            case 6:
                _bytes = [.. _bytes.AsSpan(0, random.Next(_bytes.Length + 1)), .. other.AsSpan(random.Next(other.Length + 1))];
                break;
            case 7:
                Replace(At(), Slice(other, Chunk(other, other.Length)));
                break;
            case 8 or 9:
                Replace(random.Next(2) == 0 ? At() : Chunk(_bytes, MaxChunk), tokens.Count > 0 ? tokens[random.Next(tokens.Count)] : []);
                break;
            case 10:
                Replace(NextDigits(), Encoding.ASCII.GetBytes(Numbers[random.Next(Numbers.Length)]));
                break;
            case 11:
                SetInteger();
                break;
            case 12:
                Replace(LineEnd(), LineEnds[random.Next(LineEnds.Length)]);
                break;
            case 13:
                MoveLine();
                break;
            case 14:
                Repeat(random.Next(1, 64) * MaxChunk);
                break;
            default:
                Replace(At(), RandomBytes());
                break;
        }
    }

    private void Change(Func<int, byte> change)
    {
        if (_bytes.Length == 0) return;

        var at = random.Next(_bytes.Length);
        var changed = _bytes.ToArray();
        changed[at] = change(at);
        _bytes = changed;
    }

    private void SetInteger()
    {
        var size = 1 << random.Next(3);
        if (_bytes.Length < size) return;

        var changed = _bytes.ToArray();
        var place = changed.AsSpan(random.Next(changed.Length - size + 1), size);
        var value = Extremes[random.Next(Extremes.Length)];
        if (random.Next(4) == 0) value = (uint)changed.Length + (uint)random.Next(-4, 5);
        if (size == 1) place[0] = (byte)value;
        else if (size == 2) BinaryPrimitives.WriteUInt16BigEndian(place, (ushort)value);
        else BinaryPrimitives.WriteUInt32BigEndian(place, value);
        _bytes = changed;
    }

    // One line, or what stands between two line feeds, again elsewhere; sometimes the original goes.
    private void MoveLine()
    {
        var line = LineAround(random.Next(_bytes.Length + 1));
        var text = Slice(_bytes, line);
        if (random.Next(2) == 0) Replace(line, []);
        var place = LineAround(random.Next(_bytes.Length + 1)).Start;
        Replace((place, 0), text);
    }

    private void Repeat(int length)
    {
        var chunk = Chunk(_bytes, random.Next(4) == 0 ? _bytes.Length : MaxChunk);
        if (chunk.Length == 0) return;

        var text = Slice(_bytes, chunk);
        var repeated = new byte[Math.Min(length, maxLength) / chunk.Length * chunk.Length];
        for (var at = 0; at < repeated.Length; at += text.Length) text.CopyTo(repeated, at);
        Replace((chunk.Start, 0), repeated);
    }

    private byte[] RandomBytes()
    {
        var bytes = new byte[1 + random.Next(16)];
        random.NextBytes(bytes);
        return bytes;
    }

    private (int Start, int Length) At() => (random.Next(_bytes.Length + 1), 0);

    private (int Start, int Length) Chunk(byte[] bytes, int longest)
    {
        var start = random.Next(bytes.Length + 1);
        return (start, random.Next(Math.Min(bytes.Length - start, longest) + 1));
    }

    private (int Start, int Length) NextDigits()
    {
        var start = random.Next(_bytes.Length + 1);
        while (start < _bytes.Length && !char.IsAsciiDigit((char)_bytes[start])) start++;
        var end = start;
        while (end < _bytes.Length && char.IsAsciiDigit((char)_bytes[end])) end++;
        return (start, end - start);
    }

    private (int Start, int Length) LineEnd()
    {
        var start = random.Next(_bytes.Length + 1);
        var found = _bytes.AsSpan(start).IndexOfAny((byte)'\r', (byte)'\n');
        if (found < 0) return (start, 0);

        var isPair = _bytes.AsSpan(start + found) is [(byte)'\r', (byte)'\n', ..];
        return (start + found, isPair ? 2 : 1);
    }

    private (int Start, int Length) LineAround(int at)
    {
        var start = _bytes.AsSpan(0, at).LastIndexOf((byte)'\n') + 1;
        var end = _bytes.AsSpan(at).IndexOf((byte)'\n');
        return (start, (end < 0 ? _bytes.Length : at + end + 1) - start);
    }

    private static byte[] Slice(byte[] bytes, (int Start, int Length) range) => bytes[range.Start..(range.Start + range.Length)];

    private void Replace((int Start, int Length) range, byte[] with)
    {
        var rest = range.Start + range.Length;
        if (_bytes.Length - range.Length + with.Length > maxLength) return;

        _bytes = [.. _bytes.AsSpan(0, range.Start), .. with, .. _bytes.AsSpan(rest)];
    }

    /// <summary>Words, each as its UTF-8 bytes.</summary>
    public static IReadOnlyList<byte[]> Words(params ReadOnlySpan<string> words)
    {
        var list = new List<byte[]>(words.Length);
        foreach (var word in words) list.Add(Encoding.UTF8.GetBytes(word));
        return list;
    }
}
