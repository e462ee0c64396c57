using System.Buffers.Binary;
using System.Security.Cryptography;

namespace SipNat.Server.Hosting;

/// <summary>
/// The operating system's randomness in the shape that the cores take. Every virtual member is overridden, so that
/// nothing falls through to the predictable generator of the base class. Thread safe.
/// </summary>
public sealed class SecureRandom : Random
{
    private const double Unit53 = 1.0 / (1UL << 53);
    private const float Unit24 = 1.0f / (1 << 24);

    // The base class seeds a generator that is never asked: a constant spares it the work.
    public SecureRandom()
        : base(0)
    {
    }

    public override int Next() => RandomNumberGenerator.GetInt32(int.MaxValue);

    public override int Next(int maxValue)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(maxValue);
        return maxValue <= 1 ? 0 : RandomNumberGenerator.GetInt32(maxValue);
    }

    public override int Next(int minValue, int maxValue)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(minValue, maxValue);
        return minValue == maxValue ? minValue : RandomNumberGenerator.GetInt32(minValue, maxValue);
    }

    public override long NextInt64() => NextInt64(long.MaxValue);

    public override long NextInt64(long maxValue)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(maxValue);
        return NextInt64(0, maxValue);
    }

    public override long NextInt64(long minValue, long maxValue)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(minValue, maxValue);
        var range = (ulong)(maxValue - minValue);
        return range <= 1 ? minValue : minValue + (long)Below(range);
    }

    public override double NextDouble() => (NextUInt64() >> 11) * Unit53;

    public override float NextSingle() => (NextUInt64() >> 40) * Unit24;

    public override void NextBytes(byte[] buffer)
    {
        ArgumentNullException.ThrowIfNull(buffer);
        RandomNumberGenerator.Fill(buffer);
    }

    public override void NextBytes(Span<byte> buffer) => RandomNumberGenerator.Fill(buffer);

    protected override double Sample() => NextDouble();

    // Values past the largest multiple of the range would favour the small ones: they are drawn again.
    private static ulong Below(ulong range)
    {
        var limit = ulong.MaxValue - (ulong.MaxValue % range);
        while (true)
        {
            var value = NextUInt64();
            if (value < limit) return value % range;
        }
    }

    private static ulong NextUInt64()
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        RandomNumberGenerator.Fill(bytes);
        return BinaryPrimitives.ReadUInt64LittleEndian(bytes);
    }
}
