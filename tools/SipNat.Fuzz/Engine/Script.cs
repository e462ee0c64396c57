using System.Buffers.Binary;

namespace SipNat.Fuzz.Engine;

/// <summary>An input that is read as a list of decisions. After its end every decision is 0.</summary>
public ref struct Script(ReadOnlySpan<byte> bytes)
{
    private ReadOnlySpan<byte> _rest = bytes;

    public readonly bool IsOver => _rest.IsEmpty;

    /// <summary>0 to <paramref name="count"/> − 1, where count is at most 256.</summary>
    public int Next(int count) => NextByte() % count;

    public bool NextBool() => (NextByte() & 1) != 0;

    public byte NextByte()
    {
        if (_rest.IsEmpty) return 0;

        var value = _rest[0];
        _rest = _rest[1..];
        return value;
    }

    public ushort NextUInt16() => (ushort)((NextByte() << 8) | NextByte());

    public uint NextUInt32() => ((uint)NextUInt16() << 16) | NextUInt16();

    /// <summary>So many bytes, or what is left of them.</summary>
    public ReadOnlySpan<byte> NextBytes(int length)
    {
        var taken = _rest[..Math.Min(length, _rest.Length)];
        _rest = _rest[taken.Length..];
        return taken;
    }

    /// <summary>Seeds for a target that reads scripts: bytes without any plan.</summary>
    public static IEnumerable<byte[]> Seeds(int count, int longest)
    {
        for (var seed = 1; seed <= count; seed++)
        {
            var random = new Random(seed);
            var script = new byte[longest * seed / count];
            random.NextBytes(script);
            BinaryPrimitives.WriteUInt16BigEndian(script, (ushort)seed);
            yield return script;
        }
    }
}
